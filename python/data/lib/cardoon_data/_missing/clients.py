"""What comes nearest to names of clusters, clients, futures, delayed calls and ``dask.distributed``."""

from __future__ import annotations

from collections.abc import Mapping

_CLUSTERS = "there is LocalCluster; on several machines start cardoon data scheduler, and cardoon data executor"
_APART = "calls are made in processes of their own, which share files or a database; what they return is a future's result"
_SETTINGS = "options are arguments here: LocalCluster(...), read_csv(...); those of servers are options of cardoon-data"
_PLUGINS = "workers take no plugins; do it in the function that is submitted, or before the worker starts"
_ACTORS = "keep what has a state in a process of its own, or in a database"
_ASYNC = "there is no event loop of the client; in a coroutine use asyncio.to_thread(future.result)"
_EVENTS = "there are no events between client and workers; what a function prints is seen, and what it returns is a result"
_LOGS = "workers write to standard error; those of a LocalCluster log nothing"
_WATCH = "ProgressBar and explain() tell of a query, progress() and as_completed of calls"
_SCALE = "the number of workers is that of the beginning; start cardoon data executor for more, or make another cluster"
_KEYS = "what a call has returned is its future's; the scheduler keeps no list of it"

#: Of ``dask.distributed``.
DISTRIBUTED: Mapping[str, str] = {
    **dict.fromkeys(("Lock", "MultiLock", "Semaphore", "Event", "Queue", "Variable", "Pub", "Sub"), _APART),
    "worker_client": "a call has no client; return what is to be called next, or make a Client there",
    **dict.fromkeys(("get_worker", "secede", "rejoin"), "a call has its process for itself, and knows of no worker"),
    "Reschedule": "raise an exception, and submit with retries=",
    **dict.fromkeys(("SSHCluster", "SpecCluster", "SubprocessCluster", "Scheduler", "Worker", "Nanny"), _CLUSTERS),
    **dict.fromkeys(("Adaptive", "Status", "connect", "rpc", "local_client"), _CLUSTERS),
    "Security": "the data port has a token: CARDOON_DATA_TOKEN; it has no TLS, so keep it within a network of your own",
    **dict.fromkeys(("Actor", "ActorFuture", "BaseActorFuture"), _ACTORS),
    **dict.fromkeys(("WorkerPlugin", "SchedulerPlugin", "NannyPlugin", "InstallPlugin", "Environ"), _PLUGINS),
    **dict.fromkeys(("PipInstall", "CondaInstall"), "install it on each machine before its worker starts"),
    **dict.fromkeys(("UploadFile", "UploadDirectory"), "functions of the program travel by value; install modules on each machine"),
    **dict.fromkeys(("config", "dask", "annotate"), _SETTINGS),
    **dict.fromkeys(("performance_report", "get_task_stream", "get_task_metadata", "MemorySampler"), _WATCH),
    **dict.fromkeys(("print", "warn"), "use print of Python: what a function prints is seen in the program"),
    "CompatibleExecutor": "use Client.get_executor()",
    "span": _WATCH,
    "sync": _ASYNC,
    "futures_of": "frames and delayed calls have no futures; client.compute(lazy) answers one",
    "persist": "use persist() of the lazy object, or of the client",
    "visualize": "use visualize() of the frame",
    "widgets": _WATCH,
}

#: Of clients.
CLIENT: Mapping[str, str] = {
    **dict.fromkeys(("restart", "restart_workers"), "close the client and make another one"),
    "retire_workers": _SCALE,
    **dict.fromkeys(("run", "run_on_scheduler"), "submit the function; any worker that is free calls it"),
    **dict.fromkeys(("publish_dataset", "get_dataset", "list_datasets", "unpublish_dataset"), "keep persist() in a variable"),
    "datasets": "keep persist() in a variable",
    **dict.fromkeys(("upload_file", "register_plugin"), "functions of the program travel by value, and modules that it finds workers find too"),
    **dict.fromkeys(("register_worker_plugin", "register_scheduler_plugin", "register_worker_callbacks"), _PLUGINS),
    **dict.fromkeys(("unregister_worker_plugin", "unregister_scheduler_plugin"), _PLUGINS),
    **dict.fromkeys(("who_has", "has_what", "rebalance", "replicate"), "workers keep nothing after a query"),
    **dict.fromkeys(("futures_of", "nbytes", "processing", "call_stack", "story"), _KEYS),
    **dict.fromkeys(("get_metadata", "set_metadata", "log_event", "get_events", "subscribe_topic"), _EVENTS),
    **dict.fromkeys(("unsubscribe_topic", "forward_logging", "unforward_logging"), _EVENTS),
    **dict.fromkeys(("get_worker_logs", "get_scheduler_logs"), _LOGS),
    **dict.fromkeys(("get_task_stream", "dump_cluster_state", "benchmark_hardware", "amm"), _WATCH),
    **dict.fromkeys(("loop", "sync", "asynchronous", "start"), _ASYNC),
    "get_versions": "compare what `python -m pip list` says on each machine",
    "as_current": "the client that was made last is the current one, until it is closed",
    "write_scheduler_file": "scheduler_info()['address'] is all that there is to know",
    "normalize_collection": "a frame is computed as it is; persist() keeps its rows",
    "scheduler": "scheduler_info() tells of it",
    "get": "use submit, or delayed",
    "profile": "use a profiler of Python",
}

#: Of clusters.
CLUSTER: Mapping[str, str] = {
    **dict.fromkeys(("adapt", "scale_up", "scale_down", "start_worker", "new_worker_spec"), _SCALE),
    **dict.fromkeys(("plan", "requested", "observed", "worker_spec"), "n_workers and workers tell of it"),
    "from_name": "keep the cluster in a variable, or its scheduler_address",
    "get_client": "use Client(cluster)",
    "get_logs": _LOGS,
    "logs": _LOGS,
    "name": "scheduler_address tells clusters apart",
    "scheduler": "scheduler_info tells of it",
    "wait_for_workers": "all of them are there when the cluster is; Client.wait_for_workers waits for more of them",
    **dict.fromkeys(("loop", "sync", "asynchronous", "called_from_running_loop"), _ASYNC),
}

#: Of futures.
FUTURE: Mapping[str, str] = {
    **dict.fromkeys(("client", "bind_client"), "keep the client in a variable; get_client() answers the current one"),
    "executor": "use Client.get_executor(), whose futures are those of Python",
    "type": "use type(future.result())",
    "substitute": "use the future itself as an argument",
    **dict.fromkeys(("running", "set_result", "set_exception"), "status is pending, finished, error or cancelled"),
}

#: Of ``as_completed``.
AS_COMPLETED: Mapping[str, str] = {
    "condition": "iterate, or ask has_ready()",
    "loop": _ASYNC,
}

#: Of delayed calls. Any other name is an attribute of what the call returns.
DELAYED: Mapping[str, str] = {
    "dask": "there is no graph to be had; compute() makes the call and what it needs",
    "visualize": "a delayed call is not drawn; frames are, by their visualize()",
}

#: Options of clusters and clients that would have an effect.
OPTIONS: Mapping[str, str] = {
    "asynchronous": _ASYNC,
    "security": DISTRIBUTED["Security"],
    "scheduler_file": "give the address of the scheduler",
    "resources": "any worker that is free makes the call",
    **dict.fromkeys(("host", "ip", "interface", "protocol"), "a LocalCluster is at 127.0.0.1; " + _CLUSTERS),
    **dict.fromkeys(("worker_class", "scheduler_kwargs", "service_kwargs", "services", "worker_services"), _CLUSTERS),
    "preload": _PLUGINS,
    "env": "set os.environ before the cluster is made",
}

#: Options of Dask that have no effect, whatever their values are.
WITHOUT_EFFECT = frozenset(
    ("name", "loop", "start", "timeout", "set_as_default", "heartbeat_interval", "direct_to_workers", "connection_limit")
    + ("worker_dashboard_address", "diagnostics_port", "scheduler_sync_interval", "blocked_handlers", "death_timeout")
    + ("serializers", "deserializers", "nanny", "extensions")
)
