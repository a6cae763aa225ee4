use cardoon::TypedSignature;
use cardoon_connect::Stores;
use cardoon_core::{Signature, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_runtime::ids;
use serde_json::Value;

use crate::api::{SendRequest, queue_of};

/// A call that a request asks for.
pub(super) struct Call {
    pub(super) id: TaskId,
    signature: Signature,
    require_worker: bool,
}

impl Call {
    pub(super) fn read(request: SendRequest, now: Timestamp) -> Result<Self> {
        let require_worker = request.require_worker;
        let mut signature = request.signature(ids::task_id, now)?;
        let id = signature.options.id.take().unwrap_or_else(ids::task_id);
        Ok(Self { id, signature, require_worker })
    }

    /// What is asked of a call before it is sent for the first time.
    pub(super) async fn check(&self, stores: &Stores) -> Result<()> {
        if !self.require_worker {
            return Ok(());
        }
        cardoon_admin::workers::require(stores, &self.signature.task, &queue_of(&self.signature)).await
    }

    /// The call to send. If it `may_be_sent` already, its run asks first whether the task has ended.
    pub(super) fn into_signature(mut self, may_be_sent: bool) -> TypedSignature<Value> {
        self.signature.options.id = Some(self.id);
        let call = TypedSignature::<Value>::from(self.signature);
        if may_be_sent { call.resent() } else { call }
    }
}
