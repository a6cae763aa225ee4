use std::time::Duration;

use cardoon_broker::Inspect;
use cardoon_connect::{Holds, Surroundings};
use cardoon_errors::{Code, Error, Finding, Report, Result};
use cardoon_runtime::Clock;
use cardoon_settings::without_password;
use tokio::time::timeout;

use crate::look::Look;
use crate::{holders, names, queues};

/// How long each store may take to be asked, what is in the queues, and closing.
const STORE: Duration = Duration::from_millis(3500);
const LOOK: Duration = Duration::from_secs(2);
const CLOSING: Duration = Duration::from_millis(500);

/// What is examined.
#[derive(Debug, Clone)]
pub struct Patient {
    /// The URL of the store of messages.
    pub broker: String,
    /// The URL of the results, if they are kept elsewhere.
    pub results: Option<String>,
    /// What this machine says about where the stores may be.
    pub surroundings: Surroundings,
    /// Is compared with the servers' clocks.
    pub clock: Clock,
}

/// Examines the stores and what is in them, and reports each finding as it comes.
///
/// Ends within 10 s, whatever does not answer.
pub async fn examine(patient: &Patient, report: Report<'_>) {
    report(Finding::fine("broker", format!("messages wait in {}", without_password(&patient.broker))));
    let is_open = ask_store(patient, &patient.broker, Holds::Messages, report).await;
    if let Some(results) = patient.results.as_ref().filter(|results| **results != patient.broker) {
        report(Finding::fine("results", format!("results are kept in {}", without_password(results))));
        ask_store(patient, results, Holds::Results, report).await;
    }
    if is_open {
        look_into(patient, report).await;
    } else {
        report(Finding::unchecked("queues", "the queues could not be looked into"));
    }
}

async fn ask_store(patient: &Patient, url: &str, holds: Holds, report: Report<'_>) -> bool {
    let Patient { surroundings, clock, .. } = patient;
    let asked = timeout(STORE, cardoon_connect::probe(url, holds, surroundings, clock, report)).await;
    asked.unwrap_or_else(|_| {
        let message = format!("{} did not answer in time", without_password(url));
        let error = Error::new(Code::NoAnswer, message)
            .checked(format!("all questions together: no end within {} ms", STORE.as_millis()))
            .hint("look at the network and at what the server has to do");
        report(Finding::error("answers", error));
        false
    })
}

async fn look_into(patient: &Patient, report: Report<'_>) {
    let looked = timeout(LOOK, async {
        let stores = cardoon_connect::connect_to_look(&patient.broker, &patient.clock).await?;
        let answer = ask_queues(stores.broker.inspect(), report).await;
        // What a look leaves open ends with the process.
        let _ = timeout(CLOSING, stores.broker.close(CLOSING)).await;
        answer
    });
    match looked.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => report(Finding::error("queues", error)),
        Err(_) => {
            let why = "the queues could not be looked into in time; cardoon queue list takes its time";
            report(Finding::unchecked("queues", why));
        }
    }
}

async fn ask_queues(inspect: &dyn Inspect, report: Report<'_>) -> Result<()> {
    let look = Look::take(inspect).await?;
    queues::report(&look, report);
    names::report(&look, inspect, report).await?;
    holders::report(&look, inspect, report).await
}
