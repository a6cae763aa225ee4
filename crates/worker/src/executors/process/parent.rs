//! The worker's side: one run in a child process.

use std::io;
use std::sync::Arc;

use cardoon_errors::Result;

use super::frame::{Order, Parcel, Word};
use super::pool::{Peer, Pool};
use crate::TaskError;
use crate::engine::Outcome;
use crate::executors::run::Run;

pub(crate) async fn execute(mut run: Run, pool: Arc<Pool>) -> Result<()> {
    let taken = tokio::select! {
        taken = pool.take() => taken,
        () = run.context.aborted() => {
            run.end(Outcome::NotStarted);
            return Ok(());
        }
    };
    let outcome = match taken {
        Err(error) => Outcome::Failed(not_started(&error)),
        Ok(peer) => execute_in(peer, &mut run, &pool).await,
    };
    run.end(outcome);
    Ok(())
}

async fn execute_in(mut peer: Peer, run: &mut Run, pool: &Pool) -> Outcome {
    if !run.begin() {
        pool.give_back(peer);
        return Outcome::NotStarted;
    }
    let outcome = match hand_over(&mut peer, run).await {
        Ok(()) => follow(&mut peer, run).await,
        Err(error) => died(&mut peer, &error.to_string()).await,
    };
    if matches!(outcome, Outcome::Succeeded(_) | Outcome::Failed(_)) {
        pool.give_back(peer);
    }
    outcome
}

async fn hand_over(peer: &mut Peer, run: &Run) -> io::Result<()> {
    let message = run.start.message.clone().ok_or_else(|| io::Error::other("the run has no message"))?;
    let (parcel, [headers, body]) = Parcel::pack(message, run.start.queue.clone(), run.start.run);
    peer.say(&Order::Run(Box::new(parcel)), &[&headers, &body]).await
}

/// Follows the child until it says how its task ended, dies, or is killed.
async fn follow(peer: &mut Peer, run: &Run) -> Outcome {
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            () = run.context.aborted() => {
                let _ = peer.kill().await;
                return Outcome::Aborted;
            }
            reason = run.context.cancelled(), if !told => {
                told = true;
                // A child that cannot be told has died, which the next word says.
                let _ = peer.say(&Order::Cancel(reason), &[]).await;
            }
            word = peer.hear() => match word {
                Ok(Some((Word::Succeeded, value))) => return Outcome::Succeeded(value),
                Ok(Some((Word::Failed(error), _))) => return Outcome::Failed(error),
                Ok(Some((Word::Progress(progress), _))) => {
                    run.context.progress(progress.done, progress.total, progress.message);
                }
                Ok(Some((Word::Ready, _))) => {}
                Ok(None) => return died(peer, "it closed its connection").await,
                Err(error) => return died(peer, &error.to_string()).await,
            }
        }
    }
}

/// A closed socket means a dead process; one that lives on without it is of no use.
async fn died(peer: &mut Peer, why: &str) -> Outcome {
    let patience = std::time::Duration::from_millis(100);
    let status = match tokio::time::timeout(patience, peer.buried()).await {
        Ok(status) => status,
        Err(_) => peer.kill().await,
    };
    Outcome::ChildDied(match status {
        Ok(status) => status.to_string(),
        Err(_) => why.to_owned(),
    })
}

fn not_started(error: &io::Error) -> TaskError {
    TaskError::new("ChildNotStarted", format!("cannot start a process for the task: {error}"))
}
