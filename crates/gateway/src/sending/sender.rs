use std::sync::Arc;

use cardoon::{App, TypedSignature};
use cardoon_core::TaskId;
use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_runtime::{FineInstant, ServiceKind, Supervisor};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::metrics::Meter;

/// Batches that are on their way to the store at a time: while one is stored, the next one gathers.
const LANES: usize = 2;
/// Signatures in a batch.
const MOST: usize = 512;
/// Requests that may wait for a lane; further ones wait before they are read.
const WAITING: usize = 4096;

/// Sends the signatures of many requests together. One that comes alone goes at once.
#[derive(Clone)]
pub(crate) struct Sender(mpsc::Sender<Order>);

struct Order {
    signature: TypedSignature<Value>,
    answer: oneshot::Sender<Result<TaskId>>,
}

impl Sender {
    pub(crate) fn start(app: &App, services: &Supervisor, meter: &Arc<Meter>) -> Self {
        let (sender, orders) = mpsc::channel(WAITING);
        let orders = Arc::new(Mutex::new(orders));
        for _ in 0..LANES {
            let lane = lane(app.clone(), Arc::clone(&orders), Arc::clone(meter));
            services.spawn(ServiceKind::Connection, lane);
        }
        Self(sender)
    }

    pub(crate) async fn send(&self, signature: TypedSignature<Value>) -> Result<TaskId> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Order { signature, answer }).await.map_err(|_| closed(Applied::No))?;
        answered.await.map_err(|_| closed(Applied::Unknown))?
    }
}

/// Ends when the last sender is gone.
async fn lane(app: App, orders: Arc<Mutex<mpsc::Receiver<Order>>>, meter: Arc<Meter>) -> Result<()> {
    let mut batch = Vec::with_capacity(MOST);
    loop {
        if orders.lock().await.recv_many(&mut batch, MOST).await == 0 {
            return Ok(());
        }
        let (signatures, asking): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|order| (order.signature, order.answer)).unzip();
        let begun = FineInstant::now();
        let answers = app.send_each(signatures).await;
        meter.stored(FineInstant::now().since(begun));
        for (answer, asking) in answers.into_iter().zip(asking) {
            // Who asked may have gone; the task is sent all the same.
            let _ = asking.send(answer.map(|handle| handle.id().clone()));
        }
    }
}

fn closed(applied: Applied) -> Error {
    Error::new(Code::StoreClosed, "the gateway is being closed").applied(applied)
}
