//! taskiq on a stream of Redis, with uvloop: two worker processes, which acknowledge a task when its result is stored.

use std::process::Command;

use anyhow::Result;

use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const VERSION: &str = "0.13.0";
const REQUIREMENTS: &str =
    "taskiq==0.13.0\ntaskiq-redis==1.2.4\nredis==8.1.0\nhiredis==3.5.0\nuvloop==0.23.0\n";
const APP: &str = include_str!("taskiq_app.py");
/// Entries stay in the stream when they are done: the group knows how many were not handed out yet, and how many of those
/// that were are not acknowledged.
const WAITING: &str = "return redis.call('XINFO', 'GROUPS', 'bench')[1][12]";
const HELD: &str = "return redis.call('XPENDING', 'bench', 'bench')[1]";

pub(crate) struct Taskiq {
    pub(crate) ignore_result: bool,
}

impl Taskiq {
    fn program(&self, url: &str, name: &str) -> Result<Command> {
        let folder = cache::python(&format!("taskiq-{VERSION}"), REQUIREMENTS)?;
        std::fs::write(folder.join("taskiq_app.py"), APP)?;
        let mut command = Command::new(folder.join("bin").join(name));
        command.current_dir(&folder).env("PYTHONPATH", &folder).env("BENCH_URL", url);
        command.env("BENCH_IGNORE_RESULT", if self.ignore_result { "1" } else { "0" });
        Ok(command)
    }
}

impl Peer for Taskiq {
    fn name(&self) -> String {
        format!("taskiq {VERSION}")
    }

    fn setting(&self) -> String {
        "`-w 2`, `RedisStreamBroker`, uvloop".into()
    }

    fn sender(&self, url: &str) -> Result<Command> {
        let mut command = self.program(url, "python")?;
        command.arg("taskiq_app.py");
        Ok(command)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let mut command = self.program(url, "taskiq")?;
        command.args(["worker", "taskiq_app:broker", "-w", "2", "--log-level", "ERROR"]);
        Ok(vec![command])
    }

    fn places(&self) -> Places {
        let script = |script: &str| vec![["EVAL", script, "0"].map(str::to_owned).to_vec()];
        Places { waiting: script(WAITING), held: script(HELD) }
    }
}
