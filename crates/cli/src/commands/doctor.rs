use std::time::Duration;

use cardoon_admin::view::{FindingLine, said};
use cardoon_doctor::{Patient, examine};
use cardoon_errors::{Code, Error, Finding, Language, Result, Severity, described};
use cardoon_settings::{Origin, Settings};

use super::python;
use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::language::choose;
use crate::output::{Format, Output, cut, json_text, labelled};
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Urls;

/// How long an application may take to say which stores it uses.
const IMPORT: Duration = Duration::from_secs(5);

/// Longest sentence that is shown to people: it may repeat what somebody sent.
const LONGEST: usize = 1000;

/// The column of the sentences.
const WIDTH: usize = 12;

pub(crate) async fn run(arguments: &Arguments) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let mut sheet = Sheet::new(arguments);
    tokio::select! {
        () = fill(&mut sheet, arguments) => sheet.close(),
        _ = signals.next() => Ok(Exit::Interrupted),
    }
}

async fn fill(sheet: &mut Sheet, arguments: &Arguments) {
    match patient(sheet, arguments).await {
        Ok(patient) => examine(&patient, &mut |finding| sheet.add(&finding)).await,
        Err(finding) => {
            sheet.add(&finding);
            sheet.add(&Finding::unchecked("broker", "which stores are used is not known"));
        }
    }
}

/// What to examine. What stands in the way is a finding too.
async fn patient(sheet: &mut Sheet, arguments: &Arguments) -> Result<Patient, Finding> {
    let wrong = |error| Finding::error("settings", error);
    let session = Session::begin(arguments).map_err(wrong)?;
    let clock = session.clock.clone();
    let before = session.settings.broker.url.clone();
    let asks_application = session.app.is_some() && !session.settings.is_flag("broker.url");
    let settings = if asks_application { of_application(sheet, session).await? } else { session.settings };
    let by_application = settings.broker.url != before;
    sheet.add(&Finding::fine("settings", origin(&settings, by_application)));
    let urls = Urls::of(&settings).map_err(wrong)?;
    Ok(urls.patient(&clock))
}

async fn of_application(sheet: &mut Sheet, session: Session) -> Result<Settings, Finding> {
    let asked = tokio::time::timeout(IMPORT, python::at_stores_of_application(session)).await;
    let session = asked.map_err(|_| Finding::error("application", still_imported()))?;
    let session = session.map_err(|error| Finding::error("application", error))?;
    sheet.add(&Finding::fine("application", "it can be imported"));
    Ok(session.settings)
}

fn still_imported() -> Error {
    Error::new(Code::NoChildren, "the application is still being imported")
        .checked(format!("{} s have passed", IMPORT.as_secs()))
        .hint("import slow things inside of tasks")
}

/// Where the URL of the messages comes from.
fn origin(settings: &Settings, by_application: bool) -> String {
    if by_application {
        return "broker.url is set by the application".into();
    }
    let entry = settings.entries().into_iter().find(|entry| entry.name == "broker.url");
    match entry.map(|entry| entry.origin) {
        Some(Origin::Flag(option)) => format!("broker.url is set by the option {option}"),
        Some(Origin::Environment(variable)) => format!("broker.url is set by the variable {variable}"),
        Some(Origin::File(path) | Origin::SecretFile(path, _)) => {
            format!("broker.url is set by the file {}", path.display())
        }
        Some(Origin::Default) | None => {
            "broker.url is not set, so the database of this folder is used".into()
        }
    }
}

/// What was found, shown as it comes.
struct Sheet {
    output: Output,
    language: Language,
    /// For a JSON document, which is written at the end.
    items: Vec<FindingLine>,
    worst: Severity,
    /// The status of the first error.
    status: Option<u8>,
    unwritten: Option<Error>,
}

impl Sheet {
    fn new(arguments: &Arguments) -> Self {
        let language = arguments.language();
        let output = Output::new(arguments.output(), language);
        Self { output, language, items: Vec::new(), worst: Severity::Fine, status: None, unwritten: None }
    }

    fn add(&mut self, finding: &Finding) {
        self.worst = self.worst.max(finding.severity());
        if finding.severity() == Severity::Error && self.status.is_none() {
            self.status = finding.trouble().map(Error::exit_status);
        }
        match self.output.format() {
            Format::Table => self.line(&for_people(finding, self.language)),
            Format::Jsonl => self.line(&json_text(&FindingLine::of(finding, self.language))),
            Format::Json => self.items.push(FindingLine::of(finding, self.language)),
        }
    }

    fn line(&mut self, text: &str) {
        if let Err(error) = self.output.line(text) {
            self.unwritten.get_or_insert(error);
        }
    }

    fn close(mut self) -> Result<Exit> {
        match self.output.format() {
            Format::Table => self.line(verdict(self.worst, self.language)),
            Format::Json => self.line(&json_text(&self.items)),
            Format::Jsonl => {}
        }
        match (self.unwritten, self.status) {
            (Some(error), _) => Err(error),
            (None, Some(status)) => Ok(Exit::Found(status)),
            (None, None) => Ok(Exit::Done),
        }
    }
}

fn verdict(worst: Severity, language: Language) -> &'static str {
    match worst {
        Severity::Fine => choose(language, "all is well", "一切正常"),
        Severity::Unchecked => choose(
            language,
            "nothing wrong was found; some things could not be checked",
            "没有发现问题；有些项目没能检查",
        ),
        Severity::Warning => choose(language, "it works; see the warnings", "可以工作，但请看看上面的警告"),
        Severity::Error => {
            choose(language, "something is wrong; begin with the first error", "有问题，请从第一个错误看起")
        }
    }
}

fn for_people(finding: &Finding, language: Language) -> String {
    let line = |mark, text: &str| format!("{mark} {}", labelled(language, finding.check(), WIDTH, text));
    match (finding.severity(), finding.trouble()) {
        (Severity::Warning, Some(error)) => {
            line("!", &indented(&described(error, language, choose(language, "warning", "警告"))))
        }
        (_, Some(error)) => {
            line("✗", &indented(&described(error, language, choose(language, "error", "错误"))))
        }
        (Severity::Unchecked, None) => line("?", &cut(&said(finding, language), LONGEST)),
        (_, None) => line("✓", &cut(&said(finding, language), LONGEST)),
    }
}

/// The lines after the first one stand a little further in.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}
