use std::path::PathBuf;

use cardoon_errors::{Code, Error, Result};
use cardoon_worker::Lane;
use clap::ValueEnum;

/// Options of a worker that runs Python tasks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Python tasks")]
#[group(skip)]
pub(crate) struct Options {
    /// How tasks run: processes, threads, or asyncio
    #[arg(short = 'P', long, value_name = "POOL")]
    pub(super) pool: Option<String>,
    /// Replace a child after so many tasks
    #[arg(long, value_name = "N")]
    pub(super) max_tasks_per_child: Option<u64>,
    /// Replace a child that has grown larger, in KiB
    #[arg(long, value_name = "KIB")]
    pub(super) max_memory_per_child: Option<u64>,
    /// How children are made
    #[arg(long, value_name = "HOW", value_enum, default_value = "auto")]
    pub(super) start_method: StartMethod,
    /// Grow and shrink between two numbers of children: 10,3
    #[arg(long, value_name = "MAX,MIN")]
    pub(super) autoscale: Option<String>,
    /// Work in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) workdir: Option<PathBuf>,
    /// Import these modules too, which define tasks: mail,shop.orders
    #[arg(short = 'I', long, value_name = "MODULES")]
    pub(super) include: Option<String>,
    #[command(flatten)]
    ignored: Ignored,
    /// What else stands on the line
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Celery's options that mean nothing here, so that its command lines work as they are.
#[derive(Debug, clap::Args)]
struct Ignored {
    #[arg(
        long = "without-gossip",
        aliases = ["without-mingle", "without-heartbeat", "disable-prefetch", "skip-checks", "no-color"],
        action = clap::ArgAction::Count,
        hide = true
    )]
    switches: u8,
    #[arg(short = 'O', value_name = "HOW", hide = true)]
    optimization: Option<String>,
    #[arg(long, value_name = "N", hide = true)]
    prefetch_multiplier: Option<u64>,
    #[arg(long, value_name = "SECONDS", hide = true)]
    heartbeat_interval: Option<f64>,
    /// Revokes are stored with the tasks.
    #[arg(short = 'S', long, value_name = "FILE", hide = true)]
    statedb: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StartMethod {
    /// Fork, unless importing the application starts threads
    Auto,
    Fork,
    Spawn,
}

/// How tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    /// Children that run one task at a time each.
    Processes,
    /// One such child.
    Solo,
    /// One child with a thread for each slot.
    Threads,
    /// One child with a coroutine for each slot.
    Asyncio,
}

impl Options {
    /// The least and the most children, if their number is to follow the load.
    pub(super) fn autoscale(&self, pool: Pool) -> Result<Option<(u32, u32)>> {
        let Some(text) = &self.autoscale else { return Ok(None) };
        if pool != Pool::Processes {
            return Err(Error::new(Code::BadInput, "only a pool of processes grows and shrinks")
                .hint("leave --autoscale out, and give --concurrency what one child may run at once"));
        }
        let numbers: Option<Vec<u32>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some([most]) if *most > 0 => Ok(Some((1, *most))),
            Some([most, least]) if *most > 0 && least <= most => Ok(Some(((*least).max(1), *most))),
            _ => Err(Error::new(Code::BadInput, format!("--autoscale {text} cannot be read"))
                .hint("write the most and the least children: --autoscale 10,3")),
        }
    }

    /// Works in the folder that is asked for.
    pub(in crate::commands) fn enter_workdir(&self) -> Result<()> {
        let Some(folder) = &self.workdir else { return Ok(()) };
        std::env::set_current_dir(folder).map_err(|error| {
            let message = format!("cannot work in the folder {}", folder.display());
            Error::new(Code::BadInput, message).source(error)
        })
    }

    /// Words that are no options. The tutorials of the field write `loglevel=info` without its dashes.
    pub(in crate::commands) fn check_words(&self) -> Result<()> {
        let Some(word) = self.words.first() else { return Ok(()) };
        let error = Error::new(Code::BadInput, format!("`{word}` is no option of a worker"));
        Err(match word.split_once('=') {
            Some((name, value)) => error.hint(format!("write it with its dashes: --{name}={value}")),
            None => error.hint("cardoon worker --help"),
        })
    }
}

impl Pool {
    /// What a run is to a child of this pool.
    pub(super) fn lane(self) -> Lane {
        match self {
            Self::Processes | Self::Solo => Lane::Process,
            Self::Threads => Lane::Thread,
            Self::Asyncio => Lane::Future,
        }
    }

    pub(super) const NAMES: &str = "processes, threads, asyncio";

    /// The pool of this name; Celery's names for them count too.
    pub(super) fn named(name: &str) -> Result<Self> {
        match name {
            "processes" | "prefork" | "process" => Ok(Self::Processes),
            "solo" => Ok(Self::Solo),
            "threads" | "thread" => Ok(Self::Threads),
            "asyncio" | "async" => Ok(Self::Asyncio),
            green @ ("gevent" | "eventlet") => {
                Err(Error::new(Code::NoSuchPool, format!("there is no pool {green} here"))
                    .checked(format!("pools: {}", Self::NAMES))
                    .hint("tasks that wait for the network: -P threads; `async def` tasks: -P asyncio"))
            }
            other => Err(Error::new(Code::NoSuchPool, format!("there is no pool named {other}"))
                .hint(format!("choose one of {}", Self::NAMES))),
        }
    }
}
