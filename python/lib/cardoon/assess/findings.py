"""What a rule says about an application."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from .view import Source


class Severity(enum.Enum):
    """How much a finding matters, the worst first."""

    LOSES_TASKS = "loses-tasks"
    UNSUPPORTED = "unsupported"
    DIFFERS = "differs"
    INFO = "info"

    @property
    def is_alarming(self) -> bool:
        return self in (Severity.LOSES_TASKS, Severity.UNSUPPORTED)


class Kind(enum.Enum):
    """What a finding is about."""

    SETTING = "setting"
    TASK = "task"
    QUEUE = "queue"
    BEAT_ENTRY = "beat-entry"
    SIGNAL = "signal"
    COMMAND = "command"
    BOOTSTEP = "bootstep"
    MESSAGES = "messages"


@dataclass(frozen=True)
class Where:
    """The place that a finding is about. Its value holds no secret."""

    kind: Kind
    name: str
    value: str | None = None
    source: Source | None = None


@dataclass(frozen=True)
class Finding:
    """A difference at one place. The texts are found by its id; `values` fill their gaps."""

    id: str
    where: Where
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.id]


_IDS = {
    Severity.LOSES_TASKS: """
        early-ack early-ack-chosen worker-lost-ack serializer-refused
    """,
    Severity.UNSUPPORTED: """
        result-serializer auth-serializer custom-serializer compression message-signing
        pool-green pool-custom autoscaler worker-extension
        broker-unsupported broker-failover broker-split tls-client-certificate tls-unchecked redis-layout
        backend-unsupported
        rate-limit annotations custom-request canvas-in-task
        queue-exchange queue-priority queue-arguments worker-direct
        beat-solar beat-custom-schedule beat-scheduler beat-id
        signal-not-sent control-command
    """,
    Severity.DIFFERS: """
        failure-dropped eta-redelivery long-run pickle-accepted
        pool-solo time-limit-pool
        sentinel-url tls-options queue-order result-expires
        custom-send chosen-id endless-retries async-task always-eager priority
        beat-unknown-task signal-logging celery-events misspelt-setting
    """,
    Severity.INFO: """
        visibility-timeout long-expires eta-limit other-serializer old-protocol
        pool-prefork pool-threads prefetch concurrency recycle-tasks recycle-memory shutdown-grace
        transport-option no-results results-apart ignore-result
        time-limit bound-task custom-call task-handlers autoretry track-started
        routes-function queues beat-schedule signal-in-child remote-control canvas
        unknown-setting ignored-setting
    """,
}

SEVERITY: Mapping[str, Severity] = {
    finding_id: severity for severity, ids in _IDS.items() for finding_id in ids.split()
}
"""Every id with its severity. An id keeps its meaning for ever."""
