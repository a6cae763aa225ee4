"""English."""

from __future__ import annotations

from collections.abc import Mapping

from ..findings import Severity
from .words import Explanation, Words

WORDS = Words(
    usage="""\
What will differ if the tasks of a Celery application run on Cardoon

Usage: cardoon assess -A APP [-o FORMAT] [--lang LANGUAGE]

  -A, --app APP        the application, as for celery -A: proj, proj:app, proj.celery
  -o, --output FORMAT  table or json (default: table)
      --lang LANGUAGE  en or zh (default: that of the locale)
  -h, --help           print this

The application is imported; no connection is made.

Exit status: 0 nothing loses tasks or is unsupported, 1 something does or is,
2 wrong usage, 6 the application could not be imported.
""",
    severities={
        Severity.LOSES_TASKS: "loses tasks",
        Severity.UNSUPPORTED: "unsupported",
        Severity.DIFFERS: "differs",
        Severity.INFO: "info",
    },
    celery="Celery",
    cardoon="Cardoon",
    fix="Fix",
    head="{app}: {tasks} tasks, Celery {celery}",
    more_places="and {count} more; -o json lists all",
    missing_app="-A is missing: it names the application",
    missing_value="{argument} needs a value",
    unknown_argument="unknown argument: {argument}",
    bad_choice="{argument} is one of {choices}, not {value}",
    usage_hint="see: cardoon assess --help",
    no_celery="Celery is not installed in this Python: {python}",
    import_failed="cannot import {app}; what its code raised:",
    not_an_application="{app} leads to no Celery application; name it as in: celery -A {app} report",
)

EXPLANATIONS: Mapping[str, Explanation] = {
    "early-ack": Explanation(
        "Acknowledges a task before it runs ({count} of {total} tasks). If the worker dies, the task is lost.",
        "Acknowledges when the task has ended. If the worker dies, the task runs again, so it must be safe to repeat.",
        "{set:True}  # after checking that tasks may run twice",
    ),
    "early-ack-chosen": Explanation(
        "Acknowledges a task before it runs, as the application asks. If the worker dies, the task is lost.",
        "Keeps what the application asks for. If the worker dies, a task that had begun is not repeated; it is recorded as "
        "failed with an unknown outcome.",
        "{set:True}  # if it is safe to repeat",
    ),
    "worker-lost-ack": Explanation(
        "Acknowledges a late task all the same when its child process is killed, as by the out-of-memory killer: it is "
        "recorded as failed and does not run again.",
        "Runs it again. A task that kills its process three times goes to the dead letters.",
        "{set:True}",
    ),
    "failure-dropped": Explanation(
        "Rejects the message of a failed or timed-out task. On Redis it is gone; on RabbitMQ it goes to a dead letter "
        "exchange if the queue has one.",
        "Keeps the message of every task that failed for good in the dead letters; `cardoon dead redrive` sends it again.",
        "{set:True}",
    ),
    "eta-redelivery": Explanation(
        "Keeps a delayed task in a worker's memory. Redis gives it to another worker after {limit} s, and it runs several "
        "times.",
        "Keeps delayed tasks in the broker. There is no visibility timeout, and a restart loses none.",
        'broker_transport_options["visibility_timeout"] = {enough}  # for Celery\'s workers; Cardoon needs nothing',
    ),
    "visibility-timeout": Explanation(
        "Gives a message to another worker if it was not acknowledged in this time, also while the first one works on it.",
        "Ignores it. A lease renewed by a heartbeat takes its place: a dead worker's tasks run again within seconds.",
        "Nothing to do; remove it with the last Celery worker.",
    ),
    "long-expires": Explanation(
        "A message that a worker holds for longer than {limit} s, prefetched or delayed, is given to another one before it "
        "expires.",
        "A task may wait until it expires; what a living worker holds is given to nobody else.",
        "Nothing to do.",
    ),
    "long-run": Explanation(
        "A late-acknowledged task that runs for longer than {limit} s is given to another worker and runs twice.",
        "The lease is renewed while the worker lives: a long task is not repeated because it is long.",
        'broker_transport_options["visibility_timeout"] = {enough}  # for Celery\'s workers; Cardoon needs nothing',
    ),
    "eta-limit": Explanation(
        "Limits how many delayed tasks a worker keeps in its memory.",
        "Ignores it: delayed tasks wait in the broker, not in a worker.",
        "Nothing to do; remove it with the last Celery worker.",
    ),
    "serializer-refused": Explanation(
        "A worker of this application does not accept {serializer}: it acknowledges such a message and drops it.",
        "Puts a message that it must not read into the dead letters, with its bytes.",
        '{set:"json"}  # or name "{serializer}" in accept_content',
    ),
    "pickle-accepted": Explanation(
        "Reads pickle, which executes whatever code a message holds.",
        "Reads pickle in Python workers only, and only because this setting names it. Workers in Rust refuse it.",
        'app.conf.accept_content = ["json"]  # with task_serializer = "json"',
    ),
    "other-serializer": Explanation(
        "Writes messages in this form.",
        "Reads YAML and msgpack; what it writes itself is JSON.",
        '{set:"json"}  # or leave it',
    ),
    "auth-serializer": Explanation(
        "Signs messages and checks the signatures.",
        "Does not read signed messages; they go to the dead letters.",
        '{set:"json"}  # and rediss:// to protect the way',
    ),
    "custom-serializer": Explanation(
        "Reads and writes with a serializer that the application registered in kombu.",
        "Reads JSON, msgpack and YAML. Other messages go to the dead letters.",
        '{set:"json"}',
    ),
    "result-serializer": Explanation(
        "Stores results in this form.",
        "Stores and reads results in JSON.",
        '{set:"json"}',
    ),
    "compression": Explanation(
        "Compresses with this method.",
        "Reads zlib, gzip, bzip2, xz and zstd. Other messages go to the dead letters.",
        '{set:"gzip"}',
    ),
    "old-protocol": Explanation(
        "Sends messages of protocol 1.",
        "Reads protocol 1 and 2, and writes 2.",
        "{set:2}",
    ),
    "message-signing": Explanation(
        "Has keys and certificates to sign messages with.",
        "Neither signs nor checks signatures.",
        "Remove {setting}; protect the way to the broker with rediss://.",
    ),
    "pool-green": Explanation(
        "Executes tasks in green threads that switch when they wait.",
        "Has no green threads. Tasks that wait run in threads, or as `async def` on an event loop.",
        'app.conf.worker_pool = "threads"',
    ),
    "pool-custom": Explanation(
        "Executes tasks in a pool class of the application.",
        "Has its own processes, threads and event loop, and loads no pool class.",
        'app.conf.worker_pool = "prefork"',
    ),
    "pool-solo": Explanation(
        "Executes one task at a time in the worker's own process, which meanwhile answers nobody.",
        "Executes tasks in a child process; the worker stays responsive and outlives a crash.",
        'app.conf.worker_pool = "prefork"  # with worker_concurrency = 1',
    ),
    "pool-threads": Explanation(
        "Executes tasks in threads of the worker's process.",
        "Executes them in threads of a child process.",
        "Nothing to do.",
    ),
    "pool-prefork": Explanation(
        "Executes tasks in forked child processes.",
        "Executes them in child processes too; a killed one is replaced and its task runs again.",
        "Nothing to do.",
    ),
    "prefetch": Explanation(
        "Fixes how many messages a worker takes in advance for each slot.",
        "Ignores it: a worker takes for its free slots, and more only if tasks are measured to be short.",
        "Nothing to do; remove it with the last Celery worker.",
    ),
    "concurrency": Explanation(
        "Executes so many tasks at once.",
        "Has an option and a setting of its own for that.",
        "cardoon worker --concurrency N  # or CARDOON_WORKER__CONCURRENCY=N",
    ),
    "recycle-tasks": Explanation(
        "Replaces a child process after so many tasks, and starts the new one from the worker.",
        "Replaces it too; the new one is forked from a process that has the application imported already.",
        "Nothing to do.",
    ),
    "recycle-memory": Explanation(
        "Replaces a child process that is larger than this, in KiB, when its task has ended.",
        "Does the same; the new one is forked from a process that has the application imported already.",
        "Nothing to do.",
    ),
    "autoscaler": Explanation(
        "Grows and shrinks the pool by a class of the application.",
        "Has a fixed number of slots; a slot that is not used costs little.",
        "cardoon worker --concurrency N  # the highest number that the autoscaler would reach",
    ),
    "shutdown-grace": Explanation(
        "Lets running tasks go on for this long at shutdown.",
        "Has a setting of its own for that, 25 s by default; what is not finished then runs elsewhere.",
        "cardoon worker --grace {value}s",
    ),
    "worker-extension": Explanation(
        "Loads this into its worker.",
        "Its worker is another program and does not load it.",
        "Run {name} in a process of its own, or keep a Celery worker for it.",
    ),
    "broker-unsupported": Explanation(
        "Takes messages from {scheme}.",
        "Takes them from Redis or SQLite so far.",
        'app.conf.broker_url = "redis://localhost:6379/0"',
    ),
    "broker-failover": Explanation(
        "Tries {count} servers in turn.",
        "Takes one URL, and follows a failover through Sentinel.",
        "CARDOON_BROKER=redis+sentinel://HOST:26379,HOST2:26379/NAME/0",
    ),
    "broker-split": Explanation(
        "Reads from one broker and writes to another.",
        "Reads and writes at one URL.",
        "Remove {setting}; use broker_url alone.",
    ),
    "sentinel-url": Explanation(
        "Writes Sentinel as sentinel:// with master_name in the transport options.",
        "Writes it as one URL with the name of the primary.",
        "CARDOON_BROKER={url}",
    ),
    "tls-options": Explanation(
        "Takes the options of TLS from this setting.",
        "Takes them from the URL, and always checks the certificate. With a redis:// URL it does not start: CD4002.",
        "CARDOON_BROKER=rediss://HOST:6379/0?ssl_ca_certs={authorities}",
    ),
    "tls-unchecked": Explanation(
        "Does not insist on a valid certificate of the server.",
        "Always checks it, and refuses one that is not trusted (CD1208).",
        "CARDOON_BROKER=rediss://HOST:6379/0?ssl_ca_certs=FILE  # the authority that signed it",
    ),
    "tls-client-certificate": Explanation(
        "Shows a certificate of its own to the server.",
        "Has no client certificates; it logs in by user and password.",
        "ACL SETUSER cardoon on >PASSWORD ~* &* +@all  # on the server, with `tls-auth-clients no`",
    ),
    "redis-layout": Explanation(
        "Changes the names of the lists on Redis.",
        "Reads lists with their usual names, separators and priority steps only, and does not start with this option: CD4002.",
        'Remove "{option}" from {setting}.',
    ),
    "queue-order": Explanation(
        "Chooses the next queue by this strategy.",
        "Takes from its queues in turn.",
        "cardoon worker -Q QUEUE  # a worker for the queue that must come first",
    ),
    "transport-option": Explanation(
        "Gives this option to its transport.",
        "Has a connection of its own and does not read it.",
        "Nothing to do.",
    ),
    "backend-unsupported": Explanation(
        "Keeps results in {scheme}.",
        "Keeps them on Redis or SQLite so far.",
        "app.conf.result_backend = {wanted}",
    ),
    "no-results": Explanation(
        "Keeps no results.",
        "Keeps them with the messages, for a day, unless a task says that it ignores its result.",
        "app.conf.task_ignore_result = True  # or set result_backend",
    ),
    "results-apart": Explanation(
        "Keeps results in another place than messages.",
        "Stores result and acknowledgement in one step if both are in one place; here in two, which can be repeated.",
        "app.conf.result_backend = app.conf.broker_url",
    ),
    "result-expires": Explanation(
        "Keeps results for the time of this setting.",
        "Has one setting of its own for all results, a day by default.",
        "CARDOON_RETENTION__RESULTS={kept}",
    ),
    "ignore-result": Explanation(
        "Keeps no result.",
        "Keeps none either; a failure is recorded and its message is in the dead letters.",
        "Nothing to do.",
    ),
    "rate-limit": Explanation(
        "Limits the rate in each worker by itself; what is over the limit blocks the prefetched messages.",
        "Has no rate limits so far.",
        'app.conf.task_routes = {{"{pattern}": {{"queue": "limited"}}}}  # and: cardoon worker -Q limited -c 1',
    ),
    "annotations": Explanation(
        "Gives tasks these options, time limits too, over what their definitions say.",
        "Does not read this setting: tasks have the options of their definitions.",
        "@app.task(time_limit=…)  # write the options where the tasks are defined",
    ),
    "time-limit": Explanation(
        "Signals the child process at the soft limit and kills it at the hard one.",
        "Does the same, counted from the start of the run; the hard limit also ends code that ignores signals.",
        "Nothing to do.",
    ),
    "time-limit-pool": Explanation(
        "Does not enforce time limits in this pool.",
        "Enforces them: a task over its hard limit is recorded as timed out. A thread cannot be stopped; its slot is "
        "written off.",
        'app.conf.worker_pool = "prefork"  # to have the task ended',
    ),
    "custom-send": Explanation(
        "Calls these methods of the application when its code sends a task.",
        "What Cardoon sends itself, such as `cardoon task retry`, does not go through them.",
        "Move what they add to the sender of the before_task_publish signal.",
    ),
    "custom-call": Explanation(
        "Calls __call__ of the application's class around the task.",
        "Executes the task by Celery's own tracer in a child process, which calls it too.",
        "Nothing to do.",
    ),
    "task-handlers": Explanation(
        "Calls these handlers when a task starts or ends.",
        "Calls them in the child process. If that was killed, another child calls on_failure.",
        "Keep no state in the process between a task and its handlers.",
    ),
    "custom-request": Explanation(
        "Uses these classes of the application in the worker's main process.",
        "Has no such process in Python and does not load them.",
        "Move the code of the class into before_start, on_failure or after_return of the task.",
    ),
    "chosen-id": Explanation(
        "Executes a task anew if it is sent with an id that was used before.",
        "Does so on Redis. On SQLite an id is one task: what is sent under a known one, also after its end, adds nothing.",
        "Leave task_id out, or make a new id for each task that is to run.",
    ),
    "bound-task": Explanation(
        "Passes the task itself as first argument; self.request is the message.",
        "Does the same; self.request.hostname is the name of the Cardoon worker.",
        "Nothing to do.",
    ),
    "async-task": Explanation(
        "Calls the function and never awaits it: the body does not run.",
        "Runs it on an event loop.",
        "Keep such tasks in a queue that only Cardoon workers take from: cardoon worker -Q QUEUE",
    ),
    "autoretry": Explanation(
        "Sends the task again with an ETA, which waits in the memory of a worker.",
        "Retries at the same times and as often; the retry waits in the broker.",
        "Nothing to do.",
    ),
    "endless-retries": Explanation(
        "Retries for ever and keeps no list of the failures.",
        "Retries for ever too, and records each failure.",
        "{set:10}  # what fails for good is in the dead letters then",
    ),
    "track-started": Explanation(
        "Writes the state STARTED to the result backend before each run.",
        "Knows what runs without it: cardoon task list",
        "Nothing to do.",
    ),
    "always-eager": Explanation(
        "Runs tasks in the process that sends them; no message is sent.",
        "Gets no message, so its workers have nothing to do.",
        "{set:False}",
    ),
    "priority": Explanation(
        "On Redis 0 is the most urgent, and a task without a priority has it.",
        "Keeps the meaning of Celery's messages. In its own commands 9 is the most urgent.",
        "cardoon send TASK --priority 9  # the most urgent, where Celery's senders write 0",
    ),
    "canvas-in-task": Explanation(
        "Expands and continues what the task sends with these primitives.",
        "Refuses messages of chains, groups and chords at present, and keeps them in the dead letters.",
        'task.s().set(queue="canvas")  # each signature of a workflow, and Celery workers for this queue',
    ),
    "canvas": Explanation(
        "Continues chains, groups and chords from what a message holds. The application does not show which are sent.",
        "Its workers refuse such messages at present, and keep them in the dead letters.",
        'task.s().set(queue="canvas")  # each signature of a workflow, and Celery workers for this queue',
    ),
    "queue-exchange": Explanation(
        "Routes through an exchange that copies or matches by pattern.",
        "Takes from queues by name, and declares no exchanges.",
        'app.conf.task_routes = {{"proj.tasks.*": {{"queue": "NAME"}}}}  # direct routes by task',
    ),
    "queue-priority": Explanation(
        "Asks RabbitMQ for a queue with priorities, where the highest number is the most urgent.",
        "Has no RabbitMQ yet; priorities there are those of Redis, 0 being the most urgent.",
        "Remove x-max-priority and turn the numbers round.",
    ),
    "queue-arguments": Explanation(
        "Declares the queue with arguments, which RabbitMQ obeys; Redis knows x-expires alone.",
        "Declares no queues and obeys no arguments.",
        "@app.task(expires=SECONDS)  # instead of a limit of the queue",
    ),
    "worker-direct": Explanation(
        "Gives each worker a queue of its own, to send a task to one worker.",
        "Has no queue for a single worker.",
        "cardoon worker -Q NAME  # a queue with one worker",
    ),
    "routes-function": Explanation(
        "Asks this router for the queue when a task is sent.",
        "What Celery's senders send is routed so. Cardoon's own commands do not call it.",
        "cardoon send TASK --queue NAME",
    ),
    "queues": Explanation(
        "A worker without -Q takes from these queues.",
        "A worker takes from `celery` alone unless told otherwise.",
        "CARDOON_WORKER__QUEUES={queues}",
    ),
    "beat-schedule": Explanation(
        "One `celery beat` sends the entries; a second one sends everything twice.",
        "Interval and crontab entries are supported; `celery beat` may go on to send to Cardoon's workers.",
        "Let either `celery beat` or Cardoon send the entries, never both.",
    ),
    "beat-solar": Explanation(
        "Computes the time from the position of the sun.",
        "Knows intervals and crontabs.",
        "Keep `celery beat` for {name}, or give it a crontab.",
    ),
    "beat-custom-schedule": Explanation(
        "Asks a class of the application when the entry is due.",
        "Knows intervals and crontabs, and loads no schedule classes.",
        "Keep `celery beat` for {name}, or give it a crontab.",
    ),
    "beat-id": Explanation(
        "Sends every tick with this id.",
        "Gives each tick an id of its own, by which two schedulers do not send it twice: `cardoon beat` refuses the entry.",
        'del app.conf.beat_schedule["{name}"]["options"]["task_id"]',
    ),
    "beat-scheduler": Explanation(
        "Takes the entries from this class, such as a database of Django.",
        "Reads beat_schedule alone.",
        "Keep `celery beat -S` with this class; it sends to Cardoon's workers too.",
    ),
    "beat-unknown-task": Explanation(
        "Sends {task}, which this application does not have; a worker that does not know it drops it.",
        "Leaves it to workers that know it, or puts it into the dead letters.",
        'app.conf.imports = ("MODULE",)  # the module that has {task}',
    ),
    "signal-in-child": Explanation(
        "Sends this signal where tasks run or are sent.",
        "Sends it too, in its child processes.",
        "Nothing to do.",
    ),
    "signal-not-sent": Explanation(
        "Sends this signal in the worker's main process.",
        "Has no such process in Python and never sends it.",
        "Move the work of the receiver to worker_process_init or task_prerun.",
    ),
    "signal-logging": Explanation(
        "Lets the receiver set up the log of the worker.",
        "Writes its log itself and collects what child processes print; the receiver is not called.",
        "Set up logging where the application is imported.",
    ),
    "remote-control": Explanation(
        "Answers `celery inspect` and `celery control`.",
        "Does not answer them; revokes are stored, and lists come from the store.",
        "{set:False}  # use: cardoon task list, cardoon queue list",
    ),
    "control-command": Explanation(
        "Answers this command of the application in the worker's main process.",
        "Knows no commands of applications.",
        "Make {name} a task, and send it.",
    ),
    "celery-events": Explanation(
        "Publishes events, which Flower and `celery events` show.",
        "Publishes events of its own, not Celery's.",
        "cardoon events",
    ),
    "ignored-setting": Explanation(
        "Its worker reads this setting.",
        "Its worker does not.",
        "Nothing to do; remove it with the last Celery worker.",
    ),
    "unknown-setting": Explanation(
        "Does not know this setting and ignores it, unless an extension reads it.",
        "Ignores it.",
        "Remove {setting}, unless an extension reads it.",
    ),
    "misspelt-setting": Explanation(
        "Does not know this name and ignores it. It resembles {meant}.",
        "Ignores it too.",
        "Write {meant} instead of {setting}.",
    ),
}
