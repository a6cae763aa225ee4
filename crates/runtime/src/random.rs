use std::sync::Mutex;

/// Random numbers for jitter and drills: from the system, or from a seed so that a run can be repeated.
#[derive(Debug)]
pub struct Random(Mutex<fastrand::Rng>);

impl Random {
    pub fn from_system() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Evenly from `[0, 1)`.
    pub fn unit(&self) -> f64 {
        self.generator().f64()
    }

    /// Evenly from `0..end`; 0 if `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.generator().u64(0..end) }
    }

    fn generator(&self) -> std::sync::MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
