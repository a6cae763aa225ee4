//! The command lines of `cardoon` in the files.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A command line of `cardoon`, and the settings of its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What follows `cardoon`.
    pub words: Vec<String>,
    pub environment: BTreeMap<String, String>,
}

impl Invocation {
    fn new(words: Vec<String>) -> Self {
        Self { words, environment: BTreeMap::new() }
    }
}

/// That of a unit of systemd.
pub fn of_unit(text: &str) -> anyhow::Result<Invocation> {
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/cardoon "));
    let words = line.context("the unit starts no cardoon")?.split_whitespace();
    // What a variable holds is the user's; specifiers are names here.
    let fixed = words.filter(|word| !word.starts_with('$')).map(|word| word.replace('%', ""));
    Ok(Invocation::new(fixed.collect()))
}

/// Those of a Containerfile: what is started, and what asks for its health.
pub fn of_container(text: &str) -> anyhow::Result<Vec<Invocation>> {
    let whole = text.replace("\\\n", " ");
    let instruction = |name: &str| {
        let line =
            whole.lines().rfind(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
        words(serde_json::from_str(&line[line.find('[').context("not in the form of a list")?..])?)
    };
    let (program, arguments) = (instruction("ENTRYPOINT")?, instruction("CMD")?);
    let started = of_program([program, arguments].concat())?;
    Ok(vec![started, of_program(instruction("HEALTHCHECK")?)?])
}

/// Those of a compose file.
pub fn of_compose(file: &Value) -> anyhow::Result<Vec<Invocation>> {
    let services = file["services"].as_object().context("no services")?;
    let mut found = Vec::new();
    for service in services.values().filter(|service| service["image"] == "cardoon") {
        let mut invocations = vec![Invocation::new(words(service["command"].clone())?)];
        let test = words(service["healthcheck"]["test"].clone())?;
        if test.get(1).is_some_and(|program| program == "cardoon") {
            invocations.push(of_program(test[1..].to_vec())?);
        }
        let settings = service["environment"].as_object().context("no environment")?;
        for invocation in &mut invocations {
            let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            invocation.environment =
                settings.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        }
        found.extend(invocations);
    }
    Ok(found)
}

fn of_program(mut words: Vec<String>) -> anyhow::Result<Invocation> {
    ensure!(words.first().is_some_and(|word| word == "cardoon"), "{words:?} is another program");
    words.remove(0);
    Ok(Invocation::new(words))
}

fn words(list: Value) -> anyhow::Result<Vec<String>> {
    Ok(serde_json::from_value(list)?)
}
