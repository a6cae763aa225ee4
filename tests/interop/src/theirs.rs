//! The programs of real Celery.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use cardoon_core::TaskId;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::lab::PATIENCE;
use crate::{Call, Ended, Lab, version};

/// What their worker writes when it takes tasks.
pub(crate) const READY: &str = " ready.";

/// Their worker: a single process for one slot, else its usual pool of processes.
pub(crate) fn worker(lab: &Lab, name: &str, slots: u32) -> anyhow::Result<Command> {
    let mut command = python(lab, "celery")?;
    command.args(["--app", "interop_app", "worker", "--loglevel", "INFO"]);
    command.args(["--without-mingle", "--without-gossip", "--hostname", &format!("{name}@interop")]);
    if slots == 1 {
        command.args(["--pool", "solo"]);
    } else {
        command.args(["--concurrency", &slots.to_string()]);
    }
    Ok(command)
}

fn python(lab: &Lab, program: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(lab.version.program(program)?);
    command
        .env("INTEROP_URL", lab.redis.url())
        .env("INTEROP_WITNESS", lab.witness())
        .env("PYTHONPATH", version::python())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Where the tests run as root, Celery would warn of it in each log.
        .env("C_FORCE_ROOT", "1");
    Ok(command)
}

/// Their producer and reader of results: a process that answers a line of JSON with another.
pub struct CeleryClient {
    _process: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl CeleryClient {
    pub(crate) fn start(lab: &Lab) -> anyhow::Result<Self> {
        let mut command = python(lab, "python")?;
        command.arg(version::python().join("interop_client.py"));
        let mut command = tokio::process::Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().context("cannot start the Celery client")?;
        let requests = process.stdin.take().context("the client has no input")?;
        let answers = process.stdout.take().context("the client has no output")?;
        Ok(Self { _process: process, requests, answers: BufReader::new(answers).lines() })
    }

    /// Has a command of `interop_client.py` executed.
    pub async fn ask(&mut self, request: Value) -> anyhow::Result<Value> {
        let line = format!("{request}\n");
        self.requests.write_all(line.as_bytes()).await?;
        let answer = tokio::time::timeout(PATIENCE * 2, self.answers.next_line()).await;
        let answer = answer.with_context(|| format!("the client does not answer {request}"))??;
        let mut answer: Value = serde_json::from_str(&answer.context("the client has ended")?)?;
        match answer.get_mut("ok") {
            Some(answer) => Ok(answer.take()),
            None => bail!("{request}: {answer}"),
        }
    }

    pub(crate) async fn send(&mut self, call: &Call, count: usize) -> anyhow::Result<Vec<TaskId>> {
        let Call { task, args, kwargs, .. } = call;
        let request = json!({
            "do": "send", "task": task, "args": args, "kwargs": kwargs, "options": call.options(), "count": count,
        });
        let ids: Vec<String> = serde_json::from_value(self.ask(request).await?)?;
        ids.into_iter().map(|id| TaskId::new(id).context("an id that is none")).collect()
    }

    pub(crate) async fn outcome(&mut self, id: &TaskId, seconds: f64) -> anyhow::Result<Ended> {
        let answer = self.ask(json!({"do": "get", "id": id.to_string(), "limit": seconds})).await?;
        if let Some(value) = answer.get("value") {
            return Ok(Ended::Value(value.clone()));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(match answer.get("raised") {
            Some(raised) => Ended::Raised { kind: text(&raised["type"]), message: text(&raised["text"]) },
            None => Ended::Unknown,
        })
    }
}
