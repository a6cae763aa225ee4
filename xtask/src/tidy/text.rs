//! Rules for single lines.

use super::File;

/// This file names what it forbids.
const OURSELVES: &str = "xtask/src/tidy/text.rs";
/// Text that others wrote.
const FOREIGN: &[&str] = &["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"];

/// One machine's paths mean nothing on another one.
const MACHINE_PATHS: &[&str] = &["/root/", "/work/", "/home/"];
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "XXX"];
/// Nobody can promise this; a line that says that we never do is fine.
const PROMISES: &[&str] = &["exactly once", "exactly-once", "恰好一次", "精确一次"];

pub(super) fn check(file: &File) -> Vec<String> {
    if file.path == OURSELVES || FOREIGN.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let lines = file.text.lines().zip(1..);
    let mut findings: Vec<String> = lines
        .flat_map(|(line, number)| {
            problems(line).into_iter().map(move |problem| format!("{}:{number}: {problem}", file.path))
        })
        .collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(format!("{}: does not end with a line break", file.path));
    }
    findings
}

fn problems(line: &str) -> Vec<String> {
    let lower = line.to_lowercase();
    let never = lower.contains("never") || line.contains("从不") || line.contains("不承诺");
    let holds = |words: &'static [&'static str]| words.iter().find(|word| line.contains(**word));
    let mut problems = Vec::new();
    if line.trim_end() != line {
        problems.push("white space at the end of the line".to_owned());
    }
    problems.extend(holds(MACHINE_PATHS).map(|path| format!("a path of one machine: {path}")));
    problems.extend(holds(UNFINISHED).map(|word| format!("unfinished: {word}")));
    let promise = PROMISES.iter().find(|promise| lower.contains(**promise) && !never);
    problems.extend(promise.map(|promise| format!("a promise that nobody can keep: {promise}")));
    problems
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn each_rule_finds_its_line() {
        let findings = check(&file("a.md", "good\nbad \nsee /root/x\ntodo!()\nExactly once!"));
        assert_eq!(findings.len(), 5, "{findings:?}");
        assert_eq!(findings[0], "a.md:2: white space at the end of the line");
        assert_eq!(findings[3], "a.md:5: a promise that nobody can keep: exactly once");
    }

    #[test]
    fn saying_that_we_never_promise_it_is_fine() {
        assert!(check(&file("a.md", "We never say \"exactly once\".\n")).is_empty());
    }
}
