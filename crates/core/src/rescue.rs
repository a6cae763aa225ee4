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

/// What a rescuer knows of a lost delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lost {
    pub loss: Loss,
    /// Whether user code had begun, as far as the holder could still say.
    pub started: bool,
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

/// Only a task that had started is blamed for the death of its worker.
pub fn rescue(lost: Lost) -> Rescue {
    if lost.early {
        return Rescue::OutcomeUnknown;
    }
    let blamed = lost.started && lost.loss == Loss::Died;
    let deaths = lost.deaths + u32::from(blamed);
    if deaths >= POISON_DEATHS { Rescue::Bury(DeadReason::Poison) } else { Rescue::Requeue { deaths } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: Lost = Lost { loss: Loss::Died, started: false, early: false, deaths: 0 };

    #[test]
    fn the_innocent_are_not_blamed() {
        assert_eq!(rescue(WAITING), Rescue::Requeue { deaths: 0 });
        let silent = Lost { loss: Loss::Silent, started: true, ..WAITING };
        assert_eq!(rescue(silent), Rescue::Requeue { deaths: 0 });
    }

    #[test]
    fn the_third_death_buries() {
        let started = Lost { started: true, ..WAITING };
        assert_eq!(rescue(Lost { deaths: 1, ..started }), Rescue::Requeue { deaths: 2 });
        assert_eq!(rescue(Lost { deaths: 2, ..started }), Rescue::Bury(DeadReason::Poison));
    }

    #[test]
    fn an_early_acknowledged_task_is_never_executed_twice() {
        let early = Lost { early: true, started: true, ..WAITING };
        assert_eq!(rescue(early), Rescue::OutcomeUnknown);
    }
}
