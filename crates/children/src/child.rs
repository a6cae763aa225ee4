//! The supervisor's end of one child.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as Socket;

use bytes::{Buf, Bytes, BytesMut};
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus};
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use crate::frame;
use crate::note::Note;
use crate::output::Lines;
use crate::zygote::Made;

/// So much of what a child prints is read at a time, in bytes.
const OUTPUT_READ: usize = 64 * 1024;

/// A child's socket, output, note and process.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: u32,
    pub(crate) note: Note,
    socket: UnixStream,
    output: pipe::Receiver,
    process: AsyncFd<OwnedFd>,
}

/// Frames that did not fit into the socket yet.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(VecDeque<Bytes>);

impl Child {
    pub(crate) fn new(made: Made) -> io::Result<Self> {
        let socket = Socket::from(made.socket);
        socket.set_nonblocking(true)?;
        rustix::fs::fcntl_setfl(&made.output, rustix::fs::OFlags::NONBLOCK)?;
        Ok(Self {
            pid: made.pid,
            note: Note::new(File::from(made.note)),
            socket: UnixStream::from_std(socket)?,
            output: pipe::Receiver::from_owned_fd(made.output)?,
            process: watch(made.process)?,
        })
    }

    /// Writes as much as the socket takes now. True if all of it is written.
    pub(crate) fn write(&self, outgoing: &mut Outgoing) -> io::Result<bool> {
        while let Some(frame) = outgoing.0.front_mut() {
            match self.socket.try_write(frame) {
                Ok(written) => frame.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if frame.is_empty() {
                outgoing.0.pop_front();
            }
        }
        Ok(true)
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// The next frame, if a whole one has come. `Ok(None)`: not yet. `last`: the child is dead, and what is not here now
    /// never comes.
    pub(crate) fn frame(&self, received: &mut BytesMut, last: bool) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(length) = frame::length(received)?.filter(|length| received.len() >= *length) {
                return Ok(Some(received.split_to(length).freeze()));
            }
            let read = match self.socket.try_read_buf(received) {
                Err(error) if last && error.kind() == io::ErrorKind::WouldBlock => {
                    read_now(&self.socket, received)
                }
                read => read,
            };
            match read {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) async fn printed(&self) -> io::Result<()> {
        self.output.readable().await
    }

    /// Reads what was printed, a piece of it. `Ok(false)`: nothing more is there now. An error when nobody can print any
    /// more.
    pub(crate) fn read_output(&self, lines: &mut Lines) -> io::Result<bool> {
        let buffer = lines.buffer();
        buffer.reserve(OUTPUT_READ);
        let read = match self.output.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => read_now(&self.output, buffer),
            read => read,
        };
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until the process has died.
    pub(crate) async fn dead(&self) -> io::Result<()> {
        self.process.readable().await.map(drop)
    }

    /// How a dead process ended, in words. It is a child of this process by adoption.
    pub(crate) fn bury(&self) -> String {
        let id = WaitId::PidFd(self.process.get_ref().as_fd());
        match rustix::process::waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(status)) => in_words(&status),
            _ => "it ended, nobody knows how".to_owned(),
        }
    }

    pub(crate) fn kill(&self) {
        // One that is dead already needs no kill.
        let _ = rustix::process::pidfd_send_signal(self.process.get_ref(), Signal::KILL);
    }
}

/// Reads what is there. The runtime says that nothing is there until it has heard from the kernel, which may be later than
/// another descriptor tells of what comes after it.
fn read_now(source: &impl AsFd, buffer: &mut BytesMut) -> io::Result<usize> {
    let filled = buffer.len();
    buffer.resize(filled + OUTPUT_READ, 0);
    let read = rustix::io::read(source, &mut buffer[filled..]);
    buffer.truncate(filled + read.unwrap_or(0));
    Ok(read?)
}

/// The descriptor is owned by what watches it, so it cannot be closed or replaced before.
#[expect(deprecated, reason = "its successor is unsafe to call, and nothing here needs that")]
fn watch(process: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(process)
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, frame: Vec<u8>) {
        self.0.push_back(frame.into());
    }
}

fn in_words(status: &WaitIdStatus) -> String {
    match (status.terminating_signal(), status.exit_status()) {
        (Some(signal), _) => format!("signal {signal}{}", signal_name(signal)),
        (None, Some(status)) => format!("exit status {status}"),
        (None, None) => "it ended, nobody knows how".to_owned(),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (illegal instruction)",
        6 => " (abort)",
        7 => " (bus error)",
        8 => " (arithmetic error)",
        9 => " (killed, by somebody or for want of memory)",
        11 => " (segmentation fault)",
        15 => " (terminated)",
        _ => "",
    }
}
