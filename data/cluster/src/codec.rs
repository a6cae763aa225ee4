use std::sync::Arc;

use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::broadcast::BroadcastExec;

/// What our steps of a plan begin with, and Ballista's do not: theirs begin with the tag of a field.
const OURS: &[u8] = b"cardoon\0";

/// A side of a join that every task is given, which is a step of this crate.
const BROADCAST: &[u8] = b"cardoon broadcast\0";

/// Our steps of a plan and Ballista's, as bytes.
#[derive(Debug, Default)]
pub(crate) struct Codec(BallistaPhysicalExtensionCodec);

pub(crate) fn physical() -> Arc<dyn PhysicalExtensionCodec> {
    Arc::new(Codec::default())
}

pub(crate) fn logical() -> Arc<dyn LogicalExtensionCodec> {
    Arc::new(BallistaLogicalExtensionCodec::default())
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        sent: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (sent.strip_prefix(OURS), inputs) {
            (Some(ours), _) => cardoon_engine::decode(ours, inputs),
            (None, [input]) if sent == BROADCAST => Ok(Arc::new(BroadcastExec::new(input.clone()))),
            _ => self.0.try_decode(sent, inputs, context, converter),
        }
    }

    fn try_encode(
        &self,
        step: Arc<dyn ExecutionPlan>,
        sent: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if step.is::<BroadcastExec>() {
            sent.extend_from_slice(BROADCAST);
            return Ok(());
        }
        match cardoon_engine::encode(step.as_ref())? {
            Some(ours) => {
                sent.extend_from_slice(OURS);
                sent.extend_from_slice(&ours);
                Ok(())
            }
            None => self.0.try_encode(step, sent, converter),
        }
    }
}
