//! What touches the outside world: the clocks, random numbers, background services and their end.

mod clock;
mod fine;
mod home;
mod host;
pub mod ids;
mod random;
mod supervisor;
mod wait;

pub use clock::{Clock, ManualClock};
pub use fine::{FineInstant, FineTimer};
pub use home::Home;
pub use host::{boot_id, hostname, quiet_port};
pub use random::Random;
pub use supervisor::{OnError, ServiceKind, Supervisor};
pub use wait::Doorbell;
