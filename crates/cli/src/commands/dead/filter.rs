use cardoon_broker::DeadFilter;
use cardoon_core::{DeadReason, TaskId};
use cardoon_errors::{Code, Error, Result};

use crate::exit::Exit;
use crate::input;
use crate::session::Session;
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

/// Those of the ids that were asked for that are not in the dead letters.
pub(super) async fn missing(stores: &Stores, filter: &DeadFilter) -> Result<Missing> {
    let mut ids = Vec::new();
    for id in &filter.ids {
        if stores.broker.dead_letters().show(id).await?.is_none() {
            ids.push(id.clone());
        }
    }
    Ok(Missing { all: !ids.is_empty() && ids.len() == filter.ids.len(), ids })
}

/// Dead letters that were asked for and are not there.
pub(super) struct Missing {
    ids: Vec<TaskId>,
    /// Whether none of them is.
    all: bool,
}

/// How a command ends that was asked for letters by their ids.
pub(super) fn all_were_there(session: &Session, stores: &Stores, missing: &Missing) -> Result<Exit> {
    let names: Vec<_> = missing.ids.iter().map(TaskId::as_str).collect();
    match names.as_slice() {
        [] => Ok(Exit::Done),
        [first, ..] if missing.all => {
            Err(Error::new(Code::UnknownId, format!("no dead letter has the id {first}"))
                .checked(format!("store: {}", stores.location))
                .hint("cardoon dead list"))
        }
        names => {
            session.talk.say(
                format!("not among the dead letters: {}", names.join(", ")),
                format!("死信里没有：{}", names.join("、")),
            );
            Ok(Exit::Partly)
        }
    }
}

fn reason(text: &str) -> Result<DeadReason, String> {
    DeadReason::parse(text).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("the reasons are {}", names.join(", "))
    })
}
