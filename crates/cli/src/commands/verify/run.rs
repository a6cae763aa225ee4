use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use cardoon::App;
use cardoon_drills::verify::{
    self, Interpreter, Measure, NodeCommand, Nodes, Plan, Progress, Report, Site, Urls, Work,
};
use cardoon_errors::{Code, Error, Result};

use super::lines;
use super::options::{NodeOptions, Options};
use crate::commands::python;
use crate::exit::Exit;
use crate::output::{clean, local_time};
use crate::session::Session;
use crate::signals::Signals;
use crate::stores;
use crate::talk::Talk;

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let request = Request::read(session, options)?;
    let mut signals = Signals::listen()?.with_hangup()?;
    let stores = session.connect().await?;
    let app = App::builder().settings(session.settings.clone()).with_stores(stores.clone().into());
    let site = Site::open(app, request.urls.clone(), request.nodes.clone()).await?;
    let mut report = Report::new(site.location().to_owned(), &request.plan, &request.work);
    let measured = tokio::select! {
        measured = Box::pin(site.while_present(request.measure(session, &site, &mut report))) => Ok(measured),
        exit = signals.broken_off() => Err(exit),
    };
    if measured.is_err() {
        session
            .talk
            .say("interrupted; removing what was put into the store", "已中断，正在清理放进存储里的东西");
    }
    let left = tokio::select! {
        left = Box::pin(site.while_present(request.leave(&site))) => left,
        exit = signals.broken_off() => return Ok(exit),
    };
    stores.close().await;
    match measured {
        Ok(measured) => conclude(session, options, report, both(measured, left, &site)),
        Err(exit) => left.map(|()| exit),
    }
}

pub(crate) async fn run_node(options: &NodeOptions) -> Result<Exit> {
    verify::node(&options.spec).await?;
    Ok(Exit::Done)
}

/// The first error, which tells of the second too.
fn both(measured: Result<()>, left: Result<()>, site: &Site) -> Result<()> {
    match (measured, left) {
        (Err(error), Err(_)) => {
            Err(error.checked(format!("what was put into the queue {} is still there", site.queue())))
        }
        (measured, left) => measured.and(left),
    }
}

/// Shows what was measured, also if the verification has failed later.
fn conclude(session: &Session, options: &Options, mut report: Report, ended: Result<()>) -> Result<Exit> {
    report.broken_off = ended.as_ref().err().map(|error| error.message().to_owned());
    let has_found = ended.is_ok() || !report.is_empty();
    let shown = if has_found { show(session, options, &report) } else { Ok(()) };
    ended.and(shown).map(|()| if report.passed() { Exit::Done } else { Exit::Failed })
}

fn show(session: &Session, options: &Options, report: &Report) -> Result<()> {
    let printed = session.output.one(&report.as_json(), |_| lines::of(report, session.language));
    if let Some(path) = &options.report {
        let at = local_time(session.clock.now());
        let page = verify::html(report, session.language, &at)?;
        std::fs::write(path, page).map_err(|error| not_written(path).source(error))?;
        let path = path.display();
        session.talk.say(format!("report  {path}"), format!("报告  {path}"));
    }
    printed
}

/// What is to be done, checked as far as it can be before anything is done.
struct Request {
    plan: Plan,
    work: Work,
    measures: Vec<Measure>,
    celery: Option<Interpreter>,
    urls: Urls,
    nodes: Nodes,
}

impl Request {
    fn read(session: &Session, options: &Options) -> Result<Self> {
        let urls = urls(session)?;
        let celery = options.against.map(|_| celery(session, &urls)).transpose()?;
        options.report.as_deref().map_or(Ok(()), check_file)?;
        let (plan, work, measures) = (options.plan(), options.work()?, options.measures());
        Ok(Self { plan, work, measures, celery, urls, nodes: nodes(session)? })
    }

    async fn measure(&self, session: &Session, site: &Site, report: &mut Report) -> Result<()> {
        if let Some(celery) = &self.celery {
            celery.prepare(site).await?;
        }
        self.warn_of_effects(session);
        let (plan, talk) = (&self.plan, session.talk);
        let bar = talk.progress(plan.steps(&self.measures), "verify", "验证");
        let progress = |progress| match progress {
            Progress::Begins(measure) => bar.suspend(|| announce(talk, measure)),
            Progress::Step => bar.inc(1),
        };
        let measured = verify::verify(site, plan, &self.work, &self.measures, &progress, report).await;
        bar.finish_and_clear();
        measured?;
        if let Some(celery) = &self.celery {
            talk.say("measuring Celery", "正在测量 Celery");
            report.celery = Some(Box::pin(celery.measure(site, plan)).await?);
        }
        Ok(())
    }

    fn warn_of_effects(&self, session: &Session) {
        let Work::Own(task) = &self.work else { return };
        let (name, times) = (clean(&task.name), self.plan.executions(&self.measures));
        if times == 0 {
            return;
        }
        session.talk.say(
            format!("{name} is executed about {times} times now, with all its effects"),
            format!("{name} 现在会真的执行大约 {times} 次"),
        );
    }

    async fn leave(&self, site: &Site) -> Result<()> {
        if let Some(celery) = &self.celery {
            // Whatever kept Celery from running was told before.
            if let Err(error) = celery.clean(site).await {
                tracing::debug!(%error, "the keys of Celery were not removed");
            }
        }
        site.leave().await
    }
}

fn announce(talk: Talk, measure: Measure) {
    let (english, chinese) = match measure {
        Measure::Efficiency => ("measuring efficiency", "正在测量效率"),
        Measure::Faults => ("killing, pausing and restarting workers", "正在强杀、暂停、重启 worker"),
        Measure::Consistency => ("changing one record from two nodes", "正在用两个节点同时改一条记录"),
    };
    talk.say(english, chinese);
}

/// Fails for a store in memory, which no other process sees.
fn urls(session: &Session) -> Result<Urls> {
    let settings = &session.settings;
    stores::Urls::of(settings)?;
    let named = settings.broker.url.as_ref().map(|url| Ok(url.expose().to_owned()));
    let broker = named.unwrap_or_else(cardoon_connect::default_url)?;
    Ok(Urls { broker, results: settings.results.url.as_ref().map(|url| url.expose().to_owned()) })
}

fn celery(session: &Session, urls: &Urls) -> Result<Interpreter> {
    if !urls.broker.starts_with("redis://") && !urls.broker.starts_with("rediss://") {
        return Err(Error::new(Code::BadInput, "Celery is compared on a Redis server")
            .checked("the store is none that Celery knows by the same URL")
            .hint("cardoon verify --against celery --broker redis://HOST"));
    }
    Ok(Interpreter(python::interpreter(session.python.as_deref()).into_os_string()))
}

/// How this program is started again.
fn nodes(session: &Session) -> Result<Nodes> {
    let program = this_program(session)?;
    let with = |words: Vec<OsString>| {
        let args = program.args.iter().cloned().chain(words).collect();
        NodeCommand { program: program.program.clone(), args }
    };
    Ok(Nodes { node: with(vec!["verify-node".into()]), own_worker: with(own_worker(session)) })
}

fn this_program(session: &Session) -> Result<NodeCommand> {
    let program = std::env::current_exe().map_err(|error| {
        Error::new(Code::DrillFailed, "cannot find this program's own file").source(error)
    })?;
    // Within Python's package the program is an interpreter, and perhaps without its virtual environment.
    let is_python = program.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("python"));
    Ok(match session.python.as_ref().filter(|_| is_python) {
        Some(python) => NodeCommand { program: python.into(), args: vec!["-m".into(), "cardoon".into()] },
        None => NodeCommand { program, args: Vec::new() },
    })
}

/// A worker with the tasks of the application; with the built-in ones if there is none.
fn own_worker(session: &Session) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["worker".into()];
    let Some(app) = &session.app else {
        words.push("--builtin".into());
        return words;
    };
    words.extend(["--app".into(), app.into()]);
    words.extend(session.python.iter().flat_map(|python| ["--python".into(), python.clone()]));
    words
}

/// Fails now and not after a minute. Leaves no empty file, in case the report is never written.
fn check_file(path: &Path) -> Result<()> {
    let is_new = !path.exists();
    let opened = File::options().create(true).append(true).open(path);
    let checked = opened.and_then(|_| if is_new { std::fs::remove_file(path) } else { Ok(()) });
    checked.map_err(|error| not_written(path).source(error))
}

fn not_written(path: &Path) -> Error {
    Error::new(Code::OutputFailed, format!("cannot write the report to {}", path.display()))
        .hint("name a file in a folder that exists: --report verify.html")
}
