//! The worker's side: one run in a child process.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cardoon_errors::Result;

use super::frame::{Order, Parcel, Word};
use super::pool::{Peer, Pool};
use crate::engine::Outcome;
use crate::executors::run::Run;

/// How long what a dying child leaves behind may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub(crate) async fn execute(mut run: Run, pool: Arc<Pool>) -> Result<()> {
    let taken = tokio::select! {
        taken = pool.take() => taken,
        () = run.context.aborted() => {
            run.end(Outcome::NotStarted);
            return Ok(());
        }
    };
    let outcome = match taken {
        Err(error) => Outcome::CannotStart(format!("cannot start a process for the task: {error}")),
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
    let outcome = match begin(&mut peer, run, pool).await {
        Ok(()) => follow(&mut peer, run).await,
        Err(outcome) => outcome,
    };
    if matches!(outcome, Outcome::Succeeded(_) | Outcome::Failed(_)) {
        pool.give_back(peer);
    }
    outcome
}

/// Hands the run over and waits until user code begins. A child that dies or hangs before says nothing about the task.
async fn begin(peer: &mut Peer, run: &Run, pool: &Pool) -> Result<(), Outcome> {
    let begun = async {
        hand_over(peer, run).await?;
        loop {
            match peer.hear().await? {
                Some((Word::Began, _)) => return Ok(Ok(())),
                Some((Word::Failed(error), _)) => return Ok(Err(Outcome::Failed(error))),
                Some(_) => {}
                None => return Err(io::Error::other("the child process ended before it was at work")),
            }
        }
    };
    let why = tokio::select! {
        biased;
        () = run.context.aborted() => Outcome::Aborted,
        begun = begun => match begun {
            Ok(begun) => return begun,
            Err(error) => Outcome::CannotStart(error.to_string()),
        },
        () = pool.patience() => Outcome::CannotStart(pool.did_not_begin()),
    };
    let _ = peer.kill().await;
    // It may have begun in the last moment; then it was interrupted.
    Err(if has_begun(peer).await { Outcome::Aborted } else { why })
}

/// What a dead child still had said.
async fn has_begun(peer: &mut Peer) -> bool {
    let last_words = async {
        while let Ok(Some((word, _))) = peer.hear().await {
            if matches!(word, Word::Began) {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(LAST_WORDS, last_words).await.unwrap_or(false)
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
                Ok(Some((Word::Progress { id, run: number, progress }, _))) => {
                    // What the run before said last may come late.
                    if (&id, number) == (&run.start.id, run.start.run) {
                        run.context.progress(progress.done, progress.total, progress.message);
                    }
                }
                Ok(Some((Word::Ready | Word::Began, _))) => {}
                Ok(None) => return died(peer, "it closed its connection").await,
                Err(error) => return died(peer, &error.to_string()).await,
            }
        }
    }
}

/// A closed socket means a dead process; one that lives on without it is of no use.
async fn died(peer: &mut Peer, why: &str) -> Outcome {
    let status = match tokio::time::timeout(LAST_WORDS, peer.buried()).await {
        Ok(status) => status,
        Err(_) => peer.kill().await,
    };
    Outcome::ChildDied(match status {
        Ok(status) => status.to_string(),
        Err(_) => why.to_owned(),
    })
}
