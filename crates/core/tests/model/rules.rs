use cardoon_core::Lease;
use cardoon_core::rescue::{self, Lost, Rescue};
use cardoon_core::run::{self, Begin, Finish, RunEnd, RunNumber, RunRecord};
use cardoon_core::settle::{self, Closing, Decision, Held, Verdict};

type Settle = fn(Option<Held>, Lease, &Verdict, Option<Closing>, Option<RunRecord>) -> Decision;

/// The rules that the model applies: those of the crate, or one of them broken on purpose.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) begin: fn(Option<RunRecord>, u32) -> Begin,
    pub(crate) finish: fn(Option<RunRecord>, RunNumber, RunEnd) -> Finish,
    /// `None` drops the delivery; the crate's rule never does.
    pub(crate) rescue: fn(Lost) -> Option<Rescue>,
    pub(crate) settle: Settle,
    /// Whether a run is current; asked before follow-ups are stored apart from the result.
    pub(crate) is_current: fn(Option<RunRecord>, RunNumber) -> bool,
    pub(crate) start: Start,
}

/// How a worker begins user code, which is no function of the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It says that it begins, then looks whether its lease has lapsed since the claim.
    MarkThenLook,
    LookThenMark,
    /// It does not look at all.
    Mark,
}

impl Rules {
    pub(crate) fn of_core() -> Self {
        Self {
            begin: run::begin,
            finish: run::finish,
            rescue: |lost| Some(rescue::rescue(lost)),
            settle: settle::settle,
            is_current: run::is_current,
            start: Start::MarkThenLook,
        }
    }
}
