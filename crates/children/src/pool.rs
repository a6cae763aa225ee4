//! The children of one worker.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, ServiceKind, Supervisor};

use crate::call::Call;
use crate::dispatch::{Care, Shape};
use crate::frame::{Cancel, Gate, Tag};
use crate::greeting::Greeting;
use crate::hub::Hub;
use crate::maker::Maker;
use crate::owner::Owner;
use crate::{printer, strays};

/// How children are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartMethod {
    /// Forked, unless the application has started threads when it was imported: then spawned.
    #[default]
    Auto,
    /// Forked from a process that has the application imported: milliseconds, and shared memory.
    Fork,
    /// A process of its own, which imports the application itself.
    Spawn,
}

/// What a pool is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// What imports the application, a program and its arguments. Its standard input is the line to it.
    pub command: Vec<OsString>,
    pub shape: Shape,
    pub start_method: StartMethod,
    /// How long the application may take to be imported, and then a child to be ready.
    pub child_start: Duration,
    /// A child that is larger is replaced when its call has ended, in bytes of resident memory.
    pub max_memory: Option<u64>,
}

/// A pool whose application is imported and that has no children yet.
pub struct Prepared {
    options: Options,
    maker: Maker,
    greeting: Greeting,
    clock: Clock,
}

/// Gives calls to children. Cheap to clone; the children end with the last clone.
#[derive(Clone)]
pub struct Pool(Arc<Hub>);

impl Prepared {
    /// Imports the application.
    ///
    /// # Errors
    ///
    /// `CD6001` if it cannot be imported, `CD6002` if processes cannot be started.
    pub async fn new(options: Options, clock: Clock) -> Result<Self> {
        strays::adopt_orphans().map_err(|error| {
            Error::new(Code::NoChildren, "the kernel does not let this process adopt children").source(error)
        })?;
        let (maker, greeting) = Maker::start(&options, &clock).await?;
        Ok(Self { options, maker, greeting, clock })
    }

    /// What the application is.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    pub fn shape(&self) -> &Shape {
        &self.options.shape
    }

    /// What children there are to be, which may depend on the greeting.
    pub fn set_shape(&mut self, shape: Shape) {
        self.options.shape = shape;
        self.maker.place().lanes = shape.kind.lanes();
    }

    /// Larger return values are refused, in bytes.
    pub fn set_max_result(&mut self, most: usize) {
        self.maker.place().max_result = most;
    }

    /// The name of the worker, for people.
    pub fn set_hostname(&mut self, name: &str) {
        name.clone_into(&mut self.maker.place().hostname);
    }

    /// The stores of the worker, where they are not those that the application names.
    pub fn set_stores(&mut self, broker: Option<String>, results: Option<String>) {
        let place = self.maker.place();
        (place.broker, place.backend) = (broker, results);
    }

    /// A child that is larger is replaced when its call has ended, in bytes.
    pub fn set_max_memory(&mut self, most: Option<u64>) {
        self.options.max_memory = most;
    }

    /// Starts the children on the current tokio runtime, by services of `services`.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn run(self, owner: Arc<dyn Owner>, services: &Supervisor) -> Result<Pool> {
        let Self { options, maker, clock, .. } = self;
        let printer = printer::start(Arc::clone(&owner), services)?;
        let (wishes, wanted) = tokio::sync::mpsc::unbounded_channel();
        let hub = Arc::new(Hub::new(options.shape, owner, wishes, clock.clone(), maker.forks()));
        let attend = crate::attendant::Site {
            hub: Arc::downgrade(&hub),
            services: services.clone(),
            printer,
            clock: clock.clone(),
            patience: options.child_start,
        };
        services.spawn(ServiceKind::Children, maker.run(wanted, attend));
        services.spawn(ServiceKind::Children, Hub::keep_time(Arc::downgrade(&hub)));
        if let Some(most) = options.max_memory {
            services.spawn(ServiceKind::Children, Hub::watch_memory(Arc::downgrade(&hub), most));
        }
        hub.step();
        Ok(Pool(hub))
    }
}

impl Pool {
    /// Takes a call. It is given to a child with the next [`Self::flush`].
    pub fn submit(&self, call: Call<String, Bytes>, care: Care) {
        self.0.submit(call, care);
    }

    /// Gives to children what has been submitted.
    pub fn flush(&self) {
        self.0.step();
    }

    /// Tells a running call to stop.
    pub fn cancel(&self, tag: Tag, why: Cancel) {
        self.0.cancel(tag, why);
    }

    /// Ends a call by force; one that has not begun does not begin.
    pub fn abort(&self, tag: Tag) {
        self.0.abort(tag);
    }

    /// Nothing new begins; what has not begun ends unstarted.
    pub fn call_off_all(&self) {
        self.0.call_off_all();
    }

    /// When calls may begin.
    pub fn set_gate(&self, gate: Gate) {
        self.0.set_gate(gate);
    }

    /// How many children there are to be.
    pub fn resize(&self, children: usize) {
        self.0.resize(children);
    }

    /// Lets the children end as programs do, and waits until they are gone.
    pub async fn stop_all(&self) {
        self.0.stop_all().await;
    }

    /// Waits until a call finds a child, now or in milliseconds.
    pub async fn ready(&self) {
        self.0.ready().await;
    }

    pub fn is_ready(&self) -> bool {
        self.0.is_ready()
    }
}
