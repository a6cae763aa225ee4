//! One `cardoon.toml` serves the command line and the program.

use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{Code, Settings, Sources, TaskState};

const SOON: Duration = Duration::from_secs(30);

#[cardoon::task]
async fn unlucky() -> Result<(), TaskError> {
    Err(TaskError::new("Unlucky", "never"))
}

#[cardoon::task(name = "unlucky.twice", retries = 1)]
async fn unlucky_twice() -> Result<(), TaskError> {
    Err(TaskError::new("Unlucky", "never"))
}

#[cardoon::task(name = "patient")]
async fn patient() {
    std::future::pending::<()>().await;
}

/// Settings of a folder that holds `file`, with these variables.
fn settings(file: &str, environment: &[(&str, &str)]) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardoon.toml"), file).unwrap();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let environment = environment.iter().map(own).collect();
    Settings::load(&Sources { environment, folder: Some(folder.path().to_owned()), ..Sources::default() })
        .unwrap()
}

async fn app(settings: Settings) -> App {
    App::builder().broker("memory:").settings(settings).open().await.unwrap()
}

/// The one worker of `app`, as others see it while it runs.
async fn seen(app: &App, worker: cardoon::WorkerBuilder) -> (String, u32, Vec<String>) {
    let mut found = None;
    let look = async {
        found = loop {
            let members = app.stores().broker.inspect().members().await.unwrap();
            if let Some(member) = members.into_iter().next() {
                break Some(member);
            }
            tokio::task::yield_now().await;
        };
    };
    worker.run_until(look).await.unwrap();
    let member = found.unwrap();
    (member.worker, member.slots, member.queues.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_worker_of_a_program_works_as_the_file_and_the_environment_say() {
    let file = "[worker]\nname = \"shop\"\nqueues = [\"mail\", \"low\"]\nconcurrency = 3\n";
    let app = app(settings(file, &[("CARDOON_WORKER__CONCURRENCY", "5")])).await;
    let worker = Worker::builder(&app).task::<unlucky>();
    let expected = ("shop".to_owned(), 5, vec!["mail".to_owned(), "low".to_owned()]);
    assert_eq!(seen(&app, worker).await, expected);
}

#[tokio::test]
async fn what_the_program_says_itself_goes_before_all_settings() {
    let file = "[worker]\nname = \"shop\"\nqueues = [\"mail\"]\nconcurrency = 3\n";
    let app = app(settings(file, &[("CARDOON_WORKER__CONCURRENCY", "5")])).await;
    let worker = Worker::builder(&app).task::<unlucky>().name("desk").queues(["post"]).concurrency(2);
    assert_eq!(seen(&app, worker).await, ("desk".to_owned(), 2, vec!["post".to_owned()]));
}

#[tokio::test]
async fn without_settings_a_worker_takes_from_the_queues_of_its_tasks() {
    #[cardoon::task(queue = "post")]
    async fn letter() {}

    let app = app(Settings::default()).await;
    let (_, _, queues) = seen(&app, Worker::builder(&app).task::<letter>()).await;
    assert_eq!(queues, ["celery", "post"]);
}

#[tokio::test]
async fn retries_are_those_of_the_settings_unless_the_task_says_its_own() {
    let app = app(settings("[retry]\nmax = 2\nbase = \"1ms\"\n", &[])).await;
    let worker = Worker::builder(&app).task::<unlucky>().task::<unlucky_twice>().builtins();
    let attempts = async {
        let mut attempts = Vec::new();
        for id in [
            app.send(unlucky::signature()).await.unwrap(),
            app.send(unlucky_twice::signature()).await.unwrap(),
            app.send(cardoon::builtin::fail::signature("no".into(), None)).await.unwrap(),
        ] {
            id.wait(SOON).await.unwrap_err();
            attempts.push(id.history().await.unwrap().len());
        }
        attempts
    };
    let mut seen = Vec::new();
    Box::pin(worker.run_until(async { seen = attempts.await })).await.unwrap();
    assert_eq!(seen, [3, 2, 3]);
}

#[tokio::test]
async fn time_limits_of_the_settings_hold_for_tasks_without_their_own() {
    let app = app(settings("[worker]\ntime_limit = \"20ms\"\n[retry]\nmax = 0\n", &[])).await;
    let handle = app.send(patient::signature()).await.unwrap();
    let ends = async { handle.wait(SOON).await.unwrap_err() };
    let mut error = None;
    let worker = Worker::builder(&app).task::<patient>();
    worker.run_until(async { error = Some(ends.await) }).await.unwrap();
    assert_eq!(error.unwrap().code(), Code::TaskFailed);
    assert_eq!(handle.record().await.unwrap().unwrap().state, TaskState::Failure);
}

#[tokio::test]
async fn a_queue_of_the_settings_that_cannot_be_one_stops_the_worker_before_it_starts() {
    let app = app(settings("[worker]\nqueues = [\"a\\nb\"]\n", &[])).await;
    let error = Worker::builder(&app).task::<unlucky>().build().err().expect("no queue name");
    assert_eq!(error.code(), Code::BadName);
}
