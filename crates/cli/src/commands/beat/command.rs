use std::collections::BTreeSet;

use cardoon_children::Greeting;
use cardoon_errors::Result;

use super::list;
use super::options::{Options, needs_application};
use super::past::Past;
use super::periodic::Periodic;
use super::service::Beat;
use crate::commands::python::{self, Application, with_stores};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;

/// Sends the application's periodic tasks until it is told to stop.
pub(in crate::commands) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        done = Box::pin(send(session, options)) => done,
        asked = signals.next() => Ok(asked),
    }
}

async fn send(session: &Session, options: &Options) -> Result<Exit> {
    let app = session.app.as_deref().ok_or_else(needs_application)?;
    let greeting = python::greeting(session, app).await?;
    let application = Application::read(&greeting.app)?;
    let mut periodic = of(&application, &greeting)?;
    if let Some(last) = periodic.problems.pop() {
        periodic.problems.iter().for_each(|problem| session.tell(problem));
        return Err(last);
    }
    if options.list {
        list::print(&session.output, &periodic, session.clock.now())?;
        return Ok(Exit::Done);
    }
    let settings = with_stores(&session.settings, &application);
    let stores = session.connect_at(&settings).await?;
    greet(session, &periodic, &stores.location);
    let path = options.file.clone().map_or_else(Past::default_path, Ok)?;
    let past = Past::new(path, &periodic.app);
    let beat = Beat::new(periodic, stores, session.limits(), past, session.clock.clone())?;
    beat.run().await;
    Ok(Exit::Done)
}

/// What an application says of its periodic tasks.
pub(super) fn of(application: &Application, greeting: &Greeting) -> Result<Periodic> {
    let tasks: BTreeSet<&str> = greeting.tasks.iter().map(|task| task.name.as_str()).collect();
    Periodic::read(&application.name, &application.schedule, &tasks, application.queue.as_deref())
}

fn greet(session: &Session, periodic: &Periodic, location: &str) {
    let (app, count) = (&periodic.app, periodic.entries.len());
    session.talk.say(
        format!("app       {app} ({count} periodic tasks)"),
        format!("应用      {app}（{count} 个定时任务）"),
    );
    session.talk.say(format!("database  {location}"), format!("数据库    {location}"));
    if count == 0 {
        tracing::warn!("the application has no periodic tasks: app.conf.beat_schedule is empty");
    }
}
