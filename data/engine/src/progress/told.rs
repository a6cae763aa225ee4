use std::time::Duration;

/// How far a query has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows that were read from files.
    pub rows: u64,
    /// Bytes of files that are done with: of CSV after it was unpacked; of other files the share that was gone through, also
    /// where the query needs a part of it only.
    pub bytes: u64,
    /// Bytes of all files that the query reads; none if one of them is compressed CSV.
    pub all_bytes: Option<u64>,
    /// Rows that could not be read and were left out.
    pub bad_rows: u64,
    /// Bytes that did not fit into the memory and went through files.
    pub spilled_bytes: u64,
    /// How often the query began again because a column had to be widened, or a join did not fit into the memory.
    pub restarts: u64,
    /// How often it was asked again because executors were lost.
    pub retries: u64,
    /// What it does, in the order in which rows go through it.
    pub stages: Vec<Stage>,
}

/// A part of a query that is done with all rows before they go on, or that reads files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// Such as `read` or `group`; several of them if tasks of a cluster do them in one go.
    pub name: String,
    /// Rows that it has given out.
    pub rows: u64,
    /// Tasks of executors that have ended, and all; both 0 in one process.
    pub tasks_done: u64,
    pub tasks: u64,
}

impl Progress {
    /// How long the files will take that are left, when those before them took `so_far`. Nothing while that is not known,
    /// and when all are read.
    pub fn time_left(&self, so_far: Duration) -> Option<Duration> {
        let left = self.all_bytes?.checked_sub(self.bytes).filter(|left| *left > 0)?;
        (self.bytes > 0).then(|| so_far.mul_f64(left as f64 / self.bytes as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_goes_by_the_bytes_and_is_not_guessed() {
        let after = |bytes, all_bytes| {
            Progress { bytes, all_bytes, ..Progress::default() }.time_left(Duration::from_secs(6))
        };
        assert_eq!(after(25, Some(100)), Some(Duration::from_secs(18)));
        for (bytes, all) in [(25, None), (0, Some(100)), (100, Some(100)), (120, Some(100)), (0, Some(0))] {
            assert_eq!(after(bytes, all), None, "{bytes} of {all:?}");
        }
    }
}
