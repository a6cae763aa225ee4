//! A scheduler in the process of a worker.

use cardoon_children::Greeting;
use cardoon_errors::Result;

use super::command::of;
use super::past::Past;
use super::service::Beat;
use crate::commands::python::Application;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

/// A scheduler that does not run yet.
pub(in crate::commands) struct Beside {
    beat: Beat,
    signals: Signals,
}

impl Beside {
    /// A scheduler of the application's periodic tasks; none if it has none.
    pub(in crate::commands) fn new(
        session: &Session,
        file: Option<&std::path::Path>,
        (application, greeting): (&Application, &Greeting),
        stores: &Stores,
    ) -> Result<Option<Self>> {
        let periodic = of(application, greeting)?;
        // The worker is wanted for other tasks too.
        periodic.problems.iter().for_each(|problem| session.tell(problem));
        if periodic.entries.is_empty() {
            return Ok(None);
        }
        let count = periodic.entries.len();
        session.talk.say(format!("beat      {count} periodic tasks"), format!("定时      {count} 个任务"));
        let past =
            Past::new(file.map_or_else(Past::default_path, |file| Ok(file.to_owned()))?, &periodic.app);
        let beat = Beat::new(periodic, stores.clone(), session.limits(), past, session.clock.clone())?;
        Ok(Some(Self { beat, signals: Signals::listen()? }))
    }

    /// Drives `worker` to its end, and sends ticks until the first signal.
    pub(in crate::commands) async fn drive<T>(self, worker: impl Future<Output = T>) -> T {
        let Self { beat, mut signals } = self;
        let mut worker = std::pin::pin!(worker);
        tokio::select! {
            ended = &mut worker => return ended,
            () = Box::pin(beat.run()) => {}
            _ = signals.next() => {}
        }
        worker.await
    }
}
