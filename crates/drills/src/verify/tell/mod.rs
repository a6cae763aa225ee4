//! A report in words: for each measure a verdict in a sentence, the numbers, and how they were found.

mod celery;
mod consistency;
mod efficiency;
mod faults;
mod words;

use cardoon_errors::Language;

use super::Report;
pub(super) use words::Words;

/// One measure, told.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    pub title: String,
    /// `None` for what is shown and not judged.
    pub passed: Option<bool>,
    /// A sentence or two.
    pub verdict: String,
    pub figures: Vec<Figure>,
    pub plots: Vec<Plot>,
    /// How it was measured, in sentences.
    pub how: Vec<String>,
}

/// A number and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub name: String,
    pub value: String,
}

/// Bars, one below the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    pub title: String,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub label: String,
    pub value: f64,
    /// The value as it is written beside the bar.
    pub text: String,
    pub tone: Tone,
}

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Measured,
    /// What it would be at best, or what it was to be.
    Ideal,
    Bad,
}

/// The measures of `report` in the order in which they were taken.
pub fn chapters(report: &Report, language: Language) -> Vec<Chapter> {
    let words = Words(language);
    let efficiency = report.efficiency.as_ref().map(|it| efficiency::tell(it, words));
    let faults = report.faults.as_ref().map(|it| faults::tell(it, words));
    let consistency = report.consistency.as_ref().map(|it| consistency::tell(it, words));
    let celery = report.celery.as_ref().map(|it| celery::tell(it, report, words));
    [efficiency, faults, consistency, celery].into_iter().flatten().collect()
}

impl Chapter {
    fn new(title: String, passed: Option<bool>, verdict: String) -> Self {
        Self { title, passed, verdict, figures: Vec::new(), plots: Vec::new(), how: Vec::new() }
    }

    fn figure(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.figures.push(Figure { name: name.into(), value: value.into() });
    }
}

impl Bar {
    fn new(label: impl Into<String>, value: f64, text: impl Into<String>, tone: Tone) -> Self {
        Self { label: label.into(), value, text: text.into(), tone }
    }
}
