use askama::Template;
use cardoon_errors::{Code, Error, Language, Result};

use super::tell::{Bar, Plot, Tone, Words};
use super::{Chapter, Report, chapters};

/// The longest bar, in the units of the drawing.
const WIDTH: f64 = 420.0;
const ROW: usize = 26;

/// The report as one HTML file that needs nothing else: no network, no script. `at` says when it was made.
pub fn html(report: &Report, language: Language, at: &str) -> Result<String> {
    let words = Words(language);
    let page = Page {
        lang: words.say("en", "zh-CN"),
        title: words.say("Cardoon: is my system any good?", "Cardoon：我的系统靠谱吗？"),
        summary: summary(report, words),
        facts: facts(report, words, at),
        chapters: chapters(report, language)
            .into_iter()
            .map(|chapter| Section::new(chapter, words))
            .collect(),
        how: words.say("How it was measured", "怎么测的"),
    };
    page.render().map_err(|error| Error::new(Code::Internal, "the page cannot be written").source(error))
}

fn summary(report: &Report, words: Words) -> String {
    if report.broken_off.is_some() {
        words.say(
            "It was broken off. What it had measured before is below.",
            "检验中途停止了，下面是在那之前测到的。",
        )
    } else if report.passed() {
        words.say("Everything that was measured is as it should be.", "测过的都没有问题。")
    } else {
        words.say("Not everything is as it should be; see below.", "有的地方不对，见下文。")
    }
}

fn facts(report: &Report, words: Words, at: &str) -> Vec<(String, String)> {
    let mut facts = vec![
        (words.say("store", "存储"), report.store.clone()),
        (words.say("time", "时间"), at.to_owned()),
        (words.say("version", "版本"), cardoon_core::VERSION.to_owned()),
    ];
    facts.extend(report.broken_off.iter().map(|why| (words.say("broken off", "中途停止"), why.clone())));
    facts.extend(report.task.iter().map(|task| (words.say("your task", "你的任务"), task.clone())));
    facts
}

/// Everything that goes into it is escaped: names and arguments of tasks are text of other people's making.
#[derive(Template)]
#[template(path = "verify.html")]
struct Page {
    lang: String,
    title: String,
    summary: String,
    facts: Vec<(String, String)>,
    chapters: Vec<Section>,
    how: String,
}

struct Section {
    chapter: Chapter,
    badge: String,
    class: &'static str,
    drawings: Vec<Drawing>,
}

impl Section {
    fn new(chapter: Chapter, words: Words) -> Self {
        let (badge, class) = match chapter.passed {
            Some(true) => (words.say("passed", "通过"), "good"),
            Some(false) => (words.say("failed", "不通过"), "bad"),
            None => (words.say("not judged", "不评判"), "plain"),
        };
        let drawings = chapter.plots.iter().map(Drawing::of).collect();
        Self { chapter, badge, class, drawings }
    }
}

/// A plot with its places.
struct Drawing {
    title: String,
    height: usize,
    rows: Vec<Row>,
}

struct Row {
    label: String,
    text: String,
    class: &'static str,
    y: usize,
    width: u64,
    text_x: u64,
}

/// Where the bars begin.
const LEFT: u64 = 220;

impl Drawing {
    fn of(plot: &Plot) -> Self {
        let largest = plot.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        let rows: Vec<_> =
            plot.bars.iter().enumerate().map(|(index, bar)| Row::of(bar, index * ROW, largest)).collect();
        Self { title: plot.title.clone(), height: rows.len() * ROW, rows }
    }
}

impl Row {
    fn of(bar: &Bar, y: usize, largest: f64) -> Self {
        let width = (bar.value / largest * WIDTH).round().max(1.0) as u64;
        let class = match bar.tone {
            Tone::Measured => "measured",
            Tone::Ideal => "ideal",
            Tone::Bad => "lost",
        };
        Self { label: bar.label.clone(), text: bar.text.clone(), class, y, width, text_x: LEFT + width + 8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Consistency, OwnTask, Plan, Sum, Work};

    fn report(naive: u64) -> Report {
        let sum = |sum| Sum::new(50, sum, 7, 120);
        let own = OwnTask {
            name: "<script>alert(1)</script>".into(),
            args: serde_json::json!(["\"><img>"]),
            kwargs: serde_json::json!({}),
        };
        let mut report = Report::new("redis://h:6379/0".into(), &Plan::quick(), &Work::Own(own));
        report.consistency = Some(Consistency { compare_and_set: sum(100), naive: sum(naive) });
        report
    }

    #[test]
    fn what_a_task_is_named_stays_text() {
        let page = html(&report(61), Language::English, "now").unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    }

    #[test]
    fn the_page_tells_the_verdict_and_draws_it_in_both_languages() {
        let english = html(&report(61), Language::English, "now").unwrap();
        assert!(
            english.contains("39 of 100 updates were written over") && english.contains("<svg"),
            "{english}"
        );
        let chinese = html(&report(61), Language::Chinese, "now").unwrap();
        assert!(chinese.contains("100 次更新里有 39 次被覆盖") && chinese.contains("zh-CN"), "{chinese}");
    }

    #[test]
    fn the_page_of_what_was_broken_off_says_so() {
        let mut report = report(61);
        report.broken_off = Some("process a failed: it ended".into());
        let page = html(&report, Language::English, "now").unwrap();
        assert!(
            page.contains("It was broken off") && page.contains("it ended") && !report.passed(),
            "{page}"
        );
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = html(&report(100), Language::English, "now").unwrap();
        for foreign in ["http://", "https://", "src=", "onclick", "javascript:"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_longest_bar_has_the_full_width_and_none_vanishes() {
        let bar = |value| Bar { label: String::new(), value, text: String::new(), tone: Tone::Ideal };
        let drawing = Drawing::of(&Plot { title: String::new(), bars: vec![bar(200.0), bar(0.0)] });
        assert_eq!(drawing.rows.iter().map(|row| row.width).collect::<Vec<_>>(), [420, 1]);
        assert_eq!(drawing.height, 2 * ROW);
    }
}
