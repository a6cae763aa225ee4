//! Documents: both languages have the same pages, with the same structure.

use std::path::Path;

use super::File;

const CODES: &str = "crates/errors/src/code.rs";

pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut findings = changelog(files);
    findings.extend(translations(files));
    findings.extend(error_pages(files));
    findings
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    files.iter().find(|file| file.path == path)
}

fn changelog(files: &[File]) -> Vec<String> {
    let changelog = find(files, "CHANGELOG.md");
    let has_heading = changelog.is_some_and(|file| file.text.lines().any(|line| line == "## Unreleased"));
    if has_heading { Vec::new() } else { vec!["CHANGELOG.md: has no heading `## Unreleased`".to_owned()] }
}

/// The README must have its translation; of the other pages, every translation must have its original.
fn translations(files: &[File]) -> Vec<String> {
    let pairs = std::iter::once(("README.md".to_owned(), "README.zh-CN.md".to_owned())).chain(
        files.iter().filter_map(|file| {
            let page = file.path.strip_prefix("docs/zh/").filter(|page| is_markdown(page))?;
            Some((format!("docs/{page}"), file.path.clone()))
        }),
    );
    pairs.filter_map(|(english, chinese)| translation(files, &english, &chinese)).collect()
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

fn translation(files: &[File], english: &str, chinese: &str) -> Option<String> {
    let (Some(original), Some(translated)) = (find(files, english), find(files, chinese)) else {
        return Some(format!("{english} and {chinese}: one of them is missing"));
    };
    let (ours, theirs) = (headings(&original.text), headings(&translated.text));
    (ours != theirs)
        .then(|| format!("{chinese}: its headings have the levels {theirs:?}, those of {english} {ours:?}"))
}

/// The levels of the headings, in order. Lines in code blocks are none.
fn headings(markdown: &str) -> Vec<usize> {
    let mut in_code = false;
    let mut levels = Vec::new();
    for line in markdown.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let level = line.chars().take_while(|char| *char == '#').count();
        if !in_code && level > 0 && line[level..].starts_with(' ') {
            levels.push(level);
        }
    }
    levels
}

fn error_pages(files: &[File]) -> Vec<String> {
    let Some(table) = find(files, CODES) else { return vec![format!("{CODES}: is missing")] };
    let pages = codes(&table.text)
        .into_iter()
        .flat_map(|code| ["en", "zh"].map(|language| format!("crates/errors/pages/{language}/CD{code}.md")));
    pages.filter(|page| find(files, page).is_none()).map(|page| format!("{page}: is missing")).collect()
}

/// The numbers at the beginning of the table's lines.
fn codes(table: &str) -> Vec<&str> {
    let numbers = table.lines().filter_map(|line| line.trim_start().split_once(' ').map(|(first, _)| first));
    numbers.filter(|word| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn headings_in_code_blocks_do_not_count() {
        assert_eq!(headings("# A\n```\n# no\n```\n## B\n#no\n"), [1, 2]);
    }

    #[test]
    fn a_translation_of_another_structure_is_found() {
        let files = [file("README.md", "# A\n## B\n"), file("README.zh-CN.md", "# A\n")];
        assert_eq!(translations(&files).len(), 1);
        let files = [file("README.md", "# A\n## B\n"), file("README.zh-CN.md", "# 甲\n## 乙\n")];
        assert!(translations(&files).is_empty());
    }

    #[test]
    fn every_code_needs_a_page_in_both_languages() {
        let files = [
            file(CODES, "codes! {\n    // 10xx: a\n    1001 Unreachable Unavailable \"x\";\n}\n"),
            file("crates/errors/pages/en/CD1001.md", ""),
        ];
        assert_eq!(error_pages(&files), ["crates/errors/pages/zh/CD1001.md: is missing"]);
    }
}
