use std::ffi::OsString;

use cardoon_errors::{Error, Language, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, Sources};

use crate::arguments::{Arguments, Global};
use crate::failure;
use crate::output::{Format, Output};
use crate::stores::{self, Stores, Urls};
use crate::talk::Talk;

/// What every command works with.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
    pub(crate) language: Language,
    pub(crate) clock: Clock,
    /// The Python application, and the interpreter that has it.
    pub(crate) app: Option<String>,
    pub(crate) python: Option<OsString>,
}

impl Session {
    /// Reads the settings; connects to nothing.
    pub(crate) fn begin(arguments: &Arguments) -> Result<Self> {
        let Global { quiet, output, .. } = arguments.global;
        let language = arguments.language();
        let settings = Settings::load(&Sources::of_process(arguments.flags()))?;
        for file in settings.exposed_files() {
            let file = file.display();
            tracing::warn!(%file, "everybody on this machine may read this file of a secret: chmod 600");
        }
        Ok(Self {
            settings,
            output: Output::new(output, language),
            talk: Talk::new(quiet, language),
            language,
            clock: Clock::real(),
            app: arguments.global.app.clone(),
            python: arguments.global.python.clone(),
        })
    }

    /// Shows an error that does not end the command.
    pub(crate) fn tell(&self, error: &Error) {
        failure::print(error, self.language, Format::Table);
    }

    /// What a message may demand.
    pub(crate) fn limits(&self) -> Limits {
        limits(&self.settings)
    }

    /// Connects to the stores of the settings. A database that does not exist is made.
    pub(crate) async fn connect(&self) -> Result<Stores> {
        self.connect_at(&self.settings).await
    }

    /// Connects to the stores of `settings`. A database that does not exist is made.
    pub(crate) async fn connect_at(&self, settings: &Settings) -> Result<Stores> {
        let urls = Urls::of(settings)?;
        let is_new = urls.missing_file().is_some();
        let stores = urls.connect(settings, &self.clock).await?;
        if is_new {
            // The database of another folder may be meant.
            let location = &stores.location;
            self.talk.say(format!("new database  {location}"), format!("新数据库  {location}"));
        }
        Ok(stores)
    }

    /// Connects to the stores of the settings to look at what is there. A database that does not exist is not made.
    pub(crate) async fn connect_to_look(&self) -> Result<Stores> {
        let urls = Urls::of(&self.settings)?;
        match urls.missing_file() {
            None => urls.connect(&self.settings, &self.clock).await,
            Some(path) => Err(stores::no_database(&path)),
        }
    }
}

/// What the settings allow a message to demand.
pub(crate) fn limits(settings: &Settings) -> Limits {
    Limits {
        max_bytes: usize::try_from(settings.limits.message_size.0).unwrap_or(usize::MAX),
        max_depth: settings.limits.message_depth.get() as usize,
    }
}
