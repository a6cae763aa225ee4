//! Tasks over HTTP: send, look, steer. [`Gateway::bind`] opens the port, [`Gateway::serve`] answers until it is told to stop.
//!
//! What a request may do is decided in [`auth`]; what is answered is in `routes` and `api`, from which the description under
//! `/api/v1/openapi.json` is made. Everything that grows is bounded: connections, bodies, the ring of events, the series of
//! metrics.

mod api;
mod events;
mod failure;
mod metrics;
mod options;
mod routes;
mod sending;
mod server;
mod serving;
mod shared;

pub mod auth;

pub use options::GatewayOptions;
pub use routes::description;
pub use server::Gateway;
