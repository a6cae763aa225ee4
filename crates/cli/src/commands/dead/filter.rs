use cardoon_broker::DeadFilter;
use cardoon_core::DeadReason;
use cardoon_errors::{Code, Error, Result};

use crate::input;
use crate::stores::Stores;

/// More dead letters than this are not counted for a question.
const COUNTED: usize = 100_000;

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

/// The error that asks for `--yes` and says how many letters it is about.
pub(super) async fn question(stores: &Stores, filter: &DeadFilter, verb: &str) -> Result<Error> {
    let count = stores.broker.dead_letters().list(filter, COUNTED).await?.len();
    let or_more = if count == COUNTED { " or more" } else { "" };
    Ok(Error::new(Code::NeedsYes, format!("this would {verb} {count}{or_more} dead letter(s)"))
        .hint("look at them with cardoon dead list, then repeat the command with --yes"))
}

fn reason(text: &str) -> Result<DeadReason, String> {
    DeadReason::parse(text).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("the reasons are {}", names.join(", "))
    })
}
