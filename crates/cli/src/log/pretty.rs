//! The fields of lines for people.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::output::clean;

/// Writes the message, and then `name=value`. What a terminal would obey, or take for another line, is escaped.
pub(super) struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, field: &Field, value: &str) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        match field.name() {
            "message" => self.writer.write_str(value),
            name if self.writer.has_ansi_escapes() => write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m={value}"),
            name => write!(self.writer, "{name}={value}"),
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.result.is_ok() && !super::is_of_traces(field) {
            // Tabs stay: they are harmless, and tables are made of them.
            let value = format!("{value:?}").split('\t').map(clean).collect::<Vec<_>>().join("\t");
            self.result = self.write(field, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn logged(with_ansi: bool, log: impl FnOnce()) -> String {
        let (reader, writer) = std::io::pipe().unwrap();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::sync::Mutex::new(writer));
        let lines = lines.fmt_fields(Fields).with_ansi(with_ansi).with_target(false).without_time();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        std::io::read_to_string(reader).unwrap()
    }

    #[test]
    fn a_line_has_the_message_and_then_the_fields() {
        let line = logged(false, || {
            let _span = tracing::info_span!("task", task.id = %"a", attempt = 2).entered();
            tracing::info!(failure = "it said \"no\"", count = 3, "task failed");
        });
        assert_eq!(
            line,
            " INFO task{task.id=a attempt=2}: task failed failure=\"it said \\\"no\\\"\" count=3\n"
        );
    }

    #[test]
    fn no_order_to_a_terminal_and_no_second_line_comes_through() {
        let evil = "\u{1b}[2J\r\u{9b}31m\u{202e}\nERROR forged\tx\u{7f}\0";
        let line = logged(false, || {
            let _span = tracing::info_span!("task", name = %evil).entered();
            tracing::warn!(shown = %evil, quoted = evil, "{evil}");
        });
        let is_bad = |c: char| c.is_control() && c != '\t' || c == '\u{202e}';
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_bad), "{line:?}");
        assert_eq!(line.matches("\\u{1b}[2J\\r").count(), 4, "{line}");
        assert!(
            logged(true, || tracing::info!(n = 1, "{evil}")).matches('\u{1b}').count() > 2,
            "our own colours stay"
        );
    }
}
