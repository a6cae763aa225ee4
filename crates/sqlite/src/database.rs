//! One open database file of this process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, ServiceKind, Supervisor};

use crate::failure;
use crate::guard::{self, Identity};
use crate::layout::{self, Purpose};
use crate::live::{Bell, Bells, Listener, LiveFolder, Local};
use crate::options::SqliteOptions;
use crate::ports::{Following, Waiters};
use crate::readers::Readers;
use crate::turn::Turn;
use crate::writer::{Writer, WriterParts, writer};

/// The databases that this process has open: one each, however often it is asked for.
static OPEN: Mutex<Vec<Weak<Database>>> = Mutex::new(Vec::new());

pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) options: SqliteOptions,
    pub(crate) clock: Clock,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) live: Arc<LiveFolder>,
    pub(crate) bells: Arc<Bells>,
    pub(crate) local: Arc<Local>,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) identity: Arc<Identity>,
    listener: Arc<Listener>,
    services: Supervisor,
    /// Streams of events that are open.
    streams: AtomicUsize,
    users: AtomicUsize,
}

impl Database {
    /// Opens the file at `path`, or joins those of this process who have it open. The caller counts as a user of it
    /// until [`Self::leave`].
    pub(crate) fn open(path: &Path, options: &SqliteOptions, clock: &Clock) -> Result<Arc<Self>> {
        guard::check_sqlite_version()?;
        let path = canonical(path)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|known| known.strong_count() > 0);
        for known in open.iter().filter_map(Weak::upgrade).filter(|known| known.path == path) {
            // SQLite would take the locks of the process before the fork for its own.
            known.identity.check_process()?;
            if known.is_usable() {
                known.users.fetch_add(1, Ordering::Relaxed);
                return Ok(known);
            }
        }
        let opened = Arc::new(Self::open_file(path, options.clone(), clock.clone())?);
        open.push(Arc::downgrade(&opened));
        Ok(opened)
    }

    fn open_file(path: PathBuf, options: SqliteOptions, clock: Clock) -> Result<Self> {
        if !options.allow_network_filesystem {
            guard::check_filesystem(path.parent().unwrap_or(&path))?;
        }
        let db = layout::connect(&path, &options, Purpose::Write)?;
        layout::check_owner(&db, &path)?;
        let live = Arc::new(LiveFolder::of(&path)?);
        let opening = live.lock_opening(options.busy_limit)?;
        layout::prepare(&db, &path, options.busy_limit)?;
        layout::check_owner(&db, &path)?;
        layout::limit_size(&db, &options)
            .map_err(|error| failure::of_sqlite(error, &path, "limit the size"))?;
        // From here on the writer waits itself, and takes turns with the writers of other processes.
        db.busy_timeout(Duration::ZERO)
            .map_err(|error| failure::of_sqlite(error, &path, "open the database"))?;
        let identity = Arc::new(Identity::of(&path)?);
        drop(opening);
        let bells = Arc::new(Bells::new(Arc::clone(&live), clock.clone()));
        let services = Supervisor::new();
        let (writer, thread) = writer(WriterParts {
            db,
            identity: Arc::clone(&identity),
            options: options.clone(),
            path: path.clone(),
            clock: clock.clone(),
            turn: Turn::new(live.file("turn")?),
            bells: Arc::clone(&bells),
        });
        start(&services, ServiceKind::StoreWriter, move || thread.serve())?;
        Ok(Self {
            readers: Readers::new(path.clone(), options.clone(), Arc::clone(&identity)),
            listener: Arc::new(Listener::new(Arc::clone(&live), options.safety_net)),
            local: Arc::default(),
            waiters: Arc::default(),
            streams: AtomicUsize::new(0),
            users: AtomicUsize::new(1),
            path,
            options,
            clock,
            writer,
            live,
            bells,
            identity,
            services,
        })
    }

    fn is_usable(&self) -> bool {
        self.users.load(Ordering::Relaxed) > 0
            && self.writer.gone().is_none()
            && self.identity.check_files().is_ok()
    }

    /// One user less. The last one closes the file; answers whether that was the caller.
    pub(crate) fn leave(&self) -> bool {
        // The lock keeps this apart from an open that would join.
        let _open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.users.fetch_sub(1, Ordering::Relaxed) == 1;
        if last {
            self.listener.close();
            self.local.ring(Bell::ALL);
            self.readers.close();
            self.writer.stop();
        }
        last
    }

    /// Whether its last user has left.
    pub(crate) fn is_left(&self) -> bool {
        self.users.load(Ordering::Relaxed) == 0
    }

    /// Is rung for `kinds`, from now on and before this returns.
    pub(crate) fn listen(&self, kinds: Bell) -> Result<()> {
        let Some(socket) = self.listener.add(kinds)? else { return Ok(()) };
        let following = Following {
            path: self.path.clone(),
            options: self.options.clone(),
            listener: Arc::clone(&self.listener),
            local: Arc::clone(&self.local),
            waiters: Arc::clone(&self.waiters),
            identity: Arc::clone(&self.identity),
            writer: self.writer.clone(),
            socket,
        };
        start(&self.services, ServiceKind::StoreListener, move || following.serve())
    }

    pub(crate) fn open_stream(&self) -> Result<()> {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.listen(Bell::EVENT)
    }

    pub(crate) fn close_stream(&self) {
        if self.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.listener.remove(Bell::EVENT);
        }
    }

    /// Fails when the file cannot be used any more.
    pub(crate) fn check(&self) -> Result<()> {
        self.identity.check_process()?;
        self.writer.gone().map_or(Ok(()), |error| Err(error.clone()))
    }
}

fn start(services: &Supervisor, kind: ServiceKind, service: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = services.spawn_thread(kind, move |_stop| {
        service();
        Ok(())
    });
    started.map(drop).map_err(|error| {
        Error::new(Code::Internal, "a thread for the database could not be started").source(error)
    })
}

/// The path with which a file is known, whatever it is called by. Its folder is made if there is none, but not the ones
/// above it: a path of several folders that do not exist is rather a slip of the pen.
fn canonical(path: &Path) -> Result<PathBuf> {
    if let Ok(known) = path.canonicalize() {
        return Ok(known);
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let resolve = || {
        match std::fs::create_dir(folder) {
            Err(error) if !folder.is_dir() => return Err(error),
            _ => {}
        }
        let name = path.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
        Ok(folder.canonicalize()?.join(name))
    };
    resolve().map_err(|error| failure::of_file(error, folder, "open the folder"))
}
