//! The layers of settings: which value wins, and where it came from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

use crate::entry::{Definition, FILE_KEY, Origin};
use crate::value::Value;
use crate::{file, secret, url};

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: [&str; 2] = ["CARDOON_LOG", "CARDOON_CHILD"];

/// A name that differs from a known one by at most this much is taken for a slip of the pen.
const SIMILAR: f64 = 0.75;

/// Where settings are read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// What the command line sets.
    pub flags: Vec<Flag>,
    /// Variables of the environment; those without our prefix are passed over.
    pub environment: Vec<(String, String)>,
    /// The folder from which `cardoon.toml` is looked for, upward; nowhere if `None`.
    pub folder: Option<PathBuf>,
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The setting: `worker.queues`.
    pub name: &'static str,
    /// The option: `--queues`.
    pub option: &'static str,
    pub value: String,
}

impl Sources {
    /// This process's environment and working folder, with `flags`.
    pub fn of_process(flags: Vec<Flag>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .collect();
        Self { flags, environment, folder: std::env::current_dir().ok() }
    }
}

/// The winning text of each setting that is set.
pub(crate) struct Layers {
    values: HashMap<String, (Given, Origin)>,
    table: &'static [Definition],
    origins: Vec<Origin>,
    exposed: Vec<PathBuf>,
}

/// What a layer says of a setting.
enum Given {
    Itself(String),
    /// The file that holds it.
    InFile(PathBuf),
}

impl Layers {
    /// Puts the layers over each other, weakest first. Every name of every layer must exist.
    pub(crate) fn gather(sources: &Sources, table: &'static [Definition]) -> Result<Self> {
        let mut layers = Self { values: HashMap::new(), table, origins: Vec::new(), exposed: Vec::new() };
        layers.add_file(sources)?;
        layers.add_environment(sources)?;
        for flag in &sources.flags {
            layers.set(flag.name, Given::Itself(flag.value.clone()), Origin::Flag(flag.option.into()))?;
        }
        Ok(layers)
    }

    /// The value of the setting `name`; called once for each, in the order of the table.
    pub(crate) fn take<T: Value>(&mut self, name: &str) -> Result<T> {
        let (text, origin) = self.text(name)?;
        let value = T::read(&text).ok_or_else(|| unreadable::<T>(name, &text, &origin))?;
        self.origins.push(origin);
        Ok(value)
    }

    fn text(&mut self, name: &str) -> Result<(String, Origin)> {
        let (text, origin) = match self.values.remove(name) {
            None => {
                let definition = self.table.iter().find(|definition| definition.name == name);
                return Ok((definition.map_or("", |it| it.default).to_owned(), Origin::Default));
            }
            Some((Given::Itself(text), origin)) => (text, origin),
            Some((Given::InFile(path), named_by)) => {
                let secret = secret::read(name, &path, &named_by)?;
                self.exposed.extend(secret.is_exposed.then(|| path.clone()));
                (secret.text, Origin::SecretFile(path, Box::new(named_by)))
            }
        };
        // Wherever below the file a program is started, it means the same database.
        let text = match (name, origin.settings_folder()) {
            ("broker.url" | "results.url", Some(folder)) => url::meant_from(&text, folder),
            _ => text,
        };
        Ok((text, origin))
    }

    pub(crate) fn exposed(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.exposed)
    }

    pub(crate) fn into_origins(self) -> Vec<Origin> {
        self.origins
    }

    fn add_file(&mut self, sources: &Sources) -> Result<()> {
        let Some(path) = sources.folder.as_deref().and_then(file::find_file) else { return Ok(()) };
        let folder = path.parent().unwrap_or(Path::new(""));
        for (name, text) in file::read(&path)? {
            let origin = Origin::File(path.clone());
            if self.table.iter().any(|definition| definition.name == name) {
                self.set(&name, Given::Itself(text), origin)?;
            } else if let Some(secret) = self.secret_in_file(&name) {
                self.set(secret, Given::InFile(folder.join(text)), origin)?;
            } else {
                return Err(unknown(&name, &origin, self.table.iter().flat_map(Definition::keys)));
            }
        }
        Ok(())
    }

    /// The secret whose file the key `name` names.
    fn secret_in_file(&self, name: &str) -> Option<&'static str> {
        let name = name.strip_suffix(FILE_KEY)?;
        self.table.iter().find(|definition| definition.secret && definition.name == name).map(|it| it.name)
    }

    fn add_environment(&mut self, sources: &Sources) -> Result<()> {
        for (variable, text) in &sources.environment {
            if !variable.starts_with("CARDOON_") || OTHER_VARIABLES.contains(&variable.as_str()) {
                continue;
            }
            let origin = || Origin::Environment(variable.clone());
            let is_empty = text.is_empty();
            if let Some(definition) = self.table.iter().find(|it| it.is_set_by(variable)) {
                if !is_empty {
                    self.set(definition.name, Given::Itself(text.clone()), origin())?;
                }
            } else if let Some(definition) = self.table.iter().find(|it| it.names_its_file(variable)) {
                if !is_empty {
                    self.set(definition.name, Given::InFile(text.into()), origin())?;
                }
            } else {
                refuse_slip(variable, self.table)?;
            }
        }
        Ok(())
    }

    /// Sets what weaker layers have set too, or nobody. One layer gives a secret itself or in a file, not both.
    fn set(&mut self, name: &str, given: Given, origin: Origin) -> Result<()> {
        if let Some((before, said_by)) = self.values.get(name)
            && said_by.strength() == origin.strength()
            && std::mem::discriminant(before) != std::mem::discriminant(&given)
        {
            return Err(secret::given_twice(name, [said_by, &origin]));
        }
        self.values.insert(name.into(), (given, origin));
        Ok(())
    }
}

/// A variable with two underscores is meant for us, and so is one that is nearly ours; others may belong to a
/// program of the same prefix.
fn refuse_slip(variable: &str, table: &[Definition]) -> Result<()> {
    let known = || table.iter().flat_map(Definition::variables);
    let meant = variable.contains("__") || known().any(|name| strsim::jaro(&name, variable) > 0.95);
    if meant { Err(unknown(variable, &Origin::Environment(variable.into()), known())) } else { Ok(()) }
}

fn unknown(name: &str, origin: &Origin, known: impl Iterator<Item = String>) -> Error {
    let error = Error::new(Code::UnknownSetting, format!("there is no setting `{}`", name.escape_debug()))
        .checked(origin.to_string());
    let nearest = known
        .map(|known| (strsim::jaro_winkler(&known, name), known))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, known)) => {
            error.hint(format!("did you mean `{known}`? all settings: cardoon settings show"))
        }
        None => error.hint("all settings: cardoon settings show"),
    }
}

fn unreadable<T: Value>(name: &str, text: &str, origin: &Origin) -> Error {
    let shown = if T::SECRET { "its value".into() } else { format!("`{}`", text.escape_debug()) };
    Error::new(Code::BadSetting, format!("cannot read {shown} for {name}"))
        .checked(origin.to_string())
        .checked(format!("accepted: {}", T::FORMS))
        .hint("correct the value, then run: cardoon settings show --origin")
}
