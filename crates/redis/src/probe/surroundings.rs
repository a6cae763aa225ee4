use std::path::Path;

/// What this machine says about where a server may be, apart from the URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// What shows that this process runs in a container; `None` if nothing does.
    pub container: Option<String>,
    /// Ports of this machine where a Redis server is said to listen.
    pub redis_ports: Vec<u16>,
}

/// Where Redis listens if nobody says otherwise.
const USUAL_PORT: u16 = 6379;
/// More servers than this are not looked at.
const MOST: usize = 16;

impl Surroundings {
    /// Looks at this machine.
    pub fn of_system() -> Self {
        let mut redis_ports = vec![USUAL_PORT];
        redis_ports.extend(ports_of_processes());
        redis_ports.sort_unstable();
        redis_ports.dedup();
        redis_ports.truncate(MOST);
        Self { container: container(), redis_ports }
    }
}

fn container() -> Option<String> {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    if let Some(mark) = marks.into_iter().find(|mark| Path::new(mark).exists()) {
        return Some(mark.into());
    }
    let groups = std::fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
    let runners = ["docker", "kubepods", "containerd", "lxc", "libpod"];
    runners
        .into_iter()
        .find(|runner| groups.contains(runner))
        .map(|runner| format!("/proc/1/cgroup: {runner}"))
}

/// A Redis server writes where it listens into its command line: `redis-server 127.0.0.1:6379`.
fn ports_of_processes() -> Vec<u16> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let line =
        |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.ok()?.path().join("cmdline")).ok();
    processes.filter_map(|entry| port_of(&String::from_utf8_lossy(&line(entry)?))).collect()
}

fn port_of(command_line: &str) -> Option<u16> {
    let mut words = command_line.split([' ', '\0']).filter(|word| !word.is_empty());
    let program = words.next()?.rsplit('/').next()?;
    if !matches!(program, "redis-server" | "valkey-server") {
        return None;
    }
    words.next()?.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_port_is_read_from_its_command_line() {
        assert_eq!(port_of("redis-server 127.0.0.1:6380"), Some(6380));
        assert_eq!(port_of("/usr/bin/valkey-server *:6379 [cluster]"), Some(6379));
        assert_eq!(port_of("redis-server\0/etc/redis.conf\0"), None);
        assert_eq!(port_of("vim\0redis-server:1"), None);
    }
}
