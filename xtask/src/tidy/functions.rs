//! The ratchet: what is small must not become long, and what is long may only shrink.

use std::collections::BTreeMap;

use super::File;

/// Functions of more lines than this are listed.
const LONG: usize = 60;

/// Lengths in lines, by `path::function`. Of functions of one name in one file the longest counts.
pub(super) type Lengths = BTreeMap<String, usize>;

/// All long functions.
pub(super) fn long<'a>(files: impl Iterator<Item = &'a File>) -> Lengths {
    let mut lengths = Lengths::new();
    for file in files {
        for (name, length) in functions(&file.text).into_iter().filter(|(_, length)| *length > LONG) {
            let longest = lengths.entry(format!("{}::{name}", file.path)).or_default();
            *longest = length.max(*longest);
        }
    }
    lengths
}

/// What grew, and what shrank without its entry.
pub(super) fn check(listed: &str, long: &Lengths) -> Vec<String> {
    let listed = parse(listed);
    let grown = long.iter().filter_map(|(name, length)| match listed.get(name) {
        None => Some(format!("{name}: has {length} lines, more than {LONG}; split it")),
        Some(most) if length > most => Some(format!("{name}: grew from {most} to {length} lines; split it")),
        Some(_) => None,
    });
    let shrunk = listed.iter().filter(|(name, most)| long.get(*name).is_none_or(|length| length < most));
    let shrunk = shrunk.map(|(name, _)| format!("{name}: shrank; run `cargo xtask tidy --update`"));
    grown.chain(shrunk).collect()
}

/// The list with what shrank lowered or removed. Nothing is raised or added.
pub(super) fn lowered(listed: &str, long: &Lengths) -> String {
    let kept = parse(listed).into_iter().filter_map(|(name, most)| {
        let length = *long.get(&name)?;
        Some(format!("{name} {}\n", length.min(most)))
    });
    kept.collect()
}

fn parse(listed: &str) -> Lengths {
    let entries = listed.lines().filter_map(|line| line.rsplit_once(' '));
    entries.filter_map(|(name, length)| Some((name.to_owned(), length.parse().ok()?))).collect()
}

/// Names and lengths. Relies on rustfmt: a function ends at the first `}` that is indented like its beginning.
fn functions(source: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let starts = lines.iter().enumerate().filter_map(|(start, line)| Some((start, *line, name(line)?)));
    let measured = starts.filter_map(|(start, line, name)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = lines[start..].iter().position(|line| line.strip_prefix(indent) == Some("}"))?;
        Some((name.to_owned(), end + 1))
    });
    measured.collect()
}

/// The name of the function that begins on this line. One-line functions and declarations are none.
fn name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let words = code.split_whitespace().take_while(|word| *word != "fn");
    let is_function = words.clone().all(|word| {
        matches!(word, "async" | "const" | "unsafe" | "extern")
            || word.starts_with("pub")
            || word.starts_with('"')
    });
    let after = code.split_once("fn ").map(|(_, after)| after).filter(|_| is_function)?;
    let ends_here = code.ends_with(';') || code.ends_with('}');
    let end = after.find(|char: char| !char.is_alphanumeric() && char != '_')?;
    (!ends_here && end > 0).then(|| &after[..end])
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn source(lines: usize) -> String {
        format!(
            "impl A {{\n    pub async fn work(\n        &self,\n    ) {{\n{}    }}\n}}\n",
            "        x();\n".repeat(lines)
        )
    }

    #[test]
    fn a_function_is_measured_from_its_signature_to_its_brace() {
        assert_eq!(functions(&source(3)), [("work".to_owned(), 7)]);
        assert_eq!(functions("fn a() {}\nfn b();\n// the fn c of old\n"), []);
    }

    #[test]
    fn new_long_functions_and_growth_are_found() {
        let long = long([file("a.rs", &source(70))].iter());
        assert_eq!(check("", &long), ["a.rs::work: has 74 lines, more than 60; split it"]);
        assert_eq!(check("a.rs::work 73", &long), ["a.rs::work: grew from 73 to 74 lines; split it"]);
        assert!(check("a.rs::work 74", &long).is_empty());
    }

    #[test]
    fn the_list_is_lowered_and_never_raised() {
        let long = long([file("a.rs", &source(70))].iter());
        assert_eq!(check("a.rs::work 80", &long).len(), 1);
        assert_eq!(lowered("a.rs::work 80\nb.rs::gone 90", &long), "a.rs::work 74\n");
        assert_eq!(lowered("a.rs::work 70", &long), "a.rs::work 70\n");
    }
}
