//! The terminal, which is given back as it was whatever happens.

use std::io;

use cardoon_errors::{Code, Error, Result};
use ratatui::DefaultTerminal;

use super::draw::Frames;
use super::model::Model;

/// The terminal while it shows the view. A panic, and a command that is broken off by a signal, give it back too.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    pub(super) fn open() -> Result<Self> {
        ratatui::try_init().map(Self).map_err(failed)
    }

    pub(super) fn draw(&mut self, frames: &Frames<'_>, model: &Model) -> Result<()> {
        self.0.draw(|frame| frames.draw(frame, model)).map(drop).map_err(failed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left to be told that the terminal is gone.
        let _ = ratatui::try_restore();
    }
}

pub(super) fn failed(error: io::Error) -> Error {
    Error::new(Code::OutputFailed, "the terminal cannot be used")
        .source(error)
        .hint("without a terminal: cardoon top -o json")
}
