use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use tokio::sync::watch;

use super::exec::PythonExec;

/// As long as this is there, somebody waits for the answer of a plan.
#[derive(Debug)]
pub struct Interest(#[expect(dead_code, reason = "it is dropped")] watch::Sender<()>);

/// Tells functions whether anybody waits.
#[derive(Debug, Clone)]
pub(super) struct Wanted(watch::Receiver<()>);

impl Wanted {
    /// Waits until nobody waits any more.
    pub(super) async fn ended(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// `plan` with functions that end, and their children with them, as soon as the interest is dropped: dropping the plan's rows
/// is not enough where something else goes on reading them.
pub fn while_wanted(plan: Arc<dyn ExecutionPlan>) -> Result<(Arc<dyn ExecutionPlan>, Interest)> {
    let (interest, wanted) = watch::channel(());
    let wanted = Wanted(wanted);
    let plan = plan.transform_up(|step| {
        Ok(match step.downcast_ref::<PythonExec>() {
            Some(function) => Transformed::yes(function.wanted(wanted.clone())),
            None => Transformed::no(step),
        })
    });
    Ok((plan.data()?, Interest(interest)))
}
