//! Cuts CSV files into parts, to measure how fast that is.
//!
//! `cargo run --release --example parts -- COUNT FILE…`

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use cardoon_csv::{Dialect, FileSource, Source, parts};

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "an example that measures")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let count = words.next().unwrap_or_default().parse()?;
    for path in words {
        let source: Arc<dyn Source> = Arc::new(FileSource::new(&path));
        let begin = Instant::now();
        let parts = parts(&source, &Dialect::default(), count)?.ok_or("it cannot be cut")?;
        let seconds = begin.elapsed().as_secs_f64();
        // What follows the last cut is not read.
        let bytes = parts.last().map_or(0, |part| part.start);
        let speed = bytes as f64 / seconds / 1e9;
        println!("{path}: {} parts, {seconds:.3} s, {speed:.2} GB/s", parts.len());
    }
    Ok(())
}
