//! The processes that functions run in.

mod child;
mod frame;
mod words;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_errors::Result;
use cardoon_frame::PythonFunction;
use tokio::sync::Semaphore;

pub(super) use child::Death;
use child::{Answer, Child};

use super::failure;
use super::settings::Python;
use crate::memory;

/// How many children are given a chunk, at most, that each of them dies of.
const ATTEMPTS: u32 = 3;

/// Children of one engine or executor. They are started when they are needed, kept for later queries, and end with this.
pub struct Children {
    python: Option<Python>,
    places: Semaphore,
    idle: Mutex<Vec<Child>>,
}

impl Children {
    /// Without `python` no function is carried out. `memory` is the limit of this process, of which rows on their way to
    /// children and back take a part.
    pub fn new(python: Option<Python>, memory: Option<u64>) -> Result<Self> {
        let pool = memory::pool(memory)?;
        let python = python.map(|python| python.within(pool));
        let places = python.as_ref().map_or(0, |python| python.children);
        Ok(Self { python, places: Semaphore::new(places), idle: Mutex::default() })
    }

    /// How chunks are to be made.
    pub(super) fn settings(&self, function: &PythonFunction) -> Result<&Python> {
        self.python.as_ref().ok_or_else(|| failure::not_allowed(function))
    }

    /// What `function` makes of rows in a stream of Arrow, as another one. A child that dies is replaced; whoever drops this
    /// kills the child.
    pub(super) async fn call(
        &self,
        function: &Arc<PythonFunction>,
        first_row: u64,
        rows: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let python = self.settings(function)?;
        let Ok(_place) = self.places.acquire().await else { return Err(failure::not_allowed(function)) };
        let rows = Arc::new(rows);
        let mut attempt = 1;
        loop {
            let child = self.child(python)?;
            match child.ask(function.clone(), first_row, rows.clone()).await {
                Ok(answer) => {
                    self.idle().push(child);
                    return said(function, answer);
                }
                Err(death) if !death.was_ready => return Err(failure::no_start(&program(python), &death)),
                Err(death) if attempt == ATTEMPTS => return Err(failure::died(function, attempt, &death)),
                Err(_) => attempt += 1,
            }
        }
    }

    fn child(&self, python: &Python) -> Result<Child> {
        if let Some(child) = self.idle().pop() {
            return Ok(child);
        }
        Child::start(python).map_err(|error| {
            let how = error.to_string();
            failure::no_start(&program(python), &Death { was_ready: false, how, said: String::new() })
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Child>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn said(function: &PythonFunction, answer: Answer) -> Result<Vec<u8>> {
    match answer {
        Answer::Rows(rows) => Ok(rows),
        Answer::Raised(raised) => Err(failure::raised(function, raised)),
        Answer::Unlike(unlike) => Err(failure::unlike(function, unlike)),
        Answer::OtherPython(found) => Err(failure::other_python(function, &found)),
    }
}

fn program(python: &Python) -> String {
    python.program.display().to_string()
}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Children").field("python", &self.python).finish_non_exhaustive()
    }
}
