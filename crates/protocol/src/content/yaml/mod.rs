//! YAML as `PyYAML`'s `safe_dump` writes it and `safe_load` reads it, less what only people write.
//!
//! Anchors are written out where they are referred to, within the limit of size. Tags that would build objects are
//! refused, and so are merge keys.

mod scalar;

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use cardoon_core::DeadReason;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use self::scalar::Scalar;
use super::writer::Writer;
use super::{extension, malformed};
use crate::{Limits, Undecodable};

pub(super) fn to_json(body: &[u8], limits: &Limits) -> Result<Bytes, Undecodable> {
    let text = std::str::from_utf8(body).map_err(malformed)?;
    let mut document = Document::new(Writer::new(limits, body.len().min(limits.max_bytes)));
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| broken(&error))?;
        document.step(event)?;
    }
    if document.count != 1 {
        return Err(malformed(format!("{} YAML documents instead of one", document.count)));
    }
    document.json.finish().map(Bytes::from)
}

fn broken(error: &ScanError) -> Undecodable {
    malformed(format!("no YAML: {error}"))
}

struct Document {
    json: Writer,
    /// How many documents have begun.
    count: usize,
    /// The values that can be referred to.
    anchors: HashMap<usize, Range<usize>>,
    /// Each open array and object: its anchor, if it has one, and where it began.
    open: Vec<(usize, usize)>,
}

impl Document {
    fn new(json: Writer) -> Self {
        Self { json, count: 0, anchors: HashMap::new(), open: Vec::new() }
    }

    fn step(&mut self, event: Event<'_>) -> Result<(), Undecodable> {
        match event {
            Event::DocumentStart(_) => self.begin_document(),
            Event::Alias(anchor) => self.alias(anchor),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref()),
            Event::SequenceStart(anchor, tag) => {
                self.begin(anchor, tag.as_deref(), "seq")?;
                self.json.begin_array()
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(anchor, tag.as_deref(), "map")?;
                self.json.begin_object()
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.json.end();
                let (anchor, start) = self.open.pop().unwrap_or_default();
                self.remember(anchor, start);
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin_document(&mut self) -> Result<(), Undecodable> {
        self.count += 1;
        if self.count > 1 { Err(malformed("more than one YAML document")) } else { Ok(()) }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, own: &str) -> Result<(), Undecodable> {
        if let Some(tag) = tag.filter(|tag| !is_core(tag, own)) {
            return Err(unknown_tag(tag));
        }
        if self.json.wants_name() {
            return Err(not_a_name());
        }
        self.open.push((anchor, self.json.next_value()));
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Undecodable> {
        let value = match tag {
            Some(tag) => tagged(text, tag)?,
            None if style == ScalarStyle::Plain => Scalar::plain(text)?,
            None => Scalar::Text(text.into()),
        };
        if self.json.wants_name() {
            return self.name(&value);
        }
        let start = self.json.next_value();
        match &value {
            Scalar::Literal(literal) => self.json.literal(literal)?,
            Scalar::Float(number) => self.json.float(*number)?,
            Scalar::Text(text) => self.json.string(text)?,
            Scalar::Bytes(bytes) => extension::put_bytes(&mut self.json, bytes)?,
            Scalar::Time { kind, text } => extension::put(&mut self.json, kind, text)?,
            Scalar::Merge => return Err(refused("merge keys are not accepted")),
        }
        self.remember(anchor, start);
        Ok(())
    }

    /// The name of a member. JSON has texts only, so other scalars are written as kombu's JSON writes them.
    fn name(&mut self, value: &Scalar<'_>) -> Result<(), Undecodable> {
        match value {
            Scalar::Literal(text) | Scalar::Text(text) => self.json.name(text),
            Scalar::Float(number) => self.json.name(&format!("{number:?}")),
            Scalar::Merge => Err(refused("merge keys are not accepted")),
            Scalar::Bytes(_) | Scalar::Time { .. } => Err(not_a_name()),
        }
    }

    fn remember(&mut self, anchor: usize, start: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, start..self.json.position());
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<(), Undecodable> {
        if self.json.wants_name() {
            return Err(not_a_name());
        }
        match self.anchors.get(&anchor) {
            Some(value) => self.json.copy(value.clone()),
            None => Err(malformed("an alias refers to a key, or to a value that it is inside of")),
        }
    }
}

fn tagged<'t>(text: &'t str, tag: &Tag) -> Result<Scalar<'t>, Undecodable> {
    if !tag.is_yaml_core_schema() {
        return if tag.handle.is_empty() && tag.suffix == "!" {
            Ok(Scalar::Text(text.into()))
        } else {
            Err(unknown_tag(tag))
        };
    }
    match tag.suffix.as_str() {
        "str" => Ok(Scalar::Text(text.into())),
        "binary" => Scalar::binary(text),
        "null" | "bool" | "int" | "float" | "timestamp" => Scalar::plain(text),
        _ => Err(unknown_tag(tag)),
    }
}

fn is_core(tag: &Tag, name: &str) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == name
}

fn unknown_tag(tag: &Tag) -> Undecodable {
    refused(&format!("the YAML tag {:?} is not accepted", format!("{}{}", tag.handle, tag.suffix)))
}

fn refused(detail: &str) -> Undecodable {
    Undecodable::new(DeadReason::Refused, format!("body: {detail}"))
}

fn not_a_name() -> Undecodable {
    malformed("a mapping has a key that JSON cannot have")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(yaml: &str) -> String {
        String::from_utf8(to_json(yaml.as_bytes(), &Limits::default()).unwrap().to_vec()).unwrap()
    }

    fn problem(yaml: &str) -> Undecodable {
        to_json(yaml.as_bytes(), &Limits { max_bytes: 1000, max_depth: 10 }).unwrap_err()
    }

    #[test]
    fn collections_in_both_styles_have_their_json() {
        let body = "- - 2\n  - 'a: b'\n- {n: [1.5, ~], \"x\": yes}\n- callbacks: null\n  chain: null\n";
        assert_eq!(json(body), r#"[[2,"a: b"],{"n":[1.5,null],"x":true},{"callbacks":null,"chain":null}]"#);
        assert_eq!(json("[]"), "[]");
        assert_eq!(json("--- {1: a, null: b, 2.5: c}\n...\n"), r#"{"1":"a","null":"b","2.5":"c"}"#);
        assert_eq!(json("- |\n  two\n  lines\n- >-\n  one\n  line\n"), r#"["two\nlines\n","one line"]"#);
    }

    #[test]
    fn anchors_are_written_out() {
        assert_eq!(
            json("- &id001 [1, {a: b}]\n- *id001\n- - *id001\n"),
            r#"[[1,{"a":"b"}],[1,{"a":"b"}],[[1,{"a":"b"}]]]"#
        );
        assert_eq!(json("- &t 2030-01-02\n- *t\n").matches("\"date\"").count(), 2);
    }

    #[test]
    fn anchors_do_not_break_the_limits() {
        let laughs = (1..20).map(|n| format!("- &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
        let bomb = format!("- &a0 [ha]\n{}", laughs.collect::<String>());
        let error = to_json(bomb.as_bytes(), &Limits { max_bytes: 1_000_000, max_depth: 128 }).unwrap_err();
        assert_eq!(error.reason, DeadReason::TooLarge);
        assert_eq!(problem(&bomb).to_string(), "too-large: the body has more than 1000 bytes as JSON");
        let deep = "- &a [[[[[[]]]]]]\n- [[[[*a]]]]\n";
        assert_eq!(problem(deep).to_string(), "malformed: body: nested deeper than 10");
        assert!(problem("&a [*a]").detail.contains("that it is inside of"));
    }

    #[test]
    fn depth_is_limited_in_both_styles() {
        for deep in ["[".repeat(200), "- ".repeat(200), "{a: ".repeat(200), "[".repeat(100_000)] {
            assert!(!problem(&deep).detail.is_empty());
        }
        assert_eq!(problem(&"- ".repeat(11)).to_string(), "malformed: body: nested deeper than 10");
    }

    #[test]
    fn tags_that_build_objects_are_refused() {
        for body in
            ["!!python/object/apply:os.system [ls]", "!!python/tuple [1]", "!mine 3", "!!set {a: null}"]
        {
            let refusal = problem(body);
            assert_eq!(refusal.reason, DeadReason::Refused, "{body}");
            assert!(refusal.detail.contains("tag"), "{refusal}");
        }
        assert_eq!(problem("{<<: {a: 1}}").reason, DeadReason::Refused);
        assert_eq!(
            json("[!!str 5, !!int '5', !!binary aGk=]"),
            r#"["5",5,{"__type__":"bytes","__value__":"hi"}]"#
        );
    }

    #[test]
    fn what_is_no_single_document_of_names_and_values_is_malformed() {
        for body in ["", "--- 1\n--- 2\n", "{[a]: b}", "*unknown", "{? {a: b} : c}", "[a", "[a]]", "a: b: c"]
        {
            assert_eq!(problem(body).reason, DeadReason::Malformed, "{body}");
        }
        assert_eq!(to_json(b"\xff\xfe", &Limits::default()).unwrap_err().reason, DeadReason::Malformed);
    }
}
