use std::io;

use cardoon_errors::{Code, Error, Result};

use super::{Failure, Fence, Output, Writer, claim, of_writer};
use crate::stores::{Bucket, Condition, ObjectUrl, Ready, Stores, Upload};
use crate::{Rows, Summary};

/// How often it is tried to put an object in its place while others do the same.
const TRIES: u32 = 20;

/// Writes all rows as an object, which is seen when it is whole. Until then, and if the query fails, the one that was there
/// stays.
pub(super) async fn write(rows: &mut Rows, output: &Output, url: &ObjectUrl) -> Result<Summary, Failure> {
    let failed = |error| Failure::Output(cannot_write(url, error));
    let bucket =
        Stores::of_process().and_then(|stores| stores.bucket(&url.bucket, output.store_options.as_deref()));
    let bucket = bucket.map_err(Failure::Output)?;
    let upload = Upload::new(bucket.clone(), &url.key).map_err(Failure::Output)?;
    let mut writer = Writer::new(upload, output.format, rows.schema()).map_err(failed)?;
    let mut written = 0;
    while let Some(batch) = rows.read().await.map_err(Failure::Query)? {
        writer.write(&batch).map_err(failed)?;
        written += batch.num_rows() as u64;
    }
    let mut ready = writer.finish().map_err(failed)?.finish().map_err(Failure::Output)?;
    place(&bucket, url, &mut ready, output.fence.as_ref()).await.map_err(Failure::Output)?;
    Ok(Summary { rows: written, files: 1 })
}

/// Puts the object in its place, unless a later run of the task was there.
///
/// The state of the place is looked at before it is claimed, and a small object replaces that state alone. So if a later
/// run has written meanwhile, this one comes to claim again, and is refused. An object of many parts is put in its
/// place without a condition; what a later run writes between the claim and that is lost.
async fn place(bucket: &Bucket, url: &ObjectUrl, ready: &mut Ready, fence: Option<&Fence>) -> Result<()> {
    let Some(fence) = fence else {
        return ready.place(&Condition::Any).await.map(drop);
    };
    for _ in 0..TRIES {
        let condition = if ready.is_small() { state(bucket, url).await? } else { Condition::Any };
        claim::claim(bucket, &url.key, fence).await?;
        if ready.place(&condition).await? {
            return Ok(());
        }
    }
    Err(Error::new(Code::OutputFailed, format!("{url} is written by others again and again")))
}

async fn state(bucket: &Bucket, url: &ObjectUrl) -> Result<Condition> {
    Ok(match bucket.look(&url.key).await? {
        Some(object) => object.etag.map_or(Condition::Any, Condition::Unchanged),
        None => Condition::Absent,
    })
}

fn cannot_write(url: &ObjectUrl, error: io::Error) -> Error {
    of_writer(&error)
        .unwrap_or_else(|| Error::new(Code::OutputFailed, format!("{url} cannot be written")).source(error))
}
