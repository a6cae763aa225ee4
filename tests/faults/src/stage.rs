use std::path::{Path, PathBuf};

use cardoon_testkit::{RedisOptions, RedisServer};
use clap::ValueEnum;
use tempfile::TempDir;

/// Where a drill runs: with which worker program, on what kind of store.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// The executable of this package, which is started as `program worker SPEC`.
    pub program: &'a Path,
    pub store: StoreKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    Sqlite,
    Redis,
}

/// The store of one drill.
pub(crate) enum Store {
    Sqlite(PathBuf),
    Redis(Box<RedisServer>),
}

impl StoreKind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Redis];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
        }
    }

    pub(crate) async fn open(self, folder: &TempDir) -> anyhow::Result<Store> {
        Ok(match self {
            Self::Sqlite => Store::Sqlite(folder.path().join("cardoon.db")),
            Self::Redis => Store::redis(RedisOptions::default()).await?,
        })
    }
}

impl Store {
    pub(crate) async fn redis(options: RedisOptions) -> anyhow::Result<Self> {
        Ok(Self::Redis(Box::new(RedisServer::start_with(options).await?)))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(database) => format!("sqlite:{}", database.display()),
            Self::Redis(server) => server.url(),
        }
    }
}
