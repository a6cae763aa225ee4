//! What benchmarks share: what they were measured on, environments for what is measured beside us, and the parts of
//! `docs/benchmarks.md` that they write.

pub mod environment;
pub mod machine;
mod median;
mod section;

pub use median::median;
pub use section::Section;
