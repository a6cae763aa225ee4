//! Steps of plans.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};

/// A step of a plan, with those that it takes rows from.
pub type Step = Arc<dyn ExecutionPlan>;

/// A rule for plans that puts others in the place of some steps, the inputs first.
#[derive(Debug)]
pub struct Replace {
    pub name: &'static str,
    /// What takes the place of a step, if anything does.
    pub instead: fn(&Step) -> Result<Option<Step>>,
}

impl PhysicalOptimizerRule for Replace {
    fn optimize(&self, plan: Step, _: &ConfigOptions) -> Result<Step> {
        plan.transform_up(|step| {
            let instead = (self.instead)(&step)?;
            Ok(instead.map_or_else(|| Transformed::no(step), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `step` over other inputs.
pub fn over(step: Step, inputs: Vec<Step>) -> Result<Step> {
    let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    step.replace_children(inputs, anew)
}

/// The input of a step that has one.
pub fn only(inputs: Vec<Step>) -> Result<Step> {
    let [input] =
        <[_; 1]>::try_from(inputs).map_err(|_| DataFusionError::Internal("a step has one input".into()))?;
    Ok(input)
}
