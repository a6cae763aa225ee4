use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cardoon_core::BootInstant;
use cardoon_runtime::{Clock, Random, quiet_port};
use tempfile::TempDir;

use super::authority::Authority;
use super::options::{RedisOptions, socket};
use super::program::Program;
use super::resp;
use crate::Process;

/// A server that does not answer by then is broken.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Longer than any pause that a test asks of a server.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_millis(5);

/// A real Redis or Valkey server on a free port of 127.0.0.1, with its data in a folder of its own. Ends with its
/// handle.
#[derive(Debug)]
pub struct RedisServer {
    program: Program,
    options: RedisOptions,
    folder: TempDir,
    port: u16,
    tls_port: u16,
    process: Process,
    clock: Clock,
}

impl RedisServer {
    /// A server that keeps everything in memory. Fails, with the command that helps, where none is installed.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(RedisOptions::default()).await
    }

    pub async fn start_with(options: RedisOptions) -> anyhow::Result<Self> {
        let program = Program::find(options.release)?;
        let clock = Clock::real();
        let end = clock.boot().plus(START_LIMIT);
        let random = Random::from_system();
        loop {
            let (port, tls_port) = (quiet_port(&random), quiet_port(&random));
            let folder = crate::folder()?;
            let process = launch(&program, &options, folder.path(), port, tls_port)?;
            let mut server = Self {
                program: program.clone(),
                options: options.clone(),
                folder,
                port,
                tls_port,
                process,
                clock: clock.clone(),
            };
            if server.is_up(end).await? {
                return Ok(server);
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT/0`, with the password if it has one.
    pub fn url(&self) -> String {
        let password = self.options.password.as_ref().map(|password| format!(":{password}@"));
        format!("redis://{}127.0.0.1:{}/0", password.unwrap_or_default(), self.port)
    }

    /// The same for another user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}/0", self.port)
    }

    /// The same over TLS, if it was started with that, trusting the authority of its certificate.
    pub fn tls_url(&self) -> String {
        format!("{}?ssl_ca_certs={}", self.tls_url_without_trust(), self.authority().display())
    }

    /// The same, trusting whom the system trusts.
    pub fn tls_url_without_trust(&self) -> String {
        format!("rediss://127.0.0.1:{}/0", self.tls_port)
    }

    /// The certificate of the authority that has signed its own.
    pub fn authority(&self) -> PathBuf {
        Authority::at(self.folder.path()).certificate()
    }

    /// Its socket, if it was started with one.
    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it wrote to its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("redis.log")).unwrap_or_default()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().map(drop)
    }

    /// Starts it again on the same port and the same data, and waits until it answers. Kills it before, if it lives.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let end = self.clock.boot().plus(START_LIMIT);
        loop {
            self.kill()?;
            self.process =
                launch(&self.program, &self.options, self.folder.path(), self.port, self.tls_port)?;
            // Somebody may hold the port for a moment.
            if self.is_up(end).await? {
                return Ok(());
            }
        }
    }

    /// Stops it with SIGSTOP: connections stay open and nothing is answered until [`Self::resume`].
    pub fn pause(&self) -> anyhow::Result<()> {
        self.process.pause()
    }

    pub fn resume(&self) -> anyhow::Result<()> {
        self.process.resume()
    }

    /// Executes a command as the user `default`, over a connection of its own. Text and numbers come as they are,
    /// nothing as the empty text, a list as a line an item; what the server refuses is an error.
    pub async fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        match tokio::time::timeout(ANSWER_LIMIT, self.ask(words)).await {
            Ok(answer) => answer.with_context(|| format!("{words:?}")),
            Err(_) => bail!("{words:?}: no answer within {ANSWER_LIMIT:?}"),
        }
    }

    /// Waits until its replicas have all that it has now.
    pub async fn replicated(&self) -> anyhow::Result<()> {
        let end = self.clock.boot().plus(START_LIMIT);
        let written = offset(&self.command(&["INFO", "replication"]).await?, "master_repl_offset:");
        loop {
            let about = self.command(&["INFO", "replication"]).await?;
            let replicas: Vec<_> = about.lines().filter(|line| line.starts_with("slave")).collect();
            let have = |line: &&str| offset(&line.replace(',', "\n"), "offset=") >= written;
            if !replicas.is_empty() && replicas.iter().all(have) {
                return Ok(());
            }
            ensure!(self.clock.boot() < end, "the replicas do not follow within {START_LIMIT:?}: {about}");
            self.clock.sleep(STEP).await;
        }
    }

    async fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        resp::ask(self.port, self.options.password.as_deref(), words).await
    }

    /// Waits until it answers. Returns `false` if its port is taken.
    async fn is_up(&mut self, end: BootInstant) -> anyhow::Result<bool> {
        while self.process.is_alive()? {
            if self.answers().await {
                return Ok(true);
            }
            if self.clock.boot() > end {
                bail!("the Redis server did not answer within {START_LIMIT:?}: {}", self.log());
            }
            self.clock.sleep(STEP).await;
        }
        let log = self.log();
        if log.contains("Address already in use") && self.clock.boot() < end {
            return Ok(false);
        }
        bail!("the Redis server ended at once: {log}{}", self.last_words());
    }

    /// Whether it is this server that answers, and with its data read.
    async fn answers(&self) -> bool {
        let Ok(about) = self.ask(&["INFO", "server"]).await else { return false };
        let ours = format!("process_id:{}", self.process.id());
        about.lines().any(|line| line.trim_end() == ours)
            && self.ask(&["PING"]).await.is_ok_and(|answer| answer == "PONG")
    }

    /// What it says about its settings, which goes to no log.
    fn last_words(&self) -> String {
        std::fs::read_to_string(errors(self.folder.path())).unwrap_or_default()
    }
}

fn launch(
    program: &Program,
    options: &RedisOptions,
    folder: &Path,
    port: u16,
    tls_port: u16,
) -> anyhow::Result<Process> {
    let settings = folder.join("redis.conf");
    let mut text = options.file(folder, port, program.major);
    if options.tls {
        text += &Authority::in_folder(folder)?.lines(tls_port);
    }
    std::fs::write(&settings, text)?;
    // An old log would tell of an old trouble.
    let _ = std::fs::remove_file(folder.join("redis.log"));
    let errors = std::fs::File::create(errors(folder))?;
    let mut command = program.command();
    command.arg(&settings).stdin(Stdio::null()).stdout(errors.try_clone()?).stderr(errors);
    Process::start(&mut command)
}

/// The number behind `name` at the beginning of a line.
fn offset(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_end().parse().ok())
}

fn errors(folder: &Path) -> PathBuf {
    folder.join("redis.err")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpStream;

    use super::*;
    use crate::{AppendOnly, Release};

    #[tokio::test]
    async fn a_server_answers_and_ends_with_its_handle() {
        let server = RedisServer::start().await.unwrap();
        assert_eq!(server.command(&["SET", "a", "1"]).await.unwrap(), "OK");
        assert_eq!(server.command(&["GET", "a"]).await.unwrap(), "1");
        let port = server.port();
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err());
    }

    #[tokio::test]
    async fn a_killed_server_comes_back_on_its_port_with_what_it_had_synced() {
        let options = RedisOptions::default().append_only(AppendOnly::Always);
        let mut server = RedisServer::start_with(options).await.unwrap();
        let (port, pid) = (server.port(), server.pid());
        server.command(&["RPUSH", "list", "a", "b"]).await.unwrap();
        server.kill().unwrap();
        assert!(server.command(&["PING"]).await.is_err());
        server.restart().await.unwrap();
        assert_eq!(server.command(&["LRANGE", "list", "0", "-1"]).await.unwrap(), "a\nb");
        assert_eq!(server.port(), port);
        assert_ne!(server.pid(), pid);
    }

    #[tokio::test]
    async fn a_paused_server_answers_nothing_until_it_is_resumed() {
        let server = RedisServer::start().await.unwrap();
        server.pause().unwrap();
        let asked = server.command(&["PING"]);
        tokio::pin!(asked);
        tokio::select! {
            answer = &mut asked => panic!("a stopped server answered {answer:?}"),
            () = server.clock.sleep(Duration::from_millis(100)) => {}
        }
        server.resume().unwrap();
        assert_eq!(asked.await.unwrap(), "PONG");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_does_not_answer_for_the_server() {
        let other = RedisServer::start().await.unwrap();
        let mut server = RedisServer::start().await.unwrap();
        server.kill().unwrap();
        server.process =
            launch(&server.program, &server.options, server.folder.path(), other.port, server.tls_port)
                .unwrap();
        server.port = other.port;
        assert!(!server.is_up(server.clock.boot().plus(START_LIMIT)).await.unwrap());
    }

    #[tokio::test]
    async fn users_sockets_limits_and_replicas_are_as_asked() {
        let options = RedisOptions::default().password("pw").unix_socket().max_memory(50_000_000);
        let first = RedisServer::start_with(options.user("ann", "on >secret ~* +@all -eval")).await.unwrap();
        assert_eq!(first.url(), format!("redis://:pw@127.0.0.1:{}/0", first.port()));
        assert!(first.command(&["ACL", "LIST"]).await.unwrap().contains("user ann on"));
        assert_eq!(first.command(&["CONFIG", "GET", "maxmemory"]).await.unwrap(), "maxmemory\n50000000");
        assert!(first.socket().exists());
        let options = RedisOptions::default().replica_of(first.port()).setting("masterauth", "pw");
        let replica = RedisServer::start_with(options).await.unwrap();
        crate::eventually("the replica follows", START_LIMIT, async || {
            replica.command(&["ROLE"]).await.is_ok_and(|role| role.contains("connected"))
        })
        .await;
        let refused = replica.command(&["SET", "a", "1"]).await.unwrap_err();
        assert!(format!("{refused:#}").contains("READONLY"));
    }

    #[tokio::test]
    async fn other_releases_are_there_too() {
        for (release, version) in [(Release::V6_2, "6.2."), (Release::V8_2, "8.2.")] {
            let server = RedisServer::start_with(RedisOptions::default().release(release)).await.unwrap();
            let about = server.command(&["INFO", "server"]).await.unwrap();
            assert!(about.contains(&format!("redis_version:{version}")), "{about}");
        }
    }

    #[tokio::test]
    async fn settings_that_the_server_refuses_are_told() {
        let options = RedisOptions::default().setting("no-such-setting", "1");
        let error = RedisServer::start_with(options).await.unwrap_err();
        assert!(error.to_string().contains("no-such-setting"), "{error}");
    }
}
