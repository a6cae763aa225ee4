//! Runs in their traces. With the feature `opentelemetry` each is a span, and what it sends goes on in that; without it a
//! message's trace is handed on as it came.

#[cfg(not(feature = "opentelemetry"))]
mod passed_on;
#[cfg(feature = "opentelemetry")]
mod spans;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use passed_on::RunTrace;
#[cfg(feature = "opentelemetry")]
pub(crate) use spans::RunTrace;
#[cfg(feature = "opentelemetry")]
pub use spans::{context_here, context_of, continue_from};
