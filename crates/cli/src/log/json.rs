//! The log for programs.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io::Write as _;

use cardoon_runtime::Clock;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::output::rfc3339;

/// What every line has. A field of the same name is written as `field.NAME`.
const OF_LINES: [&str; 4] = ["timestamp", "level", "target", "message"];

/// Writes one object a line: `timestamp` (RFC 3339, UTC), `level`, `target`, `message`, and all fields of the event and
/// of the spans around it beside them. Of fields with the same name the innermost counts.
pub(super) struct JsonLines<W> {
    writer: W,
    clock: Clock,
}

/// Names and values in the order of their first mention.
#[derive(Clone, Default)]
struct Fields(Vec<(Cow<'static, str>, Value)>);

impl Fields {
    fn put(&mut self, name: Cow<'static, str>, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<W> JsonLines<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, clock: Clock::real() }
    }

    fn line<S>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Fields
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let time = rfc3339(self.clock.now());
        let own = [time.as_str(), metadata.level().as_str(), metadata.target(), ""];
        let mut line = Fields(OF_LINES.iter().map(|name| (*name).into()).zip(own.map(Value::from)).collect());
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(Fields(fields)) = span.extensions().get() {
                fields.iter().cloned().for_each(|(name, value)| line.put(name, value));
            }
        }
        event.record(&mut Visitor { fields: &mut line, is_event: true });
        line
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut Visitor { fields: &mut fields, is_event: false });
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut() {
            values.record(&mut Visitor { fields, is_event: false });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Ok(mut line) = serde_json::to_vec(&self.line(event, &context)) else { return };
        line.push(b'\n');
        // Nobody is left to be told that the log is closed.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&line);
    }
}

struct Visitor<'a> {
    fields: &'a mut Fields,
    /// The field `message` is the line's own.
    is_event: bool,
}

impl Visitor<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        if super::is_of_traces(field) {
            return;
        }
        let name = match field.name() {
            "message" if self.is_event => "message".into(),
            name if OF_LINES.contains(&name) => format!("field.{name}").into(),
            name => name.into(),
        };
        self.fields.put(name, value.into());
    }
}

impl Visit for Visitor<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let writer = written.clone();
        let lines = JsonLines::new(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_is_an_object_with_the_fields_of_the_event_and_of_its_spans() {
        let lines = logged(|| {
            let outer =
                tracing::info_span!("run", task.id = "a", attempt = 0, trace_id = tracing::field::Empty);
            outer.record("trace_id", "0af7");
            let _outer = outer.entered();
            let _inner = tracing::info_span!("step", attempt = 1).entered();
            tracing::warn!(target: "output", ok = true, ratio = 0.5, "a \u{1b}[31m\nline of {}", "two");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["message"], "a \u{1b}[31m\nline of two");
        assert_eq!((&object["level"], &object["target"]), (&"WARN".into(), &"output".into()));
        assert_eq!((&object["task.id"], &object["attempt"]), (&"a".into(), &1.into()));
        assert_eq!(
            (&object["ok"], &object["ratio"], &object["trace_id"]),
            (&true.into(), &0.5.into(), &"0af7".into())
        );
        let time: jiff::Timestamp = object["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(
            line.starts_with(&format!("{{\"timestamp\":\"{time:.3}\"")) && !line.contains('\u{1b}'),
            "{line}"
        );
    }

    #[test]
    fn a_field_with_a_name_of_the_line_does_not_hide_that() {
        let lines = logged(|| tracing::info!(level = "own", target = 7, "text"));
        let object: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (&object["level"], &object["field.level"], &object["field.target"]),
            (&"INFO".into(), &"own".into(), &7.into())
        );
    }
}
