use std::io::Read;

use anyhow::{Context, Result, ensure};

use super::asked::{Asked, MEMORY, goal};
use super::row::Row;
use super::tally::Tally;
use crate::inputs::{Inputs, Share};
use crate::systems::Cardoon;

/// Of the logs; in two gigabytes of them almost every row is a group of its own.
const FILES: usize = 4;

/// Groups by all columns, which do not fit into the memory.
pub(super) fn rows(cardoon: &Cardoon, inputs: &Inputs) -> Result<Vec<Row>> {
    let share = inputs.share(FILES)?;
    let measure = format!(
        "group by user, action and time over {:.1} GB, and the number of groups, `--memory {MEMORY}`",
        share.gb()
    );
    Ok(vec![Row::new(measure, goal(), grouped(cardoon, &share))])
}

fn grouped(cardoon: &Cardoon, share: &Share) -> Result<(String, bool)> {
    let logs = Tally::of_files(&share.files)?;
    let sql = format!(
        "select count(*) as groups, sum(n) as n
            from (select user_id, action, \"timestamp\", count(*) as n from {} group by 1, 2, 3) as counts",
        share.table()
    );
    let asked = Asked::within_memory(cardoon, &sql, counted)?;
    let (groups, rows) = asked.rows;
    ensure!(rows == logs.rows, "its groups have {rows} rows of {}", logs.rows);
    Ok((format!("{:.1} M groups, {}", groups as f64 / 1e6, asked.told()), asked.kept_to_memory()))
}

/// The one row of the answer.
fn counted(mut from: impl Read) -> Result<(u64, u64)> {
    let mut text = String::new();
    from.read_to_string(&mut text)?;
    let row = text.lines().nth(1).and_then(|row| row.split_once(','));
    let (groups, rows) = row.with_context(|| format!("its answer is {text:?}"))?;
    Ok((groups.parse()?, rows.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_one_row_of_two_numbers() {
        assert_eq!(counted("groups,n\n59,60\n".as_bytes()).unwrap(), (59, 60));
        assert!(counted("groups,n\n".as_bytes()).is_err());
    }
}
