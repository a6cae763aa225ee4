//! What the command exports reaches a collector: `cargo test -p cardoon-cli --features otlp --test otlp`.
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

#[path = "../cli/support.rs"]
#[expect(dead_code, reason = "it serves other tests too")]
mod support;

mod collector;

use collector::{Collector, Span};
use support::{Home, Running, finish};

/// OpenTelemetry's numbers of kinds and of a status.
const PRODUCER: u64 = 4;
const CONSUMER: u64 = 5;
const ERROR: u64 = 2;

fn traced(home: &Home, collector: &Collector, line: &[&str]) -> std::process::Command {
    let mut command = home.command(line);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()).env("OTEL_SERVICE_NAME", "mails");
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50").env("CARDOON_RETRY__MAX", "0");
    command
}

fn send(home: &Home, collector: &Collector, task: &str, args: &str) -> String {
    let ended = finish(traced(home, collector, &["send", task, "--args", args]));
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

#[test]
fn sending_and_running_are_spans_of_one_trace_with_the_names_of_celery() {
    let (home, collector) = (Home::new(), Collector::start());
    let worker = Running::start(traced(&home, &collector, &["worker", "--builtin", "-n", "w1"]));
    let id = send(&home, &collector, "cardoon.add", "[2, 3]");
    let sent = collector.span("apply_async/cardoon.add");
    let run = collector.span("run/cardoon.add");
    assert_eq!((sent.kind, run.kind), (PRODUCER, CONSUMER));
    assert_eq!((&run.trace, &run.parent), (&sent.trace, &sent.id));
    assert!(sent.parent.is_empty());
    for (span, action) in [(&sent, "apply_async"), (&run, "run")] {
        assert_eq!(span.text("celery.action"), action);
        assert_eq!(span.text("celery.task_name"), "cardoon.add");
        assert_eq!((span.text("messaging.message.id"), span.text("messaging.destination")), (&*id, "celery"));
        assert_eq!(span.service, "mails");
    }
    assert_eq!((run.text("celery.state"), run.text("celery.hostname")), ("SUCCESS", "w1"));
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
}

#[test]
fn a_failed_run_is_an_error_and_what_is_left_is_exported_at_the_end() {
    let (home, collector) = (Home::new(), Collector::start());
    let mut command = traced(&home, &collector, &["worker", "--builtin", "-l", "warn"]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "600000");
    let worker = Running::start(command);
    send(&home, &collector, "cardoon.fail", r#"["no such mail"]"#);
    worker.says("task failed");
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    let run = collector.span("run/cardoon.fail");
    assert_eq!((run.status, run.text("celery.state")), (ERROR, "FAILURE"));
    assert!(run.status_text.contains("no such mail"), "{run:?}");
}

#[test]
fn a_collector_that_is_gone_keeps_nobody_from_working() {
    let (home, collector) = (Home::new(), Collector::start());
    let url = collector.url();
    drop(collector);
    let mut command = home.command(&["send", "cardoon.noop"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    let ended = finish(command);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

/// Only to be named in what a failed test prints.
impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} status {} {:?} {:?}", self.name, self.status, self.status_text, self.attributes)
    }
}
