//! Rescue: what becomes of a delivery whose holder died or fell silent.

use crate::DeadReason;

/// A task that was executing when this many workers died is not tried on another one.
pub const POISON_DEATHS: u32 = 3;

/// How the holder of a lease was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Its process is gone.
    Died,
    /// It is there, but its heartbeat is older than the lease. It may come back.
    Silent,
}

/// How far user code of a lost delivery had come.
///
/// A rescuer that cannot tell says [`UserCode::Ended`]: nobody is blamed, and what was acknowledged early is not run
/// a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserCode {
    /// It had not begun, and will not: a holder says that it begins before it looks, for the last time, whether its
    /// lease allows it.
    NotBegun,
    Running,
    /// It had run, and its verdict was not stored.
    Ended,
}

/// What a rescuer knows of a lost delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lost {
    pub loss: Loss,
    pub code: UserCode,
    /// Whether it was acknowledged at its start.
    pub early: bool,
    /// The workers that died while they executed it, before this one.
    pub deaths: u32,
}

/// What the rescuer does with the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rescue {
    /// Back to the head of its queue, marked as redelivered, with this count of deaths.
    Requeue {
        deaths: u32,
    },
    /// Not again: record that it started and that its outcome is unknown.
    OutcomeUnknown,
    Bury(DeadReason),
}

/// Only a task that was running is blamed for the death of its worker. One that was acknowledged early runs again only
/// if it had not begun.
pub fn rescue(lost: Lost) -> Rescue {
    if lost.early && lost.code != UserCode::NotBegun {
        return Rescue::OutcomeUnknown;
    }
    let blamed = lost.code == UserCode::Running && lost.loss == Loss::Died;
    let deaths = lost.deaths + u32::from(blamed);
    if deaths >= POISON_DEATHS { Rescue::Bury(DeadReason::Poison) } else { Rescue::Requeue { deaths } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: Lost = Lost { loss: Loss::Died, code: UserCode::NotBegun, early: false, deaths: 0 };
    const RUNNING: Lost = Lost { code: UserCode::Running, ..WAITING };

    #[test]
    fn the_innocent_are_not_blamed() {
        assert_eq!(rescue(WAITING), Rescue::Requeue { deaths: 0 });
        assert_eq!(rescue(Lost { code: UserCode::Ended, ..WAITING }), Rescue::Requeue { deaths: 0 });
        assert_eq!(rescue(Lost { loss: Loss::Silent, ..RUNNING }), Rescue::Requeue { deaths: 0 });
    }

    #[test]
    fn the_third_death_buries() {
        assert_eq!(rescue(Lost { deaths: 1, ..RUNNING }), Rescue::Requeue { deaths: 2 });
        assert_eq!(rescue(Lost { deaths: 2, ..RUNNING }), Rescue::Bury(DeadReason::Poison));
    }

    #[test]
    fn an_early_acknowledged_task_that_had_begun_is_never_executed_again() {
        for loss in [Loss::Died, Loss::Silent] {
            for code in [UserCode::Running, UserCode::Ended] {
                assert_eq!(rescue(Lost { loss, code, early: true, deaths: 0 }), Rescue::OutcomeUnknown);
            }
        }
    }

    #[test]
    fn an_early_acknowledged_task_that_had_not_begun_is_rescued() {
        for loss in [Loss::Died, Loss::Silent] {
            assert_eq!(rescue(Lost { loss, early: true, ..WAITING }), Rescue::Requeue { deaths: 0 });
        }
    }
}
