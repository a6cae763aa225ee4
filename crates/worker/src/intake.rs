//! From bytes to what the engine judges.

use std::collections::HashMap;
use std::sync::Arc;

use cardoon_broker::Delivery;
use cardoon_core::Message;
use cardoon_protocol::{Limits, decode};

use crate::TaskDefinition;
use crate::engine::{Arrival, Content, KnownTask};

/// The tasks of this worker, and what messages for them may demand.
#[derive(Debug)]
pub(crate) struct Intake {
    tasks: HashMap<String, Arc<KnownTask>>,
    limits: Limits,
}

impl Intake {
    pub(crate) fn new(tasks: HashMap<String, TaskDefinition>, limits: Limits) -> Self {
        let known = |(name, definition): (String, TaskDefinition)| {
            let task = KnownTask { name: name.as_str().into(), definition };
            (name, Arc::new(task))
        };
        Self { tasks: tasks.into_iter().map(known).collect(), limits }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tasks.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Understands a delivery as far as that is possible.
    pub(crate) fn read(&self, delivery: Delivery) -> Arrival {
        let content = self.understand(&delivery.message);
        Arrival { delivery, content }
    }

    pub(crate) fn understand(&self, message: &Message) -> Content {
        match decode(message, &self.limits) {
            Err(undecodable) => Content::Undecodable(undecodable),
            Ok(call) => match self.tasks.get(&call.task) {
                Some(task) => Content::Known { task: Arc::clone(task), call: Arc::new(call) },
                None => Content::Unknown { task: call.task, expires: call.expires, eta: call.eta },
            },
        }
    }
}
