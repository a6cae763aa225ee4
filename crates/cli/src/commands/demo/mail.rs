use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use cardoon_drills::demo::{self, KillReport, MailOptions, MailProgress, MailReport, WorkerCommand};
use cardoon_errors::{Code, Error, Language, Result};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::input;
use crate::language::choose;
use crate::output::{ago, labelled};
use crate::session::Session;
use crate::stores::Urls;
use crate::talk::Talk;

/// Columns that the names of lines take.
const LABEL: usize = 11;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Mails to send
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    mails: u32,
    /// Worker processes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Tasks that each worker executes at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: u32,
    /// How long each task takes, sending included
    #[arg(long, default_value_t = 0.05)]
    seconds: f64,
    /// Kill one worker with SIGKILL in the middle
    #[arg(long)]
    kill_worker: bool,
    /// Begin after this time; the tasks wait in the store
    #[arg(long = "in", value_name = "TIME", value_parser = input::duration)]
    delay: Option<Duration>,
    /// Keep the database and the workers' messages in this folder
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What the demo adds to the command line of its worker processes.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerOptions {
    folder: PathBuf,
    name: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let options = read(session, options)?;
    announce(session.talk, &options);
    let talk = session.talk;
    let bar = talk.progress(options.mails.into(), "mails", "邮件");
    let killed = |worker: &str| {
        let chinese = format!("已用 SIGKILL 杀掉 {worker}");
        bar.suspend(|| talk.say(format!("killed {worker} with SIGKILL"), chinese));
    };
    let report = demo::mail(&options, &|progress| match progress {
        MailProgress::Sent => bar.reset_elapsed(),
        MailProgress::Arrived(mails) => bar.set_position(mails),
        MailProgress::Killed(worker) => killed(&worker),
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    session.output.one(&as_json(&report), |_| as_lines(&report, session.language))?;
    report.verdict().map(|()| Exit::Done)
}

fn announce(talk: Talk, options: &MailOptions) {
    let MailOptions { mails, workers, slots, duration, .. } = options;
    let each = ago(*duration);
    talk.say(
        format!("{mails} mails, {each} each, {workers} worker processes of {slots} slots"),
        format!("{mails} 封邮件，每封 {each}，{workers} 个 worker 进程，每个 {slots} 个执行槽"),
    );
}

pub(crate) async fn run_worker(options: &WorkerOptions) -> Result<Exit> {
    demo::mail_worker(&options.folder, &options.name).await?;
    Ok(Exit::Done)
}

fn read(session: &Session, options: &Options) -> Result<MailOptions> {
    let program = std::env::current_exe().map_err(|error| {
        Error::new(Code::DrillFailed, "cannot find this program's own file").source(error)
    })?;
    let duration = Duration::try_from_secs_f64(options.seconds).map_err(|error| {
        Error::new(Code::BadInput, format!("--seconds {} is no time", options.seconds))
            .source(error)
            .hint("cardoon demo mail --seconds 0.05")
    })?;
    Urls::of(&session.settings)?;
    if options.kill_worker && options.workers < 2 {
        let message = "with --kill-worker there must be another worker that goes on";
        return Err(Error::new(Code::BadInput, message)
            .checked(format!("--workers {}", options.workers))
            .hint("cardoon demo mail --workers 2 --kill-worker"));
    }
    let args = ["demo", "mail-worker"].map(OsString::from).to_vec();
    Ok(MailOptions {
        mails: options.mails,
        duration,
        workers: options.workers,
        slots: options.slots,
        kill_worker: options.kill_worker,
        broker: session.settings.broker.url.as_ref().map(|url| url.expose().to_owned()),
        delay: options.delay.unwrap_or_default(),
        folder: options.folder.clone(),
        ..MailOptions::new(WorkerCommand { program, args })
    })
}

fn duplicates(report: &MailReport) -> u64 {
    report.count.total - report.count.distinct
}

fn as_json(report: &MailReport) -> Value {
    let kill = report.kill.as_ref().map(|kill| {
        json!({
            "worker": kill.worker,
            "arrived": kill.arrived,
            "started": kill.started,
            "second_run_after_ms": kill.second_run_after.map(|after| after.as_millis() as u64),
        })
    });
    json!({
        "mails": report.mails,
        "workers": report.workers,
        "slots": report.slots,
        "took_ms": report.took.as_millis() as u64,
        "one_slot_ms": report.one_slot.as_millis() as u64,
        "speed_up": report.speed_up(),
        "ideal": report.ideal(),
        "in_sink": report.count.total,
        "different": report.count.distinct,
        "duplicates": duplicates(report),
        "lost": report.lost.len(),
        "kill": kill,
    })
}

fn as_lines(report: &MailReport, language: Language) -> String {
    let line = |name: &str, value: String| labelled(language, name, LABEL, &value);
    let (mails, workers, slots) = (report.mails, report.workers, report.slots);
    let (took, one_slot) = (report.took.as_secs_f64(), report.one_slot.as_secs_f64());
    let (speed_up, ideal) = (report.speed_up(), report.ideal());
    let say = |english: String, chinese: String| choose(language, english, chinese);
    let mut lines = vec![
        say(
            format!("{mails} mails over {workers} workers x {slots} slots"),
            format!("{mails} 封邮件，{workers} 个 worker x {slots} 个执行槽"),
        ),
        line(
            "time",
            say(
                format!("{took:.2} s; one slot would take {one_slot:.2} s"),
                format!("{took:.2} s；只有一个执行槽需要 {one_slot:.2} s"),
            ),
        ),
        line(
            "speed-up",
            say(format!("{speed_up:.2}, ideal {ideal:.2}"), format!("{speed_up:.2}，理想值 {ideal:.2}")),
        ),
        line("in the sink", report.count.total.to_string()),
        line("duplicates", duplicates(report).to_string()),
        line("lost", report.lost.len().to_string()),
    ];
    lines.extend(report.kill.as_ref().map(|kill| line("killed", kill_text(kill, language))));
    lines.extend(report.database.iter().map(|path| line("database", path.display().to_string())));
    lines.join("\n")
}

fn kill_text(kill: &KillReport, language: Language) -> String {
    let KillReport { worker, arrived, started, second_run_after } = kill;
    let (english, chinese) = match second_run_after.map(|after| after.as_secs_f64()) {
        None => ("none had to run again".to_owned(), "没有任务需要重新执行".to_owned()),
        Some(after) => (
            format!("the first of them ran again after {after:.2} s"),
            format!("{after:.2} s 之后，其中第一个重新执行"),
        ),
    };
    choose(
        language,
        format!("{worker} at mail {arrived}, while {started} of its tasks ran; {english}"),
        format!("{worker}，在第 {arrived} 封邮件时，它正在执行 {started} 个任务；{chinese}"),
    )
}
