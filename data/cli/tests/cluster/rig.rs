//! Processes of the program, a folder with data, and waiting with a deadline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use cardoon_cluster::{Client, ExecutorState, State};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

/// How long anything may take that is not a test's own subject.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A folder in which the program runs.
pub(crate) struct Home(TempDir);

/// A process of the program, killed with its handle.
pub(crate) struct Process(Child);

/// A process that schedules, and the address that it has told.
pub(crate) struct Cluster {
    pub(crate) process: Process,
    pub(crate) address: String,
}

/// A scheduler, and executors that are processes of the test itself.
pub(crate) struct Fleet {
    pub(crate) cluster: Cluster,
    /// Each with the id under which the scheduler knows it.
    pub(crate) executors: Vec<(String, Process)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardoon-data"));
        command.args(words).current_dir(self.path()).env("LC_ALL", "C").env_remove("CARDOON_DATA_TOKEN");
        // What processes leave that are killed goes with the folder.
        command.env("TMPDIR", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, words: &[&str]) -> Output {
        timeout(PATIENCE, self.command(words).output()).await.expect("the program hangs").unwrap()
    }

    /// The answer of a query in CSV.
    pub(crate) async fn sql(&self, query: &str, words: &[&str]) -> String {
        stdout(&self.run(&[&["sql", query, "-o", "csv"], words].concat()).await)
    }

    /// Starts a query.
    pub(crate) fn ask(&self, cluster: &Cluster, query: &str) -> Child {
        self.command(&["sql", query, "-o", "csv", "--cluster", &cluster.address]).spawn().unwrap()
    }

    /// A scheduler and two executors of two threads each.
    pub(crate) async fn cluster(&self, words: &[&str]) -> Cluster {
        self.cluster_of("2", "2", words).await
    }

    pub(crate) async fn cluster_of(&self, workers: &str, threads: &str, words: &[&str]) -> Cluster {
        let size = ["--workers", workers, "--threads", threads];
        let kind = ["cluster", "--with-parent", "--bind", "127.0.0.1:0"];
        let mut command = self.command(&[&kind, &size, words].concat());
        // It ends with the test, whatever becomes of that.
        Cluster::told(command.stdin(Stdio::piped())).await
    }

    pub(crate) async fn fleet(&self, executors: usize) -> Fleet {
        let scheduler = self.command(&["scheduler", "--bind", "127.0.0.1:0"]);
        let mut fleet = Fleet { cluster: Cluster::told(&mut { scheduler }).await, executors: Vec::new() };
        for _ in 0..executors {
            let known = fleet.cluster.ids().await;
            let process = self.executor(&fleet.cluster, &[]);
            let all = fleet.cluster.until(PATIENCE, |ids| ids.len() > known.len()).await;
            let id = all.into_iter().find(|id| !known.contains(id)).unwrap();
            fleet.executors.push((id, process));
        }
        fleet
    }

    pub(crate) fn executor(&self, cluster: &Cluster, words: &[&str]) -> Process {
        let kind = ["executor", "--with-parent", "--threads", "2", "--scheduler", &cluster.address];
        let mut command = self.command(&[&kind, words].concat());
        Process(command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub(crate) async fn kill(&mut self) {
        self.0.kill().await.unwrap();
    }

    /// The processes that it has started.
    pub(crate) fn children(&self) -> Vec<u32> {
        let found =
            std::process::Command::new("pgrep").args(["-P", &self.id().to_string()]).output().unwrap();
        String::from_utf8(found.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Cluster {
    /// Starts it, and waits for its address.
    pub(crate) async fn told(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        let address = line.expect("it ends without an address").strip_prefix("tcp://").unwrap().to_owned();
        Self { process: Process(child), address }
    }

    pub(crate) async fn state(&self) -> State {
        let client = Client::connect(self.address.parse().unwrap(), None).await.unwrap();
        client.state().await.unwrap()
    }

    /// The executors that the scheduler takes for alive.
    pub(crate) async fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.state().await.executors.into_iter().map(|ExecutorState { id, .. }| id).collect();
        ids.sort();
        ids
    }

    /// Waits until the executors are as `wanted`.
    pub(crate) async fn until(&self, patience: Duration, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut rounds = interval(Duration::from_millis(20));
        let waiting = async {
            loop {
                rounds.tick().await;
                let ids = self.ids().await;
                if wanted(&ids) {
                    return ids;
                }
            }
        };
        timeout(patience, waiting).await.expect("the executors are not as they should be in time")
    }

    /// Waits until a query runs.
    pub(crate) async fn until_it_runs(&self) {
        until("a query runs", || async { !self.state().await.jobs.is_empty() }).await;
    }
}

pub(crate) fn signal(process: u32, name: &str) {
    let name = format!("-{name}");
    // It may have ended just now.
    let _ = std::process::Command::new("kill").args([&name, &process.to_string()]).output().unwrap();
}

pub(crate) fn exists(process: u32) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

/// Waits until `condition` holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let mut rounds = interval(Duration::from_millis(5));
    let waiting = async {
        while !condition().await {
            rounds.tick().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

/// Lets `time` pass, because that is what is tested.
pub(crate) async fn pass(time: Duration) {
    timeout(time, std::future::pending::<()>()).await.unwrap_err();
}

pub(crate) async fn ended(child: Child) -> Output {
    timeout(PATIENCE, child.wait_with_output()).await.expect("the query hangs").unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The lines of a table whose rows have no order; the header stays the first.
pub(crate) fn sorted(table: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = table.lines().collect();
    lines.get_mut(1..).unwrap_or_default().sort_unstable();
    lines
}
