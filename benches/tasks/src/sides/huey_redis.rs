//! huey on Redis: two worker processes. It acknowledges nothing: a task whose worker dies is gone.

use std::process::Command;

use anyhow::Result;

use super::huey;
use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const REQUIREMENTS: &str = "huey==3.5.4\nredis==8.1.0\nhiredis==3.5.0\n";
const APP: &str = include_str!("huey_redis_app.py");

pub(crate) struct HueyRedis {
    pub(crate) ignore_result: bool,
}

impl HueyRedis {
    fn program(&self, url: &str, name: &str) -> Result<Command> {
        let folder = cache::python("huey-redis-3.5.4", REQUIREMENTS)?;
        std::fs::write(folder.join("huey_redis_app.py"), APP)?;
        let mut command = Command::new(folder.join("bin").join(name));
        command.current_dir(&folder).env("PYTHONPATH", &folder).env("BENCH_URL", url);
        command.env("BENCH_IGNORE_RESULT", if self.ignore_result { "1" } else { "0" });
        Ok(command)
    }
}

impl Peer for HueyRedis {
    fn name(&self) -> String {
        huey::name()
    }

    fn setting(&self) -> String {
        "2 processes, no acknowledgement".into()
    }

    fn sender(&self, url: &str) -> Result<Command> {
        let mut command = self.program(url, "python")?;
        // Run as a program, its module would have another name, and so would its task.
        command.args(["-c", "import huey_redis_app; huey_redis_app.main()"]);
        Ok(command)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let mut command = self.program(url, "huey_consumer")?;
        command.args(["huey_redis_app.huey", "-k", "process", "-w", "2", "-q"]);
        Ok(vec![command])
    }

    /// A task that was taken is no longer anywhere: the last two may still run when none waits.
    fn places(&self) -> Places {
        Places::new(&[["LLEN", "huey.redis.bench"]], &[])
    }
}
