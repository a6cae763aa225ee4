use std::io::{self, BufWriter};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cardoon_frame::PythonFunction;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::frame;
use super::words::Words;
use crate::python::failure::{Raised, Unlike};
use crate::python::settings::Python;

/// A process of Python, with a thread that talks to it. It is killed when this is dropped, whatever it does.
pub(super) struct Child {
    process: Arc<Mutex<std::process::Child>>,
    orders: Sender<Order>,
}

/// What a child is to do.
struct Order {
    function: Arc<PythonFunction>,
    first_row: u64,
    rows: Arc<Vec<u8>>,
    answer: oneshot::Sender<Result<Answer, Death>>,
}

/// What a child says of a chunk.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A stream of Arrow.
    Rows(Vec<u8>),
    Raised(Raised),
    Unlike(Unlike),
    /// It is this version of Python, which cannot read the function.
    OtherPython(String),
}

/// How a child has ended.
#[derive(Debug)]
pub(crate) struct Death {
    /// Whether it had ever been ready to work.
    pub(crate) was_ready: bool,
    pub(crate) how: String,
    /// What it wrote last to standard error.
    pub(crate) said: String,
}

/// What a child says when it is ready.
#[derive(Deserialize)]
struct Greeting {
    python: String,
}

impl Child {
    pub(super) fn start(python: &Python) -> io::Result<Self> {
        let mut process = Command::new(&python.program)
            .args(&python.words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let process = Arc::new(Mutex::new(process));
        let (orders, given) = channel();
        // Whatever fails from here on, it is killed.
        let child = Self { process: process.clone(), orders };
        let words = Words::of(stderr)?;
        let stdin = Some(BufWriter::new(stdin));
        let talk = Talk { process, stdin, stdout, words, python: None, knows: None };
        thread::Builder::new().name("cardoon-python".to_owned()).spawn(move || talk.carry_out(&given))?;
        Ok(child)
    }

    /// Has it call `function`. It may be asked again after any answer but death.
    pub(super) async fn ask(
        &self,
        function: Arc<PythonFunction>,
        first_row: u64,
        rows: Arc<Vec<u8>>,
    ) -> Result<Answer, Death> {
        let (answer, answered) = oneshot::channel();
        // If its thread is gone, the answer is dropped with the order.
        let _ = self.orders.send(Order { function, first_row, rows, answer });
        let lost = |_| Death { was_ready: true, how: "its thread has ended".to_owned(), said: String::new() };
        answered.await.unwrap_or_else(|error| Err(lost(error)))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Who holds the lock waits for it to end already.
        if let Ok(mut process) = self.process.try_lock() {
            // It may have ended by itself.
            let _ = process.kill();
        }
    }
}

/// The thread's side.
struct Talk {
    process: Arc<Mutex<std::process::Child>>,
    /// Nothing when it is to end.
    stdin: Option<BufWriter<ChildStdin>>,
    stdout: ChildStdout,
    words: Words,
    /// Its version of Python, since it is ready.
    python: Option<String>,
    /// The function that it was given last.
    knows: Option<Arc<PythonFunction>>,
}

impl Talk {
    /// Until nobody has orders any more, or the child has ended.
    fn carry_out(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            let answer = self.answer(&order);
            let is_dead = answer.is_err();
            let answer = answer.map_err(|error| self.death(&error));
            // Nobody may want it any more.
            let _ = order.answer.send(answer);
            if is_dead {
                return;
            }
        }
        // Nobody asks how it ended.
        let _ = self.wait();
    }

    fn answer(&mut self, Order { function, first_row, rows, .. }: &Order) -> io::Result<Answer> {
        let python = self.python()?;
        if python != function.python {
            return Ok(Answer::OtherPython(python));
        }
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if self.knows.as_ref() != Some(function) {
            frame::write(stdin, b'F', &[function.call.as_bytes()])?;
            self.knows = Some(function.clone());
        }
        frame::write(stdin, b'C', &[&first_row.to_le_bytes(), rows])?;
        let (kind, bytes) = frame::read(&mut self.stdout)?;
        match kind {
            b'R' => Ok(Answer::Rows(bytes)),
            b'X' => Ok(Answer::Raised(serde_json::from_slice(&bytes)?)),
            b'W' => Ok(Answer::Unlike(serde_json::from_slice(&bytes)?)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn python(&mut self) -> io::Result<String> {
        if self.python.is_none() {
            let (kind, bytes) = frame::read(&mut self.stdout)?;
            if kind != b'H' {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.python = Some(serde_json::from_slice::<Greeting>(&bytes)?.python);
        }
        Ok(self.python.clone().unwrap_or_default())
    }

    /// What became of a child that `error` was met with.
    fn death(&mut self, error: &io::Error) -> Death {
        let was_ready = self.python.is_some();
        let is_gone = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
        if !is_gone {
            self.kill();
        }
        let status = self.wait();
        let how = match status {
            Ok(status) if is_gone => status.to_string(),
            _ => error.to_string(),
        };
        Death { was_ready, how, said: self.words.last() }
    }

    fn kill(&self) {
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// One that lives still has been killed, or ends with its input.
    fn wait(&mut self) -> io::Result<std::process::ExitStatus> {
        self.stdin = None;
        self.process.lock().unwrap_or_else(PoisonError::into_inner).wait()
    }
}
