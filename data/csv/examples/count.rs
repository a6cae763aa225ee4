//! Counts the rows of CSV files, to measure how fast they are read.
//!
//! `cargo run --release --example count -- [--column N | --all | --none] [--threads N] [--block KIB] FILE…`

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use cardoon_csv::{FileSource, Options, Sample, Scan, Source, infer, merge};

struct Arguments {
    projection: Option<Vec<usize>>,
    threads: usize,
    options: Options,
    files: Vec<Arc<dyn Source>>,
}

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "an example that measures")]
fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { projection, threads, options, files } = arguments()?;
    let begin = Instant::now();
    let headers: Result<Vec<_>, _> = files
        .iter()
        .map(|file| infer(file, &options.dialect, Sample::default()).map(|header| (file.name(), header)))
        .collect();
    let header = merge(headers?)?;
    let inferred = begin.elapsed();
    let scan = Scan::new(files.clone(), header, projection, options)?;
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| drain(&scan))).collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("a reader does not panic"))
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    let progress = scan.progress();
    let speed = progress.bytes as f64 / seconds / 1e9;
    println!(
        "{} rows, {seconds:.3} s (of which samples {:.3} s), {speed:.2} GB/s",
        progress.rows,
        inferred.as_secs_f64()
    );
    Ok(())
}

fn drain(scan: &Arc<Scan>) -> Result<(), cardoon_csv::Error> {
    let mut reader = scan.reader();
    while let Some(batch) = reader.next()? {
        std::hint::black_box(batch);
    }
    Ok(())
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let (mut projection, mut threads) = (None, 1);
    let (mut options, mut files) = (Options::default(), Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().unwrap_or_default().parse::<usize>();
        match word.as_str() {
            "--column" => projection = Some(vec![number()?]),
            "--all" => projection = None,
            "--none" => projection = Some(Vec::new()),
            "--threads" => threads = number()?,
            "--block" => options.block_bytes = number()? << 10,
            file => files.push(Arc::new(FileSource::new(file)) as Arc<dyn Source>),
        }
    }
    Ok(Arguments { projection, threads, options, files })
}
