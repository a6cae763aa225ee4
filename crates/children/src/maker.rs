//! Makes children, by a zygote that is replaced when it dies.

use std::collections::HashSet;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tokio::sync::mpsc;

use crate::attendant::Site;
use crate::child::Child;
use crate::dispatch::ChildId;
use crate::greeting::Greeting;
use crate::pool::{Options, StartMethod};
use crate::zygote::{Made, Order, Place, Zygote};

/// Makes children one after the other.
pub(crate) struct Maker {
    command: Vec<OsString>,
    order: Order,
    place: Place,
    patience: Duration,
    clock: Clock,
    /// The names of the tasks, in their order. A zygote that finds others has another version of the application.
    tasks: Vec<String>,
    zygote: Option<Zygote>,
    /// The application is not any more what the worker took it for.
    is_outdated: bool,
}

/// The zygotes of this process, which are not strays.
static ZYGOTES: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

impl Maker {
    pub(crate) async fn start(options: &Options, clock: &Clock) -> Result<(Self, Greeting)> {
        let (zygote, greeting) = Zygote::start(&options.command, options.child_start, clock).await?;
        register(zygote.pid());
        let maker = Self {
            command: options.command.clone(),
            order: order(options.start_method, &greeting),
            place: Place { lanes: options.shape.kind.lanes(), max_result: usize::MAX, ..Place::default() },
            patience: options.child_start,
            clock: clock.clone(),
            tasks: names(&greeting),
            zygote: Some(zygote),
            is_outdated: false,
        };
        Ok((maker, greeting))
    }

    pub(crate) fn forks(&self) -> bool {
        self.order == Order::Fork
    }

    pub(crate) fn place(&mut self) -> &mut Place {
        &mut self.place
    }

    /// Makes a child for each wish.
    pub(crate) async fn run(
        mut self,
        mut wishes: mpsc::UnboundedReceiver<ChildId>,
        site: Site,
    ) -> Result<()> {
        while let Some(wish) = wishes.recv().await {
            match self.make().await {
                Ok(child) => site.attend(wish, child),
                Err(error) => {
                    tracing::error!(%error, "a child cannot be made");
                    let Some(hub) = site.hub.upgrade() else { break };
                    // An import that fails now may succeed soon: it has before.
                    if self.is_outdated {
                        hub.give_up(error.clone());
                    }
                    hub.died(wish, error.to_string());
                }
            }
        }
        if let Some(mut zygote) = self.zygote.take() {
            zygote.kill();
        }
        Ok(())
    }

    async fn make(&mut self) -> Result<Child> {
        let made = match self.try_make().await {
            Ok(made) => made,
            // The zygote may have died; its successor is asked once.
            Err(error) if self.zygote.is_none() => {
                tracing::warn!(%error, "the process that makes children is replaced");
                self.try_make().await?
            }
            Err(error) => return Err(error),
        };
        Child::new(made).map_err(|error| cannot_make(&error))
    }

    async fn try_make(&mut self) -> Result<Made> {
        let mut zygote = match self.zygote.take() {
            Some(zygote) => zygote,
            None => self.new_zygote().await?,
        };
        let made = tokio::select! {
            made = zygote.make(self.order, &self.place) => made,
            () = self.clock.sleep(self.patience) => Err(std::io::ErrorKind::TimedOut.into()),
        };
        match made {
            Ok(made) => {
                match self.order {
                    Order::Fork => self.zygote = Some(zygote),
                    Order::Become => {
                        forget(zygote.pid());
                        drop(zygote.release());
                    }
                }
                Ok(made)
            }
            Err(error) => {
                forget(zygote.pid());
                zygote.kill();
                Err(cannot_make(&error))
            }
        }
    }

    async fn new_zygote(&mut self) -> Result<Zygote> {
        let (zygote, greeting) = Zygote::start(&self.command, self.patience, &self.clock).await?;
        register(zygote.pid());
        if names(&greeting) == self.tasks {
            return Ok(zygote);
        }
        self.is_outdated = true;
        Err(Error::new(Code::AppImport, "the application has other tasks than when this worker started")
            .hint("start the worker again"))
    }
}

/// Whether this process started `pid` as a zygote.
pub(crate) fn is_zygote(pid: u32) -> bool {
    let zygotes = ZYGOTES.lock().unwrap_or_else(PoisonError::into_inner);
    zygotes.as_ref().is_some_and(|zygotes| zygotes.contains(&pid))
}

fn register(pid: u32) {
    ZYGOTES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(pid);
}

/// It has ended, or is a child now.
fn forget(pid: u32) {
    if let Some(zygotes) = &mut *ZYGOTES.lock().unwrap_or_else(PoisonError::into_inner) {
        zygotes.remove(&pid);
    }
}

fn order(method: StartMethod, greeting: &Greeting) -> Order {
    match method {
        StartMethod::Spawn => Order::Become,
        StartMethod::Auto if greeting.threads > 1 => {
            let threads = greeting.threads;
            tracing::warn!(
                threads,
                "importing the application starts threads, so children are spawned instead of forked: \
                 they start slower and share no memory; start threads inside of tasks to avoid it"
            );
            Order::Become
        }
        StartMethod::Fork | StartMethod::Auto => Order::Fork,
    }
}

fn names(greeting: &Greeting) -> Vec<String> {
    greeting.tasks.iter().map(|task| task.name.clone()).collect()
}

fn cannot_make(error: &std::io::Error) -> Error {
    Error::new(Code::NoChildren, "a child process cannot be made")
        .checked(error.to_string())
        .hint("ulimit -u -n")
}
