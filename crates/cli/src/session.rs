use cardoon_errors::{Language, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, Sources};

use crate::arguments::{Arguments, Global};
use crate::output::Output;
use crate::stores::{self, Stores};
use crate::talk::Talk;

/// What every command works with.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
    pub(crate) language: Language,
    pub(crate) clock: Clock,
}

impl Session {
    /// Reads the settings; connects to nothing.
    pub(crate) fn begin(arguments: &Arguments) -> Result<Self> {
        let Global { quiet, output, .. } = arguments.global;
        Ok(Self {
            settings: Settings::load(&Sources::of_process(arguments.flags()))?,
            output: Output::new(output),
            talk: Talk::new(quiet),
            language: arguments.language(),
            clock: Clock::real(),
        })
    }

    /// What a message may demand.
    pub(crate) fn limits(&self) -> Limits {
        limits(&self.settings)
    }

    /// Connects to the stores of the settings.
    pub(crate) async fn connect(&self) -> Result<Stores> {
        stores::connect(&self.settings, &self.clock, self.talk).await
    }
}

/// What the settings allow a message to demand.
pub(crate) fn limits(settings: &Settings) -> Limits {
    Limits {
        max_bytes: usize::try_from(settings.limits.message_size.0).unwrap_or(usize::MAX),
        max_depth: settings.limits.message_depth.get() as usize,
    }
}
