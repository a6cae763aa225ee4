//! Workers of Python applications.

mod application;
mod options;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod stores;
#[cfg(target_os = "linux")]
mod zygote;

#[cfg(target_os = "linux")]
pub(super) use application::Application;
pub(super) use application::interpreter;
pub(super) use options::Options;
#[cfg(target_os = "linux")]
pub(super) use run::{Ready, prepare};
#[cfg(target_os = "linux")]
pub(super) use stores::{at_stores_of_application, with_stores};
#[cfg(target_os = "linux")]
pub(super) use zygote::greeting;

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{Ready, at_stores_of_application, prepare};

/// Where the application of a worker cannot run.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use cardoon::WorkerHandle;
    use cardoon_errors::{Code, Error, Result};

    use crate::commands::worker::Options;
    use crate::exit::Exit;
    use crate::session::Session;
    use crate::stores::Stores;

    /// There is none.
    pub(in crate::commands) enum Ready {}

    impl Ready {
        pub(in crate::commands) fn stores(&self) -> &Stores {
            match *self {}
        }

        pub(in crate::commands) fn handle(&self) -> WorkerHandle {
            match *self {}
        }

        #[expect(clippy::unused_async, reason = "the other system's waits")]
        pub(in crate::commands) async fn until_told(self) -> Result<Exit> {
            match self {}
        }
    }

    #[expect(clippy::unused_async, reason = "the other system's waits")]
    pub(in crate::commands) async fn at_stores_of_application(session: Session) -> Result<Session> {
        Ok(session)
    }

    #[expect(clippy::unused_async, reason = "the other system's waits")]
    pub(in crate::commands) async fn prepare(
        _session: &Session,
        _app: &str,
        _options: &Options,
        _sends_ticks: bool,
    ) -> Result<Result<Ready, Exit>> {
        Err(Error::new(Code::NoPythonWorker, "Python workers run on Linux only")
            .hint("run the worker on Linux or in WSL"))
    }
}
