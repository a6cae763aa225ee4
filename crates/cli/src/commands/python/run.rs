use std::ffi::OsString;

use cardoon::{App, Worker, WorkerHandle};
use cardoon_children::dispatch::{Kind, Shape};
use cardoon_children::{Options as PoolOptions, Prepared, StartMethod as Method};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{Settings, StoreUrl};
use cardoon_worker::{Lane, WorkerBuilder};

use super::application::Application;
use super::options::{Options, Pool, StartMethod};
use super::stores::with_stores;
use super::zygote;
use crate::commands::beat::Beside;
use crate::commands::worker::{self, introduce, until_told};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

/// More children than this are a mistake: a process takes megabytes.
const MOST_CHILDREN: usize = 1_000;

/// A worker of an application that does not run yet.
pub(in crate::commands) struct Ready {
    worker: Worker,
    stores: Stores,
    scheduler: Option<Beside>,
    signals: Signals,
}

impl Ready {
    pub(in crate::commands) fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Tells the worker to drain or to stop.
    pub(in crate::commands) fn handle(&self) -> WorkerHandle {
        self.worker.handle()
    }

    /// Runs the worker until it is told to stop.
    pub(in crate::commands) async fn until_told(self) -> Result<Exit> {
        let Self { worker, stores, scheduler, signals } = self;
        let ended = until_told(worker, &stores, signals);
        match scheduler {
            Some(scheduler) => scheduler.drive(ended).await,
            None => ended.await,
        }
    }
}

/// Makes a worker of the application. `sends_ticks`: it is to be a scheduler too.
pub(in crate::commands) async fn prepare(
    session: &Session,
    app: &str,
    options: &worker::Options,
    sends_ticks: bool,
) -> Result<Result<Ready, Exit>> {
    let python = &options.python;
    let mut signals = Signals::listen()?;
    let asked = python.pool.as_deref().map(Pool::named).transpose()?;
    let importing = Prepared::new(pool_options(session, app, python), session.clock.clone());
    let mut prepared = tokio::select! {
        imported = importing => imported?,
        asked = signals.next() => return Ok(Err(asked)),
    };
    if prepared.greeting().tasks.is_empty() {
        return Err(no_tasks(app));
    }
    let application = Application::read(&prepared.greeting().app)?;
    let pool = chosen(asked, &application)?;
    let range = python.autoscale(pool)?;
    set_shape(&mut prepared, session, python, &application, (pool, range))?;
    let settings = settings_of(session, options, &application, &mut prepared)?;
    let stores = session.connect_at(&settings).await?;
    greet(session, &application, &prepared);
    introduce(session, &settings.worker.queues, &stores);
    if options.purge {
        worker::purge(session, &settings.worker.queues, &stores).await?;
    }
    let scheduler = if sends_ticks {
        let file = options.beside.file.as_deref();
        Beside::new(session, file, (&application, prepared.greeting()), &stores)?
    } else {
        None
    };
    let worker = build(settings, &stores, prepared, (pool.lane(), range))?;
    Ok(Ok(Ready { worker, stores, scheduler, signals }))
}

/// The pool of the command line, or else of the application.
fn chosen(asked: Option<Pool>, application: &Application) -> Result<Pool> {
    match (asked, &application.pool) {
        (Some(pool), _) => Ok(pool),
        (None, Some(name)) => Pool::named(name),
        (None, None) => Ok(Pool::Processes),
    }
}

fn set_shape(
    prepared: &mut Prepared,
    session: &Session,
    options: &Options,
    application: &Application,
    (pool, range): (Pool, Option<(u32, u32)>),
) -> Result<()> {
    let mut shape = shape(session, options, application, pool);
    if let Some((least, _)) = range {
        shape.children = least as usize;
    }
    let most_children = range.map_or(shape.children, |(_, most)| most as usize);
    if most_children > MOST_CHILDREN {
        return Err(Error::new(Code::BadInput, format!("a worker has at most {MOST_CHILDREN} children"))
            .checked(format!("asked for: {most_children}"))
            .hint("for tasks that wait: -P threads or -P asyncio; for more processors: more workers"));
    }
    prepared.set_shape(shape);
    let most = options.max_memory_per_child.or(application.max_memory_per_child);
    prepared.set_max_memory(most.map(|kib| kib.saturating_mul(1024)));
    Ok(())
}

/// The settings of the session, completed by what the application says. The children learn of the stores.
fn settings_of(
    session: &Session,
    options: &worker::Options,
    application: &Application,
    prepared: &mut Prepared,
) -> Result<Settings> {
    let mut settings = with_stores(&session.settings, application);
    if !settings.is_set("worker.queues") {
        settings.worker.queues = queues(application, prepared);
    }
    options.leave_out_queues(&mut settings)?;
    let url = |url: &Option<StoreUrl>| url.as_ref().map(|url| url.expose().to_owned());
    prepared.set_stores(url(&settings.broker.url), url(&settings.results.url));
    Ok(settings)
}

fn build(
    settings: Settings,
    stores: &Stores,
    prepared: Prepared,
    (lane, range): (Lane, Option<(u32, u32)>),
) -> Result<Worker> {
    let queues = settings.worker.queues.clone();
    let (soft, hard) = (settings.worker.soft_time_limit, settings.worker.time_limit);
    let app = App::builder().settings(settings).with_stores(stores.clone().into());
    let builder = Worker::builder(&app).queues(&queues);
    let builder = builder.try_with(|inner| with_children(inner, prepared, lane, range))?;
    builder.with(|inner| inner.default_limits(soft, hard)).build()
}

fn no_tasks(app: &str) -> Error {
    Error::new(Code::NoTasks, "the application has no tasks")
        .checked(format!("application: {app}"))
        .hint("write @app.task above a function; tasks of other modules: --include")
}

fn pool_options(session: &Session, app: &str, options: &Options) -> PoolOptions {
    let mut command = zygote::command(session, app);
    command.extend(["--pool".into(), OsString::from(options.pool.as_deref().unwrap_or_default())]);
    if let Some(modules) = &options.include {
        command.extend(["--include".into(), OsString::from(modules)]);
    }
    PoolOptions {
        command,
        shape: Shape { children: 1, kind: Kind::Process, max_calls: None },
        start_method: match options.start_method {
            StartMethod::Auto => Method::Auto,
            StartMethod::Fork => Method::Fork,
            StartMethod::Spawn => Method::Spawn,
        },
        child_start: zygote::START,
        max_memory: None,
    }
}

/// The queues that the application names, or else its own; and those of its tasks.
fn queues(application: &Application, prepared: &Prepared) -> Vec<String> {
    let mut queues = application.queues.clone();
    if queues.is_empty() {
        queues.push(application.queue.clone().unwrap_or_else(|| "celery".to_owned()));
    }
    for queue in prepared.greeting().tasks.iter().filter_map(|task| task.queue.as_ref()) {
        if !queues.contains(queue) {
            queues.push(queue.clone());
        }
    }
    queues
}

fn with_children(
    builder: WorkerBuilder,
    children: Prepared,
    lane: Lane,
    range: Option<(u32, u32)>,
) -> Result<WorkerBuilder> {
    let builder = builder.children(children, lane)?;
    Ok(match range {
        Some((least, most)) => builder.autoscale(least, most),
        None => builder,
    })
}

fn shape(session: &Session, options: &Options, application: &Application, pool: Pool) -> Shape {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let set = session.settings.worker.concurrency.map(|slots| slots.get() as usize);
    let slots = set.or(application.concurrency.map(|slots| slots as usize));
    let max_calls = options.max_tasks_per_child.or(application.max_tasks_per_child).filter(|most| *most > 0);
    let (children, kind) = match pool {
        Pool::Processes => (slots.unwrap_or(processors).max(1), Kind::Process),
        Pool::Solo => (1, Kind::Process),
        Pool::Threads => (1, Kind::Threads { lanes: slots.unwrap_or(processors).max(1) }),
        Pool::Asyncio => (1, Kind::Loop { lanes: slots.unwrap_or(100).max(1) }),
    };
    Shape { children, kind, max_calls }
}

fn greet(session: &Session, application: &Application, prepared: &Prepared) {
    let greeting = prepared.greeting();
    let (name, language, tasks) = (&application.name, &greeting.language, greeting.tasks.len());
    let noun = if tasks == 1 { "task" } else { "tasks" };
    session.talk.say(
        format!("app       {name} ({tasks} {noun}, {language})"),
        format!("应用      {name}（{tasks} 个任务，{language}）"),
    );
    let mut names: Vec<&str> = greeting.tasks.iter().map(|task| task.name.as_str()).collect();
    names.sort_unstable();
    for name in names {
        let line = format!("          {}", crate::output::clean(name));
        session.talk.say(&line, &line);
    }
}
