//! What the task attribute refuses, as examples that must not compile. The messages are checked beside the attribute.
//!
//! ```compile_fail
//! #[cardoon::task]
//! async fn greet(name: &str) -> String {
//!     name.to_owned()
//! }
//! ```
//!
//! ```compile_fail
//! #[cardoon::task]
//! fn print<T: std::fmt::Debug>(value: T) {}
//! ```
//!
//! ```compile_fail
//! #[cardoon::task(time_limit = "60")]
//! fn add(x: i64, y: i64) -> i64 {
//!     x + y
//! }
//! ```
//!
//! An argument that cannot be read from JSON:
//!
//! ```compile_fail
//! struct Opaque;
//!
//! #[cardoon::task]
//! fn open(it: Opaque) {}
//! ```
//!
//! A state that is not given to [`crate::testing::inline`] or the worker compiles, and is reported when it starts:
//!
//! ```
//! struct Pool;
//!
//! #[cardoon::task]
//! fn query(pool: cardoon::State<Pool>) {}
//! ```
