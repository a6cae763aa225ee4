use std::collections::HashSet;

use cardoon_broker::Revoked;
use cardoon_connect::Stores;
use cardoon_core::TaskId;
use cardoon_errors::Result;
use serde::Serialize;
use utoipa::ToSchema;

/// What a task did when it was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RevokedAs {
    /// It waited, and is not executed.
    Waiting,
    /// A worker held it and is told.
    Held,
    /// It had ended.
    Over,
    /// Nobody knows it. The revoke is remembered: should it come, it is not executed.
    Unknown,
}

impl RevokedAs {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Over => "over",
            Self::Unknown => "unknown",
        }
    }
}

/// Revokes tasks; answers each, in order.
pub async fn revoke(stores: &Stores, ids: &[TaskId]) -> Result<Vec<Result<RevokedAs>>> {
    let answers = stores.broker.revoke(ids.to_vec()).await;
    let over = ended(stores, ids).await?;
    let was = |(id, answer): (&TaskId, Result<Revoked>)| Ok(was(answer?, over.contains(id)));
    Ok(ids.iter().zip(answers).map(was).collect())
}

/// Those of `ids` whose tasks have ended, so that there was nothing left to revoke.
async fn ended(stores: &Stores, ids: &[TaskId]) -> Result<HashSet<TaskId>> {
    let records = stores.results.get(ids).await?.into_iter().flatten();
    Ok(records.filter(|record| record.state.is_final()).map(|record| record.id).collect())
}

fn was(revoked: Revoked, has_ended: bool) -> RevokedAs {
    match revoked {
        Revoked::Waiting => RevokedAs::Waiting,
        Revoked::Held => RevokedAs::Held,
        Revoked::Remembered if has_ended => RevokedAs::Over,
        Revoked::Remembered => RevokedAs::Unknown,
    }
}
