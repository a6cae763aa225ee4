/// The time of all processors of this machine: in all, and idle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Processors {
    all: u64,
    idle: u64,
}

impl Processors {
    /// `None` where the system does not tell it in Linux's way.
    pub(super) fn now() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line has the ticks of user, nice, system, idle, waiting for disks, …
    fn read(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|tick| tick.parse().ok()).collect();
        Some(Self { all: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)? })
    }

    /// How busy they were, 0 to 1, by whatever.
    pub(super) fn busy_since(before: Option<Self>) -> Option<f64> {
        let (before, now) = (before?, Self::now()?);
        let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(1.0 - (now.idle.saturating_sub(before.idle) as f64 / all as f64).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_processors_are_those_that_do_not_idle() {
        let read = |line: &str| Processors::read(line).unwrap();
        let now = read("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3");
        assert_eq!((now.all, now.idle), (1000, 850));
        assert!(Processors::read("intr 1").is_none());
    }
}
