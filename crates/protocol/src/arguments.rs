//! The arguments of a call: JSON text until a task takes them, bound to parameters as Python binds them.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::natural;

/// Positional and named arguments. Owned, and cheap to clone: both parts share the message's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    args: Bytes,
    kwargs: Bytes,
}

/// Arguments that were matched with the names of a task's parameters.
#[derive(Debug)]
pub struct Bound<'a> {
    names: &'a [&'a str],
    values: Vec<Option<&'a RawValue>>,
}

/// Why arguments do not fit, as a lower-case fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArguments(String);

impl Arguments {
    /// From a JSON array and a JSON object.
    pub fn new(args: Bytes, kwargs: Bytes) -> Result<Self, BadArguments> {
        positional(&args)?;
        named(&kwargs)?;
        Ok(Self { args, kwargs })
    }

    /// From parts of `body`, which are known to be an array and an object; none where they are left out.
    pub(crate) fn within(body: &Bytes, args: Option<&RawValue>, kwargs: Option<&RawValue>) -> Self {
        let part = |value: Option<&RawValue>, none: &'static [u8]| {
            value.map_or(Bytes::from_static(none), |value| body.slice_ref(value.get().as_bytes()))
        };
        Self { args: part(args, b"[]"), kwargs: part(kwargs, b"{}") }
    }

    /// The positional arguments, a JSON array.
    pub fn args(&self) -> &Bytes {
        &self.args
    }

    /// The named arguments, a JSON object.
    pub fn kwargs(&self) -> &Bytes {
        &self.kwargs
    }

    /// Matches the arguments with the parameters `names`: first by position, then by name. Too many, an unknown
    /// name and a parameter that is given twice are errors; a missing one is noticed by [`Bound::take`].
    pub fn bind<'a>(&'a self, names: &'a [&'a str]) -> Result<Bound<'a>, BadArguments> {
        let mut values: Vec<_> = positional(&self.args)?.into_iter().map(Some).collect();
        if values.len() > names.len() {
            return Err(BadArguments::too_many(names, values.len()));
        }
        let by_position = values.len();
        values.resize(names.len(), None);
        for (name, value) in named(&self.kwargs)? {
            let index = names.iter().position(|known| *known == name);
            let index = index.ok_or_else(|| BadArguments::unknown(names, &name))?;
            if index < by_position {
                return Err(BadArguments(format!("`{name}` is given twice, by position and by name")));
            }
            values[index] = Some(value);
        }
        Ok(Bound { names, values })
    }
}

impl Bound<'_> {
    /// Reads the argument of parameter `index`, as [`from_json`](crate::from_json) does. One that is missing counts as `null`, so it is an error unless `T`
    /// accepts `null`, as `Option` does. A second `take` of the same one finds it missing.
    pub fn take<T: DeserializeOwned>(&mut self, index: usize) -> Result<T, BadArguments> {
        let name = self.names.get(index).copied().unwrap_or("?");
        match self.values.get_mut(index).and_then(Option::take) {
            Some(value) => natural::from_json(value.get().as_bytes())
                .map_err(|error| BadArguments(format!("`{name}`: {}", without_place(&error)))),
            None => serde_json::from_str("null").map_err(|_| BadArguments(format!("`{name}` is missing"))),
        }
    }
}

impl BadArguments {
    pub fn new(detail: impl Into<String>) -> Self {
        Self(detail.into())
    }

    fn too_many(names: &[&str], given: usize) -> Self {
        let takes = names.len();
        let plural = if takes == 1 { "" } else { "s" };
        Self(format!("the task takes {takes} argument{plural} ({}), {given} were given", names.join(", ")))
    }

    fn unknown(names: &[&str], name: &str) -> Self {
        let known = if names.is_empty() { "none".into() } else { names.join(", ") };
        Self(format!("the task has no parameter `{name}`; it has {known}"))
    }
}

impl fmt::Display for BadArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadArguments {}

fn positional(args: &[u8]) -> Result<Vec<&RawValue>, BadArguments> {
    if args == b"[]" {
        return Ok(Vec::new());
    }
    serde_json::from_slice(args).map_err(|error| BadArguments(format!("positional arguments: {error}")))
}

fn named(kwargs: &[u8]) -> Result<Vec<Entry<'_>>, BadArguments> {
    if kwargs == b"{}" {
        return Ok(Vec::new());
    }
    let Entries(entries) =
        serde_json::from_slice(kwargs).map_err(|error| BadArguments(format!("named arguments: {error}")))?;
    Ok(entries)
}

/// The line and column of an error inside one value mean nothing to the sender.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// An object's entries in their order. Of a name that stands twice the last one counts when they are bound.
pub(crate) struct Entries<'a>(pub(crate) Vec<Entry<'a>>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(name), value)) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(args: &'static str, kwargs: &'static str) -> Arguments {
        Arguments::new(Bytes::from_static(args.as_bytes()), Bytes::from_static(kwargs.as_bytes())).unwrap()
    }

    fn problem(args: &'static str, kwargs: &'static str) -> String {
        arguments(args, kwargs).bind(&["x", "y"]).unwrap_err().to_string()
    }

    #[test]
    fn positions_come_first_and_names_fill_the_rest() {
        let call = arguments("[2]", r#"{"y": "three"}"#);
        let mut bound = call.bind(&["x", "y"]).unwrap();
        assert_eq!(bound.take::<i64>(0).unwrap(), 2);
        assert_eq!(bound.take::<String>(1).unwrap(), "three");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert_eq!(problem("[1,2,3]", "{}"), "the task takes 2 arguments (x, y), 3 were given");
        assert_eq!(problem("[]", r#"{"z": 1}"#), "the task has no parameter `z`; it has x, y");
        assert_eq!(problem("[1]", r#"{"x": 1}"#), "`x` is given twice, by position and by name");
    }

    #[test]
    fn a_missing_argument_is_an_error_unless_null_will_do() {
        let call = arguments("[]", "{}");
        let mut bound = call.bind(&["x", "y"]).unwrap();
        assert_eq!(bound.take::<i64>(0).unwrap_err().to_string(), "`x` is missing");
        assert_eq!(bound.take::<Option<i64>>(1).unwrap(), None);
    }

    #[test]
    fn a_value_of_the_wrong_type_names_its_parameter() {
        let call = arguments(r#"["two"]"#, "{}");
        let error = call.bind(&["x"]).unwrap().take::<i64>(0).unwrap_err();
        assert_eq!(error.to_string(), "`x`: invalid type: string \"two\", expected i64");
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_one_counts() {
        let call = arguments("[]", r#"{"\u0078": 1, "x": 2}"#);
        assert_eq!(call.bind(&["x"]).unwrap().take::<i64>(0).unwrap(), 2);
    }

    #[test]
    fn only_an_array_and_an_object_make_arguments() {
        let new = |args: &'static str, kwargs: &'static str| Arguments::new(args.into(), kwargs.into());
        assert!(new("{}", "{}").is_err());
        assert!(new("[]", "[]").is_err());
        assert!(new("[", "{}").is_err());
    }
}
