use std::sync::Arc;

use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::joins::{Side, SideExec};

/// What our steps of a plan begin with, and Ballista's do not: theirs begin with the tag of a field.
const OURS: &[u8] = b"cardoon\0";

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
        match (sent.strip_prefix(OURS), Side::of(sent), inputs) {
            (Some(ours), ..) => cardoon_engine::decode(ours, inputs),
            (None, Some(side), [input]) => Ok(SideExec::over(input, side)),
            _ => self.0.try_decode(sent, inputs, context, converter),
        }
    }

    fn try_encode(
        &self,
        step: Arc<dyn ExecutionPlan>,
        sent: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(step) = step.downcast_ref::<SideExec>() {
            sent.extend_from_slice(step.side().sent());
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
