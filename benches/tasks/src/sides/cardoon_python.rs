//! Cardoon's Python package, installed from its wheel.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::celery::FAULTS;
use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const APP: &str = include_str!("cardoon_app.py");
const COROUTINES: &str = include_str!("cardoon_coroutines.py");

/// The environment that the package was installed into.
pub(crate) struct Package(PathBuf);

/// One way to start its worker.
pub(crate) struct CardoonPython {
    folder: PathBuf,
    app: &'static str,
    ignore_result: bool,
    options: &'static str,
}

impl Package {
    pub(crate) fn install(wheel: &Path) -> Result<Self> {
        let folder = cache::wheel("cardoon", wheel)?;
        std::fs::write(folder.join("cardoon_app.py"), APP)?;
        std::fs::write(folder.join("cardoon_coroutines.py"), COROUTINES)?;
        std::fs::write(folder.join("faults.py"), FAULTS)?;
        Ok(Self(folder))
    }

    pub(crate) fn version(&self) -> Result<String> {
        cache::output(Command::new(self.0.join("bin/cardoon")).arg("--version"))
    }

    /// A worker with these options.
    pub(crate) fn worker(&self, options: &'static str) -> CardoonPython {
        CardoonPython { folder: self.0.clone(), app: "cardoon_app", ignore_result: false, options }
    }
}

impl CardoonPython {
    /// With the application whose tasks are coroutines.
    pub(crate) fn of_coroutines(self) -> Self {
        Self { app: "cardoon_coroutines", ..self }
    }

    pub(crate) fn ignoring(self, ignore_result: bool) -> Self {
        Self { ignore_result, ..self }
    }

    fn program(&self, url: &str, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin").join(name));
        command.current_dir(&self.folder).env("PYTHONPATH", &self.folder).env("BENCH_URL", url);
        command.env("BENCH_IGNORE_RESULT", if self.ignore_result { "1" } else { "0" });
        command
    }
}

impl Peer for CardoonPython {
    fn name(&self) -> String {
        "Cardoon".into()
    }

    fn setting(&self) -> String {
        format!("`{}`", self.options)
    }

    fn sender(&self, url: &str) -> Result<Command> {
        let mut command = self.program(url, "python");
        command.arg(format!("{}.py", self.app));
        Ok(command)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let mut command = self.program(url, "cardoon");
        command.args(["-A", self.app, "worker", "--loglevel", "error"]);
        command.args(self.options.split(' '));
        Ok(vec![command])
    }

    fn places(&self) -> Places {
        Places::of_cardoon(None)
    }
}
