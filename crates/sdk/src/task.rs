use std::sync::OnceLock;
use std::time::Duration;

use cardoon_core::{Priority, QueueName};
use cardoon_worker::{TaskDefinition, TaskOptions};

/// A task, as a type. [`#[cardoon::task]`](macro@crate::task) makes one beside each function that it marks, under the
/// function's name.
pub trait Task: Sized + Send + Sync + 'static {
    /// What the task returns when it succeeds.
    type Output;

    /// The name that messages carry: the function's name, unless the option `name` says another.
    const NAME: &'static str;

    /// The names of the arguments, in order.
    const PARAMETERS: &'static [&'static str];

    /// The options that the attribute was given, and `defaults` where it was given none.
    fn options_over(defaults: TaskOptions) -> TaskOptions;

    /// The options that the attribute was given.
    fn options() -> TaskOptions {
        Self::options_over(TaskOptions::default())
    }

    /// What a worker needs to execute the task.
    fn definition() -> TaskDefinition;

    #[doc(hidden)]
    fn known() -> &'static KnownTask;
}

/// What a worker needs to execute the task `T`, with `defaults` for the options that it leaves open.
pub(crate) fn definition_over<T: Task>(defaults: &TaskOptions) -> TaskDefinition {
    TaskDefinition { options: T::options_over(defaults.clone()), ..T::definition() }
}

/// A task whose type a signature has forgotten.
#[derive(Debug)]
pub struct KnownTask {
    definition: fn() -> TaskDefinition,
    options: fn() -> TaskOptions,
    defaults: OnceLock<SendDefaults>,
}

/// The options of a task that matter when it is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct SendDefaults {
    pub(crate) queue: Option<QueueName>,
    pub(crate) priority: Option<Priority>,
    pub(crate) expires: Option<Duration>,
    pub(crate) ignore_result: bool,
}

impl KnownTask {
    /// The task `T`.
    pub const fn of<T: Task>() -> Self {
        Self { definition: T::definition, options: T::options, defaults: OnceLock::new() }
    }

    pub(crate) fn definition(&self) -> TaskDefinition {
        (self.definition)()
    }

    pub(crate) fn defaults(&self) -> &SendDefaults {
        self.defaults.get_or_init(|| {
            let TaskOptions { queue, priority, expires, ignore_result, .. } = (self.options)();
            SendDefaults { queue, priority, expires, ignore_result }
        })
    }
}
