//! Who may put an object in its place, when several runs of one task write it.

use bytes::Bytes;
use cardoon_errors::{Code, Error, Result};

use super::fence::{self, Fence};
use crate::stores::{Bucket, Condition};

/// How often a claim is tried that others come between.
const TRIES: u32 = 20;

/// Remembers the run in an object beside. Errors with [`Code::LeaseLost`] if a later run of the task has been here.
pub(super) async fn claim(bucket: &Bucket, key: &str, fence: &Fence) -> Result<()> {
    let beside = beside(key);
    for _ in 0..TRIES {
        let (known, condition) = known(bucket, &beside).await?;
        fence.check(known.as_ref())?;
        if known.as_ref() == Some(fence) || bucket.put(&beside, fence.text().into(), &condition).await? {
            return Ok(());
        }
    }
    Err(Error::new(
        Code::OutputFailed,
        format!("{} is written by others again and again", bucket.url(beside)),
    ))
}

/// The run that was here last, and the state in which its object is.
async fn known(bucket: &Bucket, beside: &str) -> Result<(Option<Fence>, Condition)> {
    Ok(match bucket.whole(beside).await? {
        None => (None, Condition::Absent),
        Some((bytes, etag)) => (read(&bytes), etag.map_or(Condition::Any, Condition::Unchanged)),
    })
}

fn read(bytes: &Bytes) -> Option<Fence> {
    Fence::read(std::str::from_utf8(bytes).ok()?)
}

fn beside(key: &str) -> String {
    let (folder, name) = key.rsplit_once('/').map_or(("", key), |(folder, name)| (folder, name));
    let name = fence::name_beside(name);
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_remembered_beside_the_object() {
        assert_eq!(beside("a/b.csv"), "a/.b.csv.run");
        assert_eq!(beside("b.csv"), ".b.csv.run");
    }
}
