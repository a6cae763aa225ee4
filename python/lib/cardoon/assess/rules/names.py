"""Settings that only Celery's worker reads, and names that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..view import AppView
from .places import at_setting

_OF_CELERYS_WORKER = frozenset(
    "broker_channel_error_retry broker_connection_max_retries broker_connection_retry"
    " broker_connection_retry_on_startup broker_failover_strategy broker_heartbeat broker_heartbeat_checkrate"
    " broker_login_method broker_native_delayed_delivery_queue_type"
    " control_exchange control_queue_durable control_queue_exclusive control_queue_expires control_queue_ttl"
    " event_exchange event_queue_durable event_queue_exclusive event_queue_expires event_queue_prefix event_queue_ttl"
    " event_serializer task_create_missing_queue_exchange_type task_create_missing_queue_type task_default_queue_type"
    " worker_cancel_long_running_tasks_on_connection_loss worker_deduplicate_successful_tasks"
    " worker_detect_quorum_queues worker_enable_prefetch_count_reduction worker_enable_soft_shutdown_on_idle"
    " worker_hijack_root_logger worker_log_color worker_log_datefmt worker_log_format worker_lost_wait"
    " worker_pool_putlocks worker_pool_restarts worker_pool_start_method worker_proc_alive_timeout"
    " worker_redirect_stdouts worker_redirect_stdouts_level worker_state_db worker_task_log_datefmt"
    " worker_task_log_format worker_timer_precision".split()
)


def ignored(view: AppView) -> Iterator[Finding]:
    for setting in sorted(view.explicit & _OF_CELERYS_WORKER):
        yield at_setting("ignored-setting", view, setting)


def unknown(view: AppView) -> Iterator[Finding]:
    for setting in view.unknown:
        finding = "misspelt-setting" if setting.suggestion else "unknown-setting"
        values = {"setting": setting.name, "meant": setting.suggestion}
        yield Finding(finding, Where(Kind.SETTING, setting.name), values)


RULES = (ignored, unknown)
