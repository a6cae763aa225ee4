//! Fetches what the last stage of a query has produced.

use std::sync::Arc;

use ballista_core::client::BallistaClient;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::PartitionLocation;
use cardoon_engine::lost;
use datafusion::error::DataFusionError;
use futures_util::StreamExt as _;

use super::answer::Answer;
use crate::access::Access;
use crate::limits;

/// How often a fetch is tried, and how long it waits between, in milliseconds. An executor that is gone stays away.
const TRIES: u8 = 2;
const PAUSE: u64 = 50;

/// Adds the rows that lie at `place` to `answer`. If the executor is gone, so are they, and the query has to be asked
/// again.
pub(super) async fn rows(
    place: PartitionLocation,
    access: &Access,
    answer: &mut Answer,
) -> Result<(), DataFusionError> {
    let layout = place.layout();
    let (Some(executor), Some(partition)) = (place.executor_meta, place.partition_id) else {
        return Err(DataFusionError::Internal("the scheduler does not say where rows lie".into()));
    };
    let gone = |error: &dyn std::fmt::Display| lost(format!("{}:{}: {error}", executor.host, executor.port));
    let port = u16::try_from(executor.port).map_err(|error| gone(&error))?;
    let endpoint = Some(Arc::new(BallistaConfigGrpcEndpoint::new(access.endpoint())));
    let mut client =
        BallistaClient::try_new(&executor.host, port, limits::MESSAGE, false, endpoint, TRIES, PAUSE, 0, 0)
            .await
            .map_err(|error| gone(&error))?;
    let mut batches = client
        .fetch_partition(&executor.id, &partition.into(), place.file_id, layout, true)
        .await
        .map_err(|error| gone(&error))?;
    while let Some(batch) = batches.next().await {
        answer.add(&batch.map_err(|error| gone(&error))?)?;
    }
    Ok(())
}
