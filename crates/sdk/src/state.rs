use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value that the worker was given with [`WorkerBuilder::state`](crate::WorkerBuilder::state), as a parameter of a
/// task: a connection pool, a client, the settings.
///
/// A worker that was not given a state which one of its tasks takes does not start (`CD3006`).
///
/// ```
/// use cardoon::State;
///
/// struct Greeting(String);
///
/// #[cardoon::task]
/// fn greet(greeting: State<Greeting>, name: String) -> String {
///     format!("{}, {name}!", greeting.0.0)
/// }
/// ```
pub struct State<T>(pub Arc<T>);

impl<T> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}
