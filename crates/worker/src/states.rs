//! What an application gives its tasks: connection pools, clients, settings.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// One value per type, shared by all tasks of a worker.
#[derive(Clone, Default)]
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

/// A type that a task asks its context for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateNeed {
    pub type_id: TypeId,
    /// The type's name, for people.
    pub name: &'static str,
}

impl States {
    /// Keeps `state`; one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, state: T) {
        self.insert_shared(Arc::new(state));
    }

    /// Keeps a state that others share.
    pub fn insert_shared<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), state);
    }

    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.get(&TypeId::of::<T>())?).downcast().ok()
    }

    pub fn has(&self, need: &StateNeed) -> bool {
        self.0.contains_key(&need.type_id)
    }
}

impl StateNeed {
    pub fn of<T: 'static>() -> Self {
        Self { type_id: TypeId::of::<T>(), name: std::any::type_name::<T>() }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_by_its_type_alone() {
        let mut states = States::default();
        states.insert(5_u32);
        states.insert(7_u32);
        assert_eq!(states.get::<u32>().as_deref(), Some(&7));
        assert!(states.get::<u64>().is_none());
        assert!(states.has(&StateNeed::of::<u32>()));
    }
}
