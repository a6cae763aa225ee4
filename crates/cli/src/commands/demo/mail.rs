use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use cardoon_drills::demo::{self, MailOptions, MailProgress, MailReport, WorkerCommand};
use cardoon_errors::{Code, Error, Result};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::input;
use crate::output::ago;
use crate::session::Session;

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
    session.talk.say(format!(
        "{} mails, {} each, {} worker processes of {} slots",
        options.mails,
        ago(options.duration),
        options.workers,
        options.slots
    ));
    let bar = session.talk.progress(options.mails.into(), "mails");
    let talk = session.talk;
    let report = demo::mail(&options, &|progress| match progress {
        MailProgress::Sent => bar.reset_elapsed(),
        MailProgress::Arrived(mails) => bar.set_position(mails),
        MailProgress::Killed(worker) => bar.suspend(|| talk.say(format!("killed {worker} with SIGKILL"))),
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    session.output.one(&as_json(&report), |_| as_lines(&report))?;
    report.verdict().map(|()| Exit::Done)
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

fn as_lines(report: &MailReport) -> String {
    let mut lines = vec![
        format!("{} mails over {} workers x {} slots", report.mails, report.workers, report.slots),
        format!(
            "time        {:.2} s; one slot would take {:.2} s",
            report.took.as_secs_f64(),
            report.one_slot.as_secs_f64()
        ),
        format!("speed-up    {:.2}, ideal {:.2}", report.speed_up(), report.ideal()),
        format!("in the sink {}", report.count.total),
        format!("duplicates  {}", duplicates(report)),
        format!("lost        {}", report.lost.len()),
    ];
    if let Some(kill) = &report.kill {
        let second = kill.second_run_after.map_or_else(
            || "none had to run again".to_owned(),
            |after| format!("the first of them ran again after {:.2} s", after.as_secs_f64()),
        );
        lines.push(format!(
            "killed      {} at mail {}, while {} of its tasks ran; {second}",
            kill.worker, kill.arrived, kill.started
        ));
    }
    lines.extend(report.database.iter().map(|path| format!("database    {}", path.display())));
    lines.join("\n")
}
