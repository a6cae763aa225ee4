//! What benchmarks share: what they were measured on, environments for what is measured beside us, the clone that they run
//! in, and the parts of `docs/benchmarks.md` that they write.

pub mod environment;
pub mod machine;
mod median;
pub mod repository;
mod section;

pub use median::median;
pub use section::Section;
