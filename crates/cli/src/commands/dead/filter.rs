use cardoon_broker::DeadFilter;
use cardoon_core::DeadReason;
use cardoon_errors::{Code, Error, Result};

use crate::exit::Exit;
use crate::input;
use crate::stores::Stores;

/// Which dead letters; all by default.
#[derive(Debug, clap::Args)]
pub(crate) struct Filter {
    /// Only these
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only those of this queue
    #[arg(short = 'Q', long)]
    queue: Option<String>,
    /// Only those with this reason
    #[arg(long, value_parser = reason)]
    reason: Option<DeadReason>,
}

impl Filter {
    pub(super) fn read(&self) -> Result<DeadFilter> {
        Ok(DeadFilter {
            ids: self.ids.iter().map(|id| input::task_id(id)).collect::<Result<_>>()?,
            queue: self.queue.as_deref().map(input::queue_name).transpose()?,
            reason: self.reason,
        })
    }
}

/// Asks for `--yes` and says how many letters it is about, by their reason; nothing is asked about none.
pub(super) async fn question(stores: &Stores, filter: &DeadFilter, verb: &str) -> Result<()> {
    let counts = stores.broker.dead_letters().count(filter).await?;
    let all: u64 = counts.iter().map(|(_, letters)| letters).sum();
    if all == 0 {
        return Ok(());
    }
    let error = Error::new(Code::NeedsYes, format!("this would {verb} {all} dead letter(s)"));
    let counted =
        counts.iter().fold(error, |error, (reason, letters)| error.checked(format!("{reason}: {letters}")));
    Err(counted.hint("look at them with `cardoon dead list`, then repeat the command with --yes"))
}

/// How a command ends that was asked for letters by their ids and `changed` so many.
pub(super) fn all_were_there(stores: &Stores, filter: &DeadFilter, changed: u64) -> Result<Exit> {
    match (filter.ids.as_slice(), changed) {
        ([id, ..], 0) => Err(Error::new(Code::UnknownId, format!("no dead letter has the id {id}"))
            .checked(format!("store: {}", stores.location))
            .hint("cardoon dead list")),
        (ids, changed) if changed < ids.len() as u64 => Ok(Exit::Partly),
        _ => Ok(Exit::Done),
    }
}

fn reason(text: &str) -> Result<DeadReason, String> {
    DeadReason::parse(text).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("the reasons are {}", names.join(", "))
    })
}
