//! What is asked of another task queue.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::cache;
use crate::process::Family;
use crate::stopwatch;
use crate::stores::redis::{Places, Stage};

/// How long a worker may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Another task queue on the same server, as a user of it would set it up.
pub(crate) trait Peer {
    /// With its version.
    fn name(&self) -> String;

    /// How its workers are started, in words.
    fn setting(&self) -> String;

    /// How many tasks it drains. Those that cannot hold as many as the others have fewer.
    fn tasks(&self) -> usize {
        20_000
    }

    /// Installs it if it is not there yet, and looks whether what it needs is.
    fn install(&self) -> Result<()> {
        self.sender("redis://127.0.0.1").map(drop)
    }

    /// Its program for sending. Asked to `fill`, to `send` one at a time or to `send-many` this many tasks, it prints how
    /// many it sent a second.
    fn sender(&self, url: &str) -> Result<Command>;

    fn workers(&self, url: &str) -> Result<Vec<Command>>;

    fn places(&self) -> Places;

    /// Where it would keep its tasks under a name, if filling takes long and the list may be copied.
    fn reusable(&self) -> Option<(&'static str, String)> {
        None
    }
}

/// Those that a row compares with.
pub(crate) struct Peers {
    pub(crate) here: Vec<Box<dyn Peer>>,
    /// What to say of those that cannot be measured on this machine.
    pub(crate) absent: Vec<String>,
}

/// A worker of a peer. Ends with its handle.
pub(crate) struct Worker(Child);

impl Peers {
    /// Installs them. One that cannot be installed does not keep the others from being measured.
    pub(crate) fn gather(all: Vec<Box<dyn Peer>>) -> Self {
        let mut peers = Self { here: Vec::new(), absent: Vec::new() };
        for peer in all {
            match peer.install() {
                Ok(()) => peers.here.push(peer),
                Err(error) => peers.absent.push(absent(&peer.name(), &error)),
            }
        }
        peers.absent.dedup();
        peers
    }
}

/// What a row says of a peer that cannot be measured.
pub(crate) fn absent(name: &str, error: &anyhow::Error) -> String {
    format!("{name}: not available: {}", format!("{error:#}").replace('|', "/"))
}

/// Its name and setting.
pub(crate) fn title(peer: &dyn Peer) -> String {
    format!("{} {}", peer.name(), peer.setting())
}

/// Tasks a second that its workers drain.
pub(crate) async fn drain(stage: &Stage, peer: &dyn Peer) -> Result<f64> {
    stage.clear().await?;
    fill(stage, peer).await?;
    let mut eye = stage.eye()?;
    let before = eye.left(&peer.places())?;
    let count = peer.tasks() as u64;
    anyhow::ensure!(before.waiting == count, "{} has {} of {count} tasks", peer.name(), before.waiting);
    let workers = Worker::start_all(peer.workers(&stage.url())?)?;
    let rate = eye.rate(&peer.places(), before, count).with_context(|| peer.name())?;
    drop(workers);
    Ok(rate)
}

async fn fill(stage: &Stage, peer: &dyn Peer) -> Result<()> {
    let Some((list, copy)) = peer.reusable() else {
        return send(peer, &stage.direct_url(), "fill", peer.tasks()).map(drop);
    };
    if !stage.bring_back(&copy, list)? {
        send(peer, &stage.direct_url(), "fill", peer.tasks())?;
        stage.keep(list, &copy).await?;
    }
    Ok(())
}

/// What its sender prints: how many tasks it sent a second.
pub(crate) fn send(peer: &dyn Peer, url: &str, how: &str, count: usize) -> Result<f64> {
    let printed = cache::output(peer.sender(url)?.arg(how).arg(count.to_string()))?;
    printed.parse().with_context(|| format!("{} printed {printed:?}", peer.name()))
}

/// What a program of its prints while these workers live: `N` numbers a line.
pub(crate) fn numbers<const N: usize>(
    peer: &dyn Peer,
    workers: Vec<Command>,
    program: &mut Command,
) -> Result<Vec<[f64; N]>> {
    let workers = Worker::start_all(workers)?;
    let printed = cache::output(program)?;
    drop(workers);
    let lines: Option<Vec<_>> = printed.lines().map(numbers_of).collect();
    lines.with_context(|| format!("{} printed {printed:?}", peer.name()))
}

fn numbers_of<const N: usize>(line: &str) -> Option<[f64; N]> {
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

/// Runs `during` while its workers live.
pub(crate) fn beside<T>(stage: &Stage, peer: &dyn Peer, during: impl FnOnce() -> Result<T>) -> Result<T> {
    let workers = Worker::start_all(peer.workers(&stage.url())?)?;
    let done = during();
    drop(workers);
    done
}

impl Worker {
    pub(crate) fn start_all(mut commands: Vec<Command>) -> Result<Vec<Self>> {
        commands.iter_mut().map(Self::start).collect()
    }

    fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("cannot start {command:?}"))?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Asked, it ends the processes that it has started; killed, it would leave them behind.
        for signal in [Signal::TERM, Signal::QUIT] {
            _ = kill_process(Pid::from_child(&self.0), signal);
            let ended = stopwatch::poll_for(GRACE, GRACE / 200, || Ok(self.0.try_wait()?));
            if ended.is_ok_and(|ended| ended.is_some()) {
                return;
            }
        }
        // One that does not listen leaves nothing behind either, which would cost those that are measured next.
        if let Ok(family) = Family::of(self.0.id()) {
            family.kill();
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Missing;

    impl Peer for Missing {
        fn name(&self) -> String {
            "missing 1.0".into()
        }

        fn setting(&self) -> String {
            String::new()
        }

        fn sender(&self, _: &str) -> Result<Command> {
            cache::run(&mut Command::new("there-is-no-such-program"))?;
            Ok(Command::new("true"))
        }

        fn workers(&self, _: &str) -> Result<Vec<Command>> {
            Ok(Vec::new())
        }

        fn places(&self) -> Places {
            Places::new(&[], &[])
        }
    }

    #[test]
    fn lines_have_as_many_numbers_as_are_asked_for() {
        assert_eq!(numbers_of::<2>("1.5 20"), Some([1.5, 20.0]));
        assert_eq!(numbers_of::<2>("1.5"), None);
        assert_eq!(numbers_of::<1>("gave up"), None);
    }

    #[test]
    fn a_peer_that_cannot_be_installed_is_named_once_and_is_no_error() {
        let peers = Peers::gather(vec![Box::new(Missing), Box::new(Missing)]);
        assert!(peers.here.is_empty());
        assert_eq!(peers.absent.len(), 1);
        assert!(
            peers.absent[0].starts_with("missing 1.0: not available: cannot start"),
            "{:?}",
            peers.absent
        );
    }
}
