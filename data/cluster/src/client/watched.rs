use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::transport::{Channel, Error};

/// A connection that tells when a call on it has failed.
///
/// Whoever asks for work tells what it has done in the same call, and forgets it, and is given work that it never gets if the
/// answer is lost. The scheduler would wait for both for ever.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    connection: Channel,
    failed: Arc<Notify>,
}

impl Watched {
    pub(crate) fn new(connection: Channel, failed: Arc<Notify>) -> Self {
        Self { connection, failed }
    }
}

impl Service<http::Request<Body>> for Watched {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = BoxFuture<Self::Response, Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.connection.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (calling, failed) = (self.connection.call(request), self.failed.clone());
        Box::pin(async move {
            let called = calling.await;
            if called.as_ref().map_or(true, is_refusal) {
                failed.notify_one();
            }
            called
        })
    }
}

/// Such an answer has its status in its head.
fn is_refusal(answer: &http::Response<Body>) -> bool {
    answer.headers().get("grpc-status").is_some_and(|status| status.as_bytes() != b"0")
}
