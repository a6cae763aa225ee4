use std::collections::HashMap;
use std::mem::forget;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardoon_errors::{Code, Error, Result};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use super::bucket::Bucket;
use super::config::Config;
use super::failure;
use super::options::StoreOptions;

/// Threads that send and receive. They compute nothing but digests.
const THREADS: usize = 2;

/// Threads that look at files, each of which waits for the store most of the time.
const LOOKING: usize = 32;

/// What is read ahead by all who read, in mebibytes.
pub(super) const AHEAD: usize = 64;

static OF_PROCESS: Mutex<Option<Arc<Stores>>> = Mutex::new(None);

/// The name of options, if there are any, and that of a bucket.
type Name = (Option<String>, String);

/// The stores of this process: a client for each bucket, and the threads on which their requests run.
pub(crate) struct Stores {
    runtime: Runtime,
    buckets: Mutex<HashMap<Name, (Config, Bucket)>>,
    kept: Mutex<Vec<StoreOptions>>,
    ahead: Arc<Semaphore>,
    /// The one that made it.
    process: u32,
}

impl Stores {
    pub(crate) fn of_process() -> Result<Arc<Self>> {
        let mut known = OF_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stores) = known.as_ref().filter(|stores| stores.process == std::process::id()) {
            return Ok(stores.clone());
        }
        let kept = known.as_ref().map(|stores| stores.kept().clone()).unwrap_or_default();
        let made = Arc::new(Self::new(kept)?);
        // A fork has no threads that could end.
        forget(known.replace(made.clone()));
        Ok(made)
    }

    fn new(kept: Vec<StoreOptions>) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(LOOKING)
            .thread_name("cardoon-stores")
            .enable_all()
            .build()
            .map_err(|error| Error::new(Code::Internal, "cannot start a runtime").source(error))?;
        Ok(Self {
            runtime,
            buckets: Mutex::default(),
            kept: Mutex::new(kept),
            ahead: Arc::new(Semaphore::new(AHEAD)),
            process: std::process::id(),
        })
    }

    /// Keeps options, and answers their name. The same options have the same one.
    pub(super) fn keep(&self, options: StoreOptions) -> String {
        let mut kept = self.kept();
        let place = kept.iter().position(|known| *known == options).unwrap_or_else(|| {
            kept.push(options);
            kept.len() - 1
        });
        format!("options-{place}")
    }

    /// A bucket by its name and that of options. The environment is read each time, since a program may change it.
    pub(crate) fn bucket(&self, name: &str, options: Option<&str>) -> Result<Bucket> {
        let config = Config::read(&self.options(options)?, |name| std::env::var(name).ok())?;
        let key = (options.map(str::to_owned), name.to_owned());
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bucket)) = buckets.get(&key).filter(|(known, _)| *known == config) {
            return Ok(bucket.clone());
        }
        let client = config.client(name, self.handle()).map_err(|error| failure::of_config(&error))?;
        let bucket = Bucket::new(name, client, &config, self.handle().clone(), self.ahead.clone());
        buckets.insert(key, (config, bucket.clone()));
        Ok(bucket)
    }

    /// The threads on which requests run.
    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    fn options(&self, name: Option<&str>) -> Result<StoreOptions> {
        let Some(name) = name else { return Ok(StoreOptions::default()) };
        let place: Option<usize> = name.strip_prefix("options-").and_then(|place| place.parse().ok());
        place.and_then(|place| self.kept().get(place).cloned()).ok_or_else(|| {
            Error::new(Code::BadStoreOptions, "storage options are only known to the process that gave them")
        })
    }

    fn kept(&self) -> MutexGuard<'_, Vec<StoreOptions>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_by_their_name() {
        let stores = Stores::new(Vec::new()).unwrap();
        let options = |text| StoreOptions::from_json(text).unwrap();
        let (one, other) = (stores.keep(options(r#"{"anon": true}"#)), stores.keep(options("{}")));
        assert_ne!(one, other);
        assert_eq!(stores.keep(options(r#"{"anon": true}"#)), one);
        assert_eq!(stores.options(Some(&one)).unwrap(), options(r#"{"anon": true}"#));
        assert_eq!(stores.options(None).unwrap(), StoreOptions::default());
        for unknown in ["options-7", "x", ""] {
            assert_eq!(stores.options(Some(unknown)).unwrap_err().code(), Code::BadStoreOptions);
        }
    }
}
