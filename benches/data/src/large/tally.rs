use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};

/// What logs have in common with the same logs in another order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    /// The sum of the numbers of their users.
    users: u64,
    /// Rows that should stand before the one that stands before them. Without an order there are none.
    misplaced: u64,
}

/// What rows should be in the order of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    None,
    User,
    UserAndTime,
}

impl Tally {
    /// Of rows of `user_id,action,timestamp` under a header. Times are compared as text, which is all of the same length.
    pub(super) fn of_csv(from: impl Read, order: Order) -> Result<Self> {
        let mut from = BufReader::with_capacity(1 << 20, from);
        let mut tally = Self::default();
        let (mut line, mut last) = (Vec::new(), (0, Vec::new()));
        from.read_until(b'\n', &mut line)?;
        loop {
            line.clear();
            if from.read_until(b'\n', &mut line)? == 0 {
                return Ok(tally);
            }
            let user = user(&line).with_context(|| format!("no log has a row {}", line.escape_ascii()))?;
            let time = if order == Order::UserAndTime { time(&line) } else { &[] };
            let is_misplaced = order != Order::None && (user, time) < (last.0, last.1.as_slice());
            tally.rows += 1;
            tally.users = tally.users.wrapping_add(user);
            tally.misplaced += u64::from(is_misplaced);
            last.0 = user;
            last.1.clear();
            last.1.extend_from_slice(time);
        }
    }

    /// Of several files, which are in the kernel's cache then.
    pub(super) fn of_files(files: &[PathBuf]) -> Result<Self> {
        let mut all = Self::default();
        for path in files {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            let one = Self::of_csv(file, Order::None)?;
            all.rows += one.rows;
            all.users = all.users.wrapping_add(one.users);
        }
        Ok(all)
    }
}

fn user(line: &[u8]) -> Option<u64> {
    let comma = line.iter().position(|byte| *byte == b',')?;
    std::str::from_utf8(&line[..comma]).ok()?.parse().ok()
}

/// What stands behind the last comma.
fn time(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    let comma = line.iter().rposition(|byte| *byte == b',').map_or(0, |comma| comma + 1);
    &line[comma..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SORTED: &str = "user_id,action,timestamp\n\
        7,view,2026-01-01T00:00:09\n7,click,2026-01-01T00:00:10\n12,view,2026-01-01T00:00:01\n";

    fn tally(text: &str, order: Order) -> Tally {
        Tally::of_csv(text.as_bytes(), order).unwrap()
    }

    #[test]
    fn rows_in_order_have_the_tally_of_the_rows_that_they_were_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("log-0.csv"), folder.path().join("log-1.csv")];
        std::fs::write(&files[0], "user_id,action,timestamp\n12,view,2026-01-01 00:00:01\n").unwrap();
        std::fs::write(
            &files[1],
            "user_id,action,timestamp\n7,click,2026-01-01 00:00:10\n7,view,2026-01-01 00:00:09",
        )
        .unwrap();
        let logs = Tally::of_files(&files).unwrap();
        assert_eq!(logs.rows, 3);
        assert_eq!(tally(SORTED, Order::User), logs);
        assert_eq!(tally(SORTED, Order::UserAndTime), logs);
    }

    #[test]
    fn what_is_out_of_order_lost_or_doubled_shows() {
        let right = tally(SORTED, Order::UserAndTime);
        let swapped = SORTED.replace(":09", ":11");
        assert_eq!(tally(&swapped, Order::User), right);
        assert_ne!(tally(&swapped, Order::UserAndTime), right);
        assert_ne!(tally(&SORTED.replace("12,", "6,"), Order::User), right);
        let (all, last) = SORTED.trim_end().rsplit_once('\n').unwrap();
        assert_ne!(tally(all, Order::User), right);
        assert_ne!(tally(&format!("{SORTED}{last}\n"), Order::User), right);
        assert!(Tally::of_csv("user_id\nmany,view,\n".as_bytes(), Order::User).is_err());
    }
}
