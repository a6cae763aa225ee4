use std::ffi::OsString;
use std::time::Duration;

use cardoon::{App, Worker};
use cardoon_children::dispatch::Shape;
use cardoon_children::{Options as PoolOptions, Prepared, StartMethod as Method};
use cardoon_errors::Result;
use cardoon_settings::{Settings, StoreUrl};
use cardoon_worker::Lane;

use super::Options;
use super::application::{Application, interpreter};
use super::options::{Pool, StartMethod};
use crate::commands::worker::{introduce, until_told};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;

/// How long an application may take to be imported, and a child to be ready.
const CHILD_START: Duration = Duration::from_mins(1);

/// Runs a worker of the application until it is told to stop.
pub(in crate::commands) async fn run(session: &Session, app: &str, options: &Options) -> Result<Exit> {
    let signals = Signals::listen()?;
    let asked = options.pool.as_deref().map(Pool::named).transpose()?;
    let mut importing = Prepared::new(pool_options(session, app, options), session.clock.clone()).await?;
    let application = Application::read(&importing.greeting().app)?;
    let pool = match (asked, &application.pool) {
        (Some(pool), _) => pool,
        (None, Some(name)) => Pool::named(name)?,
        (None, None) => Pool::Processes,
    };
    importing.set_shape(shape(session, options, &application, pool));
    importing.set_max_memory(
        options.max_memory_per_child.or(application.max_memory_per_child).map(|kib| kib * 1024),
    );
    let settings = with_stores(&session.settings, &application);
    let stores = session.connect_at(&settings).await?;
    let app = App::builder().settings(settings).with_stores(stores.clone().into());
    let lane = match pool {
        Pool::Processes => Lane::Process,
        Pool::Threads => Lane::Thread,
        Pool::Asyncio => Lane::Future,
    };
    greet(session, &application, &importing);
    introduce(session, &stores);
    let worker = Worker::builder(&app).try_with(|inner| inner.children(importing, lane))?.build()?;
    until_told(worker, &stores, signals).await
}

fn pool_options(session: &Session, app: &str, options: &Options) -> PoolOptions {
    let python = interpreter(session.python.as_deref()).into_os_string();
    let pool = options.pool.as_deref().unwrap_or_default();
    let command =
        [python, "-m".into(), "cardoon._zygote".into(), "--app".into(), app.into(), "--pool".into()];
    PoolOptions {
        command: command.into_iter().chain([OsString::from(pool)]).collect(),
        shape: Shape { children: 1, lanes: 1, max_calls: None },
        start_method: match options.start_method {
            StartMethod::Auto => Method::Auto,
            StartMethod::Fork => Method::Fork,
            StartMethod::Spawn => Method::Spawn,
        },
        child_start: CHILD_START,
        max_memory: None,
    }
}

fn shape(session: &Session, options: &Options, application: &Application, pool: Pool) -> Shape {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let set = session.settings.worker.concurrency.map(|slots| slots.get() as usize);
    let slots = set.or(application.concurrency.map(|slots| slots as usize));
    let max_calls = options.max_tasks_per_child.or(application.max_tasks_per_child).filter(|most| *most > 0);
    match pool {
        Pool::Processes => Shape { children: slots.unwrap_or(processors).max(1), lanes: 1, max_calls },
        Pool::Threads => Shape { children: 1, lanes: slots.unwrap_or(processors).max(1), max_calls },
        Pool::Asyncio => Shape { children: 1, lanes: slots.unwrap_or(100).max(1), max_calls },
    }
}

/// Stores that the application names go before those of the environment and of `cardoon.toml`, as in the application's own
/// senders, and after those of the command line.
fn with_stores(settings: &Settings, application: &Application) -> Settings {
    let mut settings = settings.clone();
    let (broker_named, results_named) = (settings.is_flag("broker.url"), settings.is_flag("results.url"));
    if let Some(url) = application.broker.as_ref().filter(|_| !broker_named) {
        settings.broker.url = Some(StoreUrl::new(url));
        settings.results.url = settings.results.url.filter(|_| results_named);
    }
    if let Some(url) = application.backend.as_ref().filter(|_| !results_named && !broker_named) {
        settings.results.url = Some(StoreUrl::new(url));
    }
    if let Some(queue) = application.queue.as_ref().filter(|_| !settings.is_set("worker.queues")) {
        settings.worker.queues = vec![queue.clone()];
    }
    settings
}

fn greet(session: &Session, application: &Application, prepared: &Prepared) {
    let greeting = prepared.greeting();
    let (name, language, tasks) = (&application.name, &greeting.language, greeting.tasks.len());
    session.talk.say(
        format!("app       {name} ({tasks} tasks, {language})"),
        format!("应用      {name}（{tasks} 个任务，{language}）"),
    );
    let mut names: Vec<&str> = greeting.tasks.iter().map(|task| task.name.as_str()).collect();
    names.sort_unstable();
    for name in names {
        let line = format!("          {}", crate::output::clean(name));
        session.talk.say(&line, &line);
    }
}
