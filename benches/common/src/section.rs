use anyhow::{Context, Result};

use crate::repository;

const END: &str = "<!-- end -->";

/// A part of `docs/benchmarks.md` that a command writes, between marks that name the command.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    heading: &'static str,
    command: &'static str,
}

impl Section {
    /// `heading` without its `##`.
    pub const fn new(heading: &'static str, command: &'static str) -> Self {
        Self { heading, command }
    }

    /// Writes `text` into the page: in the place of the last one, or at the end if there was none.
    pub fn write(&self, text: &str) -> Result<()> {
        let path = repository::path("docs/benchmarks.md")?;
        let page = std::fs::read_to_string(&path).context("cannot read docs/benchmarks.md")?;
        std::fs::write(&path, self.written(&page, text)).context("cannot write docs/benchmarks.md")
    }

    fn written(&self, page: &str, text: &str) -> String {
        let begin = format!("<!-- begin: written by `{}` -->", self.command);
        let text = format!("{begin}\n\n{}\n\n{END}", text.trim());
        replaced(page, &begin, &text)
            .unwrap_or_else(|| format!("{}\n\n## {}\n\n{text}\n", page.trim_end(), self.heading))
    }
}

fn replaced(page: &str, begin: &str, section: &str) -> Option<String> {
    let (head, rest) = page.split_once(begin)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{section}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: Section = Section::new("Data", "cargo xtask bench data");
    const MARK: &str = "<!-- begin: written by `cargo xtask bench data` -->";
    const OTHER: &str = "<!-- begin: written by `cargo xtask bench tasks` -->\nold\n<!-- end -->";

    #[test]
    fn only_what_is_between_a_sections_marks_changes() {
        let page = format!("# Title\n{OTHER}\nthen\n{MARK}\nold\n{END}\nend\n");
        assert_eq!(
            DATA.written(&page, "new\n"),
            format!("# Title\n{OTHER}\nthen\n{MARK}\n\nnew\n\n{END}\nend\n")
        );
    }

    #[test]
    fn a_section_that_the_page_does_not_have_comes_last() {
        let page = format!("# Title\n\n{OTHER}\n");
        assert_eq!(DATA.written(&page, "new"), format!("{page}\n## Data\n\n{MARK}\n\nnew\n\n{END}\n"));
    }
}
