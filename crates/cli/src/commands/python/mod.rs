//! Workers of Python applications.

mod application;
mod options;
#[cfg(target_os = "linux")]
mod run;

pub(super) use options::Options;
#[cfg(target_os = "linux")]
pub(super) use run::run;

#[cfg(not(target_os = "linux"))]
pub(super) async fn run(
    _session: &crate::session::Session,
    _app: &str,
    _options: &Options,
) -> cardoon_errors::Result<crate::exit::Exit> {
    use cardoon_errors::{Code, Error};
    Err(Error::new(Code::NoPythonWorker, "Python workers run on Linux only")
        .hint("run the worker on Linux or in WSL"))
}
