use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use cardoon_runtime::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long the other side may take to read on.
const UNREAD: Duration = Duration::from_mins(1);

/// A connection that is given up when the other side reads nothing for a minute: what waits to be written would stay in memory,
/// and its place be taken.
pub(super) struct Patient<T> {
    inner: T,
    clock: Clock,
    /// Runs while a write waits.
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<T> Patient<T> {
    pub(super) fn new(inner: T, clock: Clock) -> Self {
        Self { inner, clock, timer: None }
    }

    fn wrote<V>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let clock = &self.clock;
        let timer = self.timer.get_or_insert_with(|| {
            let clock = clock.clone();
            Box::pin(async move { clock.sleep(UNREAD).await })
        });
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.wrote(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::Timestamp;
    use cardoon_runtime::ManualClock;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn who_never_reads_is_given_up_and_who_reads_slowly_is_not() {
        let manual = ManualClock::new(Timestamp(0));
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut patient = Patient::new(ours, Clock::manual(&manual));
        for _ in 0..3 {
            patient.write_all(b"full").await.unwrap();
            manual.advance(UNREAD / 2);
            let mut read = [0; 4];
            theirs.read_exact(&mut read).await.unwrap();
        }
        patient.write_all(b"full").await.unwrap();
        let write = patient.write_all(b"more");
        let (written, ()) = tokio::join!(write, async { manual.advance(UNREAD) });
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
