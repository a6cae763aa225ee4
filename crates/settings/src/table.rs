//! The one table of settings.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardoon_errors::Result;

use crate::entry::{Definition, Entry, Origin};
use crate::secret::{self, Password};
use crate::sources::{Layers, Sources};
use crate::units::ByteSize;
use crate::url::StoreUrl;
use crate::value::{Ack, LogFormat, LogLevel, Value};

macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Section:ident {
            $( $(#[doc = $description:literal])+ $key:ident: $type:ty = $default:literal; )*
        }
    )*) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section {
                $(
                    $(#[doc = $description])+
                    #[doc = concat!(" Default: `", $default, "`.")]
                    pub $key: $type,
                )*
            }
        )*

        /// All settings, checked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $( $(#[doc = $about])+ pub $section: $Section, )*
            origins: Vec<Origin>,
            exposed: Vec<PathBuf>,
        }

        impl Settings {
            /// All settings that exist, in the order of the table.
            pub const TABLE: &'static [Definition] = &[$($(
                Definition {
                    name: concat!(stringify!($section), ".", stringify!($key)),
                    default: $default,
                    description: concat!($($description),+).trim_ascii(),
                    forms: <$type as Value>::FORMS,
                    secret: <$type as Value>::SECRET,
                },
            )*)*];

            fn from_layers(mut layers: Layers) -> Result<Self> {
                Ok(Self {
                    $( $section: $Section {
                        $( $key: layers.take::<$type>(concat!(stringify!($section), ".", stringify!($key)))?, )*
                    }, )*
                    exposed: layers.exposed(),
                    origins: layers.into_origins(),
                })
            }

            fn shown_values(&self) -> Vec<String> {
                vec![$($( self.$section.$key.show(), )*)*]
            }
        }
    };
}

settings! {
    /// Where messages wait.
    broker: Broker {
        /// URL of the store of messages; `none` is the database of the project's folder.
        url: Option<StoreUrl> = "none";
        /// The password, for a URL that has none; best in a file of its own.
        password: Option<Password> = "none";
    }
    /// Where results are kept.
    results: Results {
        /// URL of the store of results; `none` is the broker's.
        url: Option<StoreUrl> = "none";
        /// The password, for a URL that has none; best in a file of its own.
        password: Option<Password> = "none";
    }
    /// How a worker works.
    worker: Worker {
        /// Its name, as others see it; `none` makes one of the host's name and the process id.
        name: Option<String> = "none";
        /// The queues that it takes from, in turn.
        queues: Vec<String> = "celery";
        /// How many tasks it executes at once; `none` is as many as there are processors.
        concurrency: Option<NonZeroU32> = "none";
        /// How long running tasks may take to finish after the first signal.
        grace: Duration = "25s";
        /// Leases of a worker that has been silent for this long pass to others.
        lease: Duration = "15s";
        /// How often it says that it is alive; at most a third of the lease.
        heartbeat: Duration = "3s";
        /// A task that runs longer is told, unless it has a limit of its own.
        soft_time_limit: Option<Duration> = "none";
        /// A task that runs longer is ended, unless it has a limit of its own.
        time_limit: Option<Duration> = "none";
        /// When a task is acknowledged, unless it says so itself.
        ack: Ack = "late";
        /// Publish events also while nobody listens.
        events: bool = "false";
    }
    /// What follows a failed attempt, unless the task says so itself.
    retry: Retry {
        /// Attempts after the first one; 0 turns retries off.
        max: u32 = "3";
        /// The delay before the first retry; each further one doubles it.
        base: Duration = "1s";
        /// No delay is longer.
        cap: Duration = "10m";
        /// Draw each delay between zero and its full length.
        jitter: bool = "true";
    }
    /// How long the past is kept.
    retention: Retention {
        /// Results.
        results: Duration = "1d";
        /// Dead letters.
        dead: Duration = "14d";
        /// The history of runs.
        history: Duration = "7d";
        /// Keep it on Redis too, where it costs a round trip for each batch of ended runs, and memory.
        redis_history: bool = "false";
    }
    /// What is accepted.
    limits: Limits {
        /// Largest message, decoded.
        message_size: ByteSize = "16MiB";
        /// Deepest nesting of a message's JSON.
        message_depth: NonZeroU32 = "128";
    }
    /// Tasks over HTTP.
    gateway: Gateway {
        /// The address and the port that it listens on.
        listen: SocketAddr = "127.0.0.1:8765";
        /// The file of its tokens; `none` is `tokens.json` beside the database of the project's folder.
        tokens: Option<String> = "none";
        /// Largest body of a request.
        body_limit: ByteSize = "1MiB";
        /// Connections at a time; further ones are turned away.
        connections: NonZeroU32 = "4096";
    }
    /// What is logged, and how.
    log: Log {
        /// The least urgent lines; `none` leaves it to the command: workers and schedulers say `info`, others `warn`.
        level: Option<LogLevel> = "none";
        /// The form of the lines.
        format: LogFormat = "pretty";
    }
}

/// The defaults alone: neither the environment nor a file is read.
impl Default for Settings {
    fn default() -> Self {
        Self::load(&Sources::default()).expect("the defaults of the table can be read")
    }
}

impl Settings {
    /// Reads all sources and checks every value.
    ///
    /// # Errors
    /// `CD4001` for a name that is no setting, `CD4002` for a value that cannot be read, `CD4003` for a file that
    /// cannot be read, `CD4008` for the file of a secret that cannot be.
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut settings = Self::from_layers(Layers::gather(sources, Self::TABLE)?)?;
        settings.put_passwords_in()?;
        settings.checked()
    }

    /// Files of secrets that were read, and that everybody on this machine may read.
    pub fn exposed_files(&self) -> impl Iterator<Item = &Path> {
        self.exposed.iter().map(PathBuf::as_path)
    }

    /// Every setting with its value and origin, in the order of the table.
    pub fn entries(&self) -> Vec<Entry> {
        let values = self.shown_values().into_iter().zip(&self.origins);
        Self::TABLE
            .iter()
            .zip(values)
            .map(|(definition, (value, origin))| Entry {
                name: definition.name,
                value,
                origin: origin.clone(),
                default: definition.default,
                description: definition.description,
            })
            .collect()
    }

    /// Whether a flag, the environment or the file sets `name`, such as `worker.queues`.
    pub fn is_set(&self, name: &str) -> bool {
        *self.origin(name) != Origin::Default
    }

    /// Whether a flag of the command line sets `name`.
    pub fn is_flag(&self, name: &str) -> bool {
        matches!(self.origin(name), Origin::Flag(_))
    }

    fn origin(&self, name: &str) -> &Origin {
        let mut names = Self::TABLE.iter().map(|definition| definition.name);
        names.position(|known| known == name).map_or(&Origin::Default, |place| &self.origins[place])
    }

    fn put_passwords_in(&mut self) -> Result<()> {
        let origins = [self.origin("broker.url"), self.origin("broker.password")].map(Clone::clone);
        secret::put_in("broker", &mut self.broker.url, self.broker.password.as_ref(), &origins)?;
        let origins = [self.origin("results.url"), self.origin("results.password")].map(Clone::clone);
        secret::put_in("results", &mut self.results.url, self.results.password.as_ref(), &origins)
    }

    /// A lease that two missed heartbeats would end makes living workers look dead.
    fn checked(self) -> Result<Self> {
        if self.worker.heartbeat.is_zero() || self.worker.heartbeat * 3 > self.worker.lease {
            let lease = self.worker.lease.show();
            let message = format!(
                "worker.heartbeat is {}, which is zero or more than a third of worker.lease",
                self.worker.heartbeat.show()
            );
            return Err(cardoon_errors::Error::new(cardoon_errors::Code::BadSetting, message)
                .checked(format!("worker.lease: {lease}"))
                .hint("raise worker.lease or lower worker.heartbeat; see: cardoon settings show --origin"));
        }
        Ok(self)
    }
}
