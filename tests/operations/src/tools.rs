use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A program of the environment `operations`.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    Hadolint,
    CheckJsonschema,
    Python,
}

impl Tool {
    /// The command, which `cargo xtask setup` installs.
    pub fn command(self) -> anyhow::Result<Command> {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements/operations.txt");
        let name = match self {
            Self::Hadolint => "hadolint",
            Self::CheckJsonschema => "check-jsonschema",
            Self::Python => "python",
        };
        Ok(Command::new(cardoon_testkit::environment(&requirements)?.join("bin").join(name)))
    }
}

/// The built program, with no settings but the given ones.
pub fn cardoon(folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(cardoon_testkit::cardoon_binary()?);
    command.current_dir(folder).env_clear().env("HOME", folder).env("LANG", "C");
    Ok(command)
}

/// Runs `command`, which must succeed; answers what it printed.
pub fn succeeds(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy);
    ensure!(output.status.success(), "{command:?} failed:\n{}{}", said[0], said[1]);
    Ok(said[0].clone().into_owned())
}

/// A YAML file as JSON.
pub fn yaml(path: &Path) -> anyhow::Result<Value> {
    const READ: &str = "import json, sys; from ruamel.yaml import YAML; \
                        json.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)";
    let text = succeeds(Tool::Python.command()?.args(["-c", READ]).arg(path))?;
    Ok(serde_json::from_str(&text)?)
}
