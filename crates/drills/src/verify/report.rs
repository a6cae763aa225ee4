use serde::Serialize;
use serde_json::{Value, json};

use super::{CeleryReport, Consistency, Efficiency, Faults, Plan, Work};

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Where the stores are; holds no password.
    pub store: String,
    /// The user's own task and its arguments, if it was one.
    pub task: Option<String>,
    pub plan: Plan,
    pub efficiency: Option<Efficiency>,
    pub faults: Option<Faults>,
    pub consistency: Option<Consistency>,
    pub celery: Option<CeleryReport>,
    /// What ended it before everything was measured.
    pub broken_off: Option<String>,
}

impl Report {
    /// Of nothing yet. `store`: where the stores are, without a password.
    pub fn new(store: String, plan: &Plan, work: &Work) -> Self {
        let task = match work {
            Work::BuiltIn => None,
            Work::Own(own) => Some(format!("{}(args={}, kwargs={})", own.name, own.args, own.kwargs)),
        };
        Self {
            store,
            task,
            plan: plan.clone(),
            efficiency: None,
            faults: None,
            consistency: None,
            celery: None,
            broken_off: None,
        }
    }

    /// The report for programs: each measure with its verdict.
    pub fn as_json(&self) -> Value {
        let mut json = json!(self);
        json["passed"] = self.passed().into();
        let verdicts = [
            ("efficiency", self.efficiency.as_ref().map(|it| Some(it.passed()))),
            ("faults", self.faults.as_ref().map(Faults::passed)),
            ("consistency", self.consistency.as_ref().map(|it| Some(it.passed()))),
        ];
        for (measure, passed) in verdicts {
            if let Some(passed) = passed {
                json[measure]["passed"] = passed.into();
            }
        }
        json
    }

    /// Whether nothing was measured so far.
    pub fn is_empty(&self) -> bool {
        self.efficiency.is_none() && self.faults.is_none() && self.consistency.is_none()
    }

    /// Whether all was measured and is as it should be. What Celery does, is not judged.
    pub fn passed(&self) -> bool {
        self.broken_off.is_none()
            && self.efficiency.as_ref().is_none_or(Efficiency::passed)
            && self.faults.as_ref().is_none_or(|it| it.passed() == Some(true))
            && self.consistency.as_ref().is_none_or(Consistency::passed)
    }
}
