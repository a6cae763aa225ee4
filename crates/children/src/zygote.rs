//! The process that has the application imported, and makes children of itself.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as Socket;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use serde::Serialize;
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::frame::{self, VERSION};
use crate::greeting::{Greeting, HANDLES, Said};

/// Bytes that are read of the line at a time.
const READ_AT_A_TIME: usize = 8 * 1024;

/// A zygote, with the line by which it is told to make children. It ends when the line is closed.
pub(crate) struct Zygote {
    process: Child,
    line: UnixStream,
    received: Vec<u8>,
    handles: VecDeque<OwnedFd>,
}

/// How a zygote makes a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// It forks.
    Fork,
    /// It becomes the child itself.
    Become,
}

/// What a child is told of where it works.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Place {
    /// Calls that it runs at once.
    pub lanes: usize,
    /// Larger return values are refused, in bytes.
    pub max_result: usize,
    /// The name of its worker.
    pub hostname: String,
    /// The stores that its tasks send to and ask, if they are not those that the application names.
    pub broker: Option<String>,
    pub backend: Option<String>,
}

/// What belongs to a child that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub pid: u32,
    pub socket: OwnedFd,
    pub output: OwnedFd,
    pub note: OwnedFd,
    /// The kernel's handle of the process.
    pub process: OwnedFd,
}

impl Zygote {
    /// Runs `command`, whose standard input becomes the line, and waits at most `patience` for its greeting.
    ///
    /// # Errors
    ///
    /// `CD6001` if the application cannot be imported, `CD6002` if the process cannot be started, says nothing in time or
    /// is of another release.
    pub(crate) async fn start(
        command: &[OsString],
        patience: Duration,
        clock: &Clock,
    ) -> Result<(Self, Greeting)> {
        let mut zygote = Self::spawn(command).map_err(|error| cannot_start(command, &error))?;
        let greeting = tokio::select! {
            greeting = zygote.greeting() => greeting,
            () = clock.sleep(patience) => Err(Error::new(Code::NoChildren, "the application is still being imported")
                .checked(format!("{} s have passed", patience.as_secs()))
                .hint("import slow things inside of tasks")),
        }?;
        Ok((zygote, greeting))
    }

    fn spawn(command: &[OsString]) -> io::Result<Self> {
        let (ours, theirs) = Socket::pair()?;
        ours.set_nonblocking(true)?;
        let [program, arguments @ ..] = command else {
            return Err(io::Error::other("there is no interpreter"));
        };
        let process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?))
            .spawn()?;
        Ok(Self {
            process,
            line: UnixStream::from_std(ours)?,
            received: Vec::new(),
            handles: VecDeque::new(),
        })
    }

    async fn greeting(&mut self) -> Result<Greeting> {
        match self.hear().await {
            Ok(Said::Greeting(greeting)) if greeting.version == VERSION => Ok(*greeting),
            Ok(Said::Greeting(greeting)) => {
                let text =
                    format!("the package speaks version {} of the children's protocol", greeting.version);
                Err(Error::new(Code::NoChildren, text)
                    .checked(format!("this program speaks version {VERSION}"))
                    .hint("pip install the package of the same release"))
            }
            Ok(Said::Failed(failure)) => {
                let mut error = Error::new(Code::AppImport, failure.message);
                for checked in failure.checked {
                    error = error.checked(checked);
                }
                Err(match failure.hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                })
            }
            Ok(Said::Made(_)) => {
                Err(Error::new(Code::NoChildren, "the first word of a zygote was no greeting"))
            }
            Err(error) => {
                let message = match self.process.try_wait() {
                    Ok(Some(status)) => format!("the process that imports the application ended: {status}"),
                    _ => "the process that imports the application ended".to_owned(),
                };
                Err(Error::new(Code::NoChildren, message)
                    .source(error)
                    .hint("run its import by hand: python -c 'import tasks'"))
            }
        }
    }

    /// Makes a child.
    pub(crate) async fn make(&mut self, order: Order, place: &Place) -> io::Result<Made> {
        let word = match order {
            Order::Fork => "fork",
            Order::Become => "become",
        };
        let frame = frame::encode_json(&serde_json::json!({ "make": word, "place": place }))?;
        tokio::io::AsyncWriteExt::write_all(&mut self.line, &frame).await?;
        let Said::Made(pid) = self.hear().await? else {
            return Err(io::Error::other("the zygote made no child"));
        };
        if self.handles.len() < HANDLES {
            return Err(io::Error::other("handles of the child are missing"));
        }
        let mut handles = self.handles.drain(..HANDLES);
        let mut next = || handles.next().ok_or_else(|| io::Error::other("a handle of the child is missing"));
        Ok(Made { pid, socket: next()?, output: next()?, note: next()?, process: next()? })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives up the line; the process goes on as the child that it has become.
    pub(crate) fn release(self) -> Child {
        let Self { process, .. } = self;
        process
    }

    async fn hear(&mut self) -> io::Result<Said> {
        loop {
            if let Some(length) =
                frame::length(&self.received)?.filter(|length| self.received.len() >= *length)
            {
                let said = frame::decode_json(&self.received[..length]);
                self.received.drain(..length);
                return said;
            }
            if self.receive().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn receive(&mut self) -> io::Result<usize> {
        let Self { line, received, handles, .. } = self;
        line.async_io(Interest::READABLE, || receive(line, received, handles)).await
    }

    /// Ends the process. What it made lives on.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn receive(line: &UnixStream, received: &mut Vec<u8>, handles: &mut VecDeque<OwnedFd>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDLES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; READ_AT_A_TIME];
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let got = rustix::net::recvmsg(line, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            handles.extend(fds);
        }
    }
    if got.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other("handles of a child were cut off: too many files are open"));
    }
    received.extend_from_slice(&bytes[..got.bytes]);
    Ok(got.bytes)
}

fn cannot_start(command: &[OsString], error: &io::Error) -> Error {
    let program = command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
    Error::new(Code::NoChildren, format!("cannot start {program}"))
        .checked(error.to_string())
        .hint("name the interpreter that has the package: cardoon worker --python PATH")
}
