//! From what a process may have resident to what the operators of a query may hold.

use std::fs;
use std::path::Path;

use cardoon_errors::{Code, Error, Result};

/// The least memory that an engine works with, in bytes: 256 MiB.
pub const MINIMUM: u64 = 256 << 20;

/// What a process has resident beside what its operators account for: its code, buffers of the allocator, batches on
/// their way. Measured at 100 to 130 MiB with two threads.
const OVERHEAD: u64 = 128 << 20;

/// What the operators may hold, in bytes.
pub(crate) fn pool(limit: Option<u64>) -> Result<usize> {
    Ok((memory(limit)? - OVERHEAD) as usize)
}

/// What a process may have resident, in bytes: `limit`, or seven tenths of what there is. Errors with
/// [`Code::MemoryTooSmall`] below [`MINIMUM`].
pub fn memory(limit: Option<u64>) -> Result<u64> {
    let limit = limit.unwrap_or_else(default_limit);
    if limit < MINIMUM {
        return Err(Error::new(
            Code::MemoryTooSmall,
            format!("a query cannot work within {} MiB", limit >> 20),
        )
        .hint(format!("allow {} MiB or more", MINIMUM >> 20)));
    }
    Ok(limit)
}

/// Seven tenths of what there is.
fn default_limit() -> u64 {
    let bounds = [machine(), container()];
    let least = bounds.into_iter().flatten().min().unwrap_or(4 << 30);
    (least / 10 * 7).max(MINIMUM)
}

fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

fn container() -> Option<u64> {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse().ok();
    number(Path::new("/sys/fs/cgroup/memory.max"))
        .or_else(|| number(Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_small_is_refused_with_the_least_one() {
        let error = pool(Some(MINIMUM - 1)).unwrap_err();
        assert_eq!(error.code(), Code::MemoryTooSmall);
        assert!(error.next_step().unwrap().contains("256 MiB"));
        assert_eq!(pool(Some(MINIMUM)).unwrap(), (128 << 20));
    }

    #[test]
    fn without_a_limit_there_is_one_that_fits_the_machine() {
        let all = machine().unwrap_or(u64::MAX);
        assert!((pool(None).unwrap() as u64) < all);
    }
}
