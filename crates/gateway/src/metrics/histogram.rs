use std::time::Duration;

use super::page::Page;

/// Upper bounds of the buckets, in seconds.
const BOUNDS: [f64; 13] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0];

/// How long something took, in buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    /// Adds what took so long so many times.
    pub(super) fn add(&mut self, took: Duration, times: u64) {
        let seconds = took.as_secs_f64();
        if let Some(place) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.buckets[place] += times;
        }
        self.count += times;
        self.sum += seconds * times as f64;
    }

    pub(super) fn write(&self, page: &mut Page, name: &str, labels: &[(&str, &str)]) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(self.buckets) {
            below += count;
            page.sample(&bucket, &[labels, &[("le", &bound.to_string())]].concat(), below);
        }
        page.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), self.count);
        page.sample(&format!("{name}_sum"), labels, self.sum);
        page.sample(&format!("{name}_count"), labels, self.count);
    }
}
