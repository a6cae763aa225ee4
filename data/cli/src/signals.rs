//! Signals that end a command.

use cardoon_errors::{Code, Error, Result};

/// Carries out `query` until it ends or a signal comes. Then it is dropped, and with it what it has put into files so far.
/// Answers the exit status.
pub(crate) async fn or_query(query: impl Future<Output = Result<()>> + Send + 'static) -> Result<u8> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends before this does, and a thread of its own has the stack for it"
    )]
    let mut running = tokio::spawn(query);
    tokio::select! {
        ended = &mut running => {
            let ended = ended.map_err(|error| Error::new(Code::Internal, "the command broke off").source(error));
            ended?.map(|()| 0)
        }
        status = next() => {
            running.abort();
            // It has no answer any more; what counts is that it is gone.
            let _ = running.await;
            status
        }
    }
}

/// Waits for one, and answers the exit status: 128 and its number.
#[cfg(unix)]
async fn next() -> Result<u8> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(signal(SignalKind::interrupt()))?,
        listen(signal(SignalKind::terminate()))?,
        listen(signal(SignalKind::hangup()))?,
    );
    Ok(tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
        _ = hangup.recv() => 129,
    })
}

#[cfg(not(unix))]
async fn next() -> Result<u8> {
    listen(tokio::signal::ctrl_c().await).map(|()| 130)
}

fn listen<T>(listening: std::io::Result<T>) -> Result<T> {
    listening.map_err(|error| Error::new(Code::Internal, "signals cannot be listened to").source(error))
}
