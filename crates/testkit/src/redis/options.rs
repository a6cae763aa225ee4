use std::fmt::Write as _;
use std::path::Path;

use super::Release;

/// How a server of a test differs from a plain one in memory.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    pub(super) append_only: AppendOnly,
    pub(super) release: Release,
    pub(super) unix_socket: bool,
    pub(super) tls: bool,
    pub(super) password: Option<String>,
    pub(super) lines: Vec<String>,
}

/// What survives `kill -9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppendOnly {
    /// Nothing.
    #[default]
    No,
    /// All but the last second or two.
    EverySecond,
    /// Whatever was answered.
    Always,
}

impl RedisOptions {
    #[must_use]
    pub fn append_only(mut self, append_only: AppendOnly) -> Self {
        self.append_only = append_only;
        self
    }

    /// The memory limit in bytes; what goes beyond it is refused.
    #[must_use]
    pub fn max_memory(self, bytes: u64) -> Self {
        self.setting("maxmemory", &bytes.to_string())
    }

    /// A user with these ACL rules, such as `on >secret ~* &* +@all -evalsha`.
    #[must_use]
    pub fn user(self, name: &str, rules: &str) -> Self {
        self.setting("user", &format!("{name} {rules}"))
    }

    /// The password of the user `default`.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.setting("requirepass", password)
    }

    /// Another release than the machine's own.
    #[must_use]
    pub fn release(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// Listens for TLS on a further port, with a certificate of an authority of its own.
    #[must_use]
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// Listens on a Unix socket too.
    #[must_use]
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Follows the server on this port of 127.0.0.1.
    #[must_use]
    pub fn replica_of(self, port: u16) -> Self {
        self.setting("replicaof", &format!("127.0.0.1 {port}"))
    }

    /// Any other line of `redis.conf`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.lines.push(format!("{name} {value}"));
        self
    }

    /// The text of `redis.conf`. `major` is the server's version.
    pub(super) fn file(&self, folder: &Path, port: u16, major: u32) -> String {
        let mut file =
            format!("bind 127.0.0.1\nport {port}\ndaemonize no\nsave \"\"\nrepl-diskless-sync-delay 0\n");
        let _ = writeln!(file, "dir \"{0}\"\nlogfile \"{0}/redis.log\"", folder.display());
        if major >= 7 {
            file += "enable-debug-command local\n";
        }
        if self.unix_socket {
            let _ = writeln!(file, "unixsocket \"{}\"", socket(folder).display());
        }
        file += match self.append_only {
            AppendOnly::No => "appendonly no\n",
            AppendOnly::EverySecond => "appendonly yes\nappendfsync everysec\n",
            AppendOnly::Always => "appendonly yes\nappendfsync always\n",
        };
        self.lines.iter().fold(file, |file, line| file + line + "\n")
    }
}

/// Where a server listens besides its port.
pub(super) fn socket(folder: &Path) -> std::path::PathBuf {
    folder.join("redis.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_options_are_lines_of_the_servers_file() {
        let options = RedisOptions::default().append_only(AppendOnly::Always).max_memory(1000);
        let options = options.user("ann", "on nopass ~* +@all").unix_socket().replica_of(1234);
        let file = options.file(Path::new("/tmp/x y"), 6000, 7);
        let wanted = [
            "port 6000",
            "dir \"/tmp/x y\"",
            "unixsocket \"/tmp/x y/redis.sock\"",
            "enable-debug-command local",
            "appendfsync always",
            "maxmemory 1000",
            "user ann on nopass ~* +@all",
            "replicaof 127.0.0.1 1234",
        ];
        for wanted in wanted {
            assert!(file.lines().any(|line| line == wanted), "{wanted} is not in {file}");
        }
        assert!(!RedisOptions::default().file(Path::new("/"), 1, 6).contains("enable-debug"));
    }
}
