//! Secrets: read from files of their own, and never shown.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use cardoon_errors::{Code, Error, Result};

use crate::StoreUrl;
use crate::entry::Origin;
use crate::url;

/// No secret is larger. A file that is was meant for something else.
const MOST_BYTES: u64 = 64 * 1024;

/// Where containers are given their secrets: readable for all there are in the container.
const OF_CONTAINERS: [&str; 2] = ["/run/secrets", "/var/run/secrets"];

/// A password. Printing it, in any way, shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// `None` if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        Some(text).filter(|text| !text.is_empty()).map(|text| Self(text.into()))
    }

    /// The password itself, for the one who connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// What the file of a secret holds.
pub(crate) struct Secret {
    pub(crate) text: String,
    /// Everybody on this machine may read it.
    pub(crate) is_exposed: bool,
}

/// Reads the file of the setting `name`, without the newline at its end.
///
/// # Errors
/// `CD4008` if it cannot be read, is no file, is larger than 64 KiB or no text.
pub(crate) fn read(name: &str, path: &Path, named_by: &Origin) -> Result<Secret> {
    let unusable = |error: Error| error.checked(format!("setting: {name}")).checked(named_by.to_string());
    read_file(path).map_err(unusable)
}

fn read_file(path: &Path) -> Result<Secret> {
    let unreadable = |error| cannot_use(path, None).source(error).hint(look(path));
    // Looked at before it is opened: a pipe would be waited for.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(cannot_use(path, Some("it is no file")).hint(look(path)));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(cannot_use(path, Some("it is larger than 64 KiB")).hint(ONLY_THE_SECRET));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| cannot_use(path, Some("it is no UTF-8 text")).hint(ONLY_THE_SECRET))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Secret { text, is_exposed: is_exposed(path, &metadata) })
}

const ONLY_THE_SECRET: &str = "write the secret into the file, and nothing else";

fn look(path: &Path) -> String {
    format!("look at the file and its rights: ls -lL {}", path.display())
}

fn cannot_use(path: &Path, why: Option<&str>) -> Error {
    let error = Error::new(Code::BadSecretFile, format!("cannot read the secret in {}", path.display()));
    why.map_or(error.clone(), |why| error.checked(why))
}

#[cfg(unix)]
fn is_exposed(path: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    let is_for_all = metadata.permissions().mode() & 0o004 != 0;
    is_for_all && !OF_CONTAINERS.iter().any(|folder| path.starts_with(folder))
}

#[cfg(not(unix))]
fn is_exposed(_path: &Path, _metadata: &Metadata) -> bool {
    false
}

/// The error of a secret that one source gives both itself and in a file.
pub(crate) fn given_twice(name: &str, origins: [&Origin; 2]) -> Error {
    let error = Error::new(Code::BadSetting, format!("{name} is given both itself and in a file"));
    let mut said = origins.map(ToString::to_string).to_vec();
    said.dedup();
    said.into_iter().fold(error, Error::checked).hint("leave one of them out")
}

/// Puts the password of a store into its URL, unless that has one. A URL of a stronger source than the password's, such as
/// a flag beside a file, names another server, which is not told it. `origins`: of the URL and of the password.
pub(crate) fn put_in(
    store: &str,
    url: &mut Option<StoreUrl>,
    password: Option<&Password>,
    origins: &[Origin; 2],
) -> Result<()> {
    let [of_url, of_password] = origins;
    let Some(password) = password.filter(|_| of_password.strength() >= of_url.strength()) else {
        return Ok(());
    };
    let complete = url.as_ref().and_then(|url| url::with_password(url.expose(), password.expose()));
    let Some(complete) = complete else {
        let message = format!("{store}.password is given, but {store}.url names no server");
        return Err(Error::new(Code::BadSetting, message)
            .checked(of_password.to_string())
            .hint("name the server, such as redis://HOST, or leave the password out"));
    };
    *url = Some(StoreUrl::new(complete));
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Flag, Settings, Sources};

    /// A project: its `cardoon.toml`, and files that only their owner reads.
    struct Project {
        folder: tempfile::TempDir,
        sources: Sources,
    }

    impl Project {
        fn new(toml: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("cardoon.toml"), toml).unwrap();
            let sources = Sources { folder: Some(folder.path().into()), ..Sources::default() };
            Self { folder, sources }
        }

        fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
            let path = self.folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            path.display().to_string()
        }

        fn set(&mut self, variable: &str, value: &str) {
            self.sources.environment.push((variable.into(), value.into()));
        }

        fn flag(&mut self, name: &'static str, value: &str) {
            self.sources.flags.push(Flag { name, option: "--it", value: value.into() });
        }

        fn load(&self) -> Settings {
            Settings::load(&self.sources).unwrap()
        }

        fn error(&self) -> Error {
            Settings::load(&self.sources).unwrap_err()
        }

        /// The value and the origin that `cardoon settings show --origin` shows.
        fn shown(&self, name: &str) -> (String, String) {
            let entry = self.load().entries().into_iter().find(|entry| entry.name == name).unwrap();
            (entry.value, entry.origin.to_string())
        }
    }

    fn broker(settings: &Settings) -> &str {
        settings.broker.url.as_ref().unwrap().expose()
    }

    #[test]
    fn a_url_is_read_from_the_file_that_the_environment_names() {
        for variable in ["CARDOON_BROKER_FILE", "CARDOON_BROKER__URL_FILE"] {
            let mut project = Project::new("");
            let file = project.file("url", "redis://:hunter2@db/1\r\n");
            project.set(variable, &file);
            assert_eq!(broker(&project.load()), "redis://:hunter2@db/1");
            let origin = format!("file {file}, named by environment {variable}");
            assert_eq!(project.shown("broker.url"), ("redis://:***@db/1".to_owned(), origin));
            assert!(project.load().is_set("broker.url"));
            assert!(!format!("{:?}{:?}", project.load(), project.load().entries()).contains("hunter2"));
        }
    }

    #[test]
    fn the_settings_file_names_files_from_its_own_folder() {
        let project =
            Project::new("[broker]\nurl_file = \"secrets/url\"\n[results]\nurl_file = \"results\"\n");
        std::fs::create_dir(project.folder.path().join("secrets")).unwrap();
        project.file("secrets/url", "redis://:hunter2@db\n");
        project.file("results", "sqlite:results.db\n");
        let below = project.folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let settings = Settings::load(&Sources { folder: Some(below), ..Sources::default() }).unwrap();
        assert_eq!(broker(&settings), "redis://:hunter2@db");
        let database = format!("sqlite:{}", project.folder.path().join("results.db").display());
        assert_eq!(settings.results.url.unwrap().expose(), database);
    }

    #[test]
    fn a_stronger_source_wins_whether_it_says_the_secret_or_its_file() {
        let mut project = Project::new("[broker]\nurl_file = \"gone\"\n");
        project.set("CARDOON_BROKER", "redis://environment");
        assert_eq!(broker(&project.load()), "redis://environment");
        let mut project = Project::new("broker = \"redis://toml\"\n");
        let file = project.file("url", "redis://file");
        project.set("CARDOON_BROKER_FILE", &file);
        assert_eq!(broker(&project.load()), "redis://file");
        project.flag("broker.url", "redis://flag");
        assert_eq!(broker(&project.load()), "redis://flag");
        assert_eq!(project.shown("broker.url").1, "flag --it");
    }

    #[test]
    fn one_source_gives_a_secret_itself_or_in_a_file_and_not_both() {
        let mut project = Project::new("");
        let file = project.file("url", "redis://file");
        project.set("CARDOON_BROKER_FILE", &file);
        project.set("CARDOON_BROKER", "redis://itself");
        let error = project.error();
        assert_eq!(error.code(), Code::BadSetting);
        assert_eq!(error.findings(), ["environment CARDOON_BROKER_FILE", "environment CARDOON_BROKER"]);
        let project = Project::new("[broker]\nurl = \"redis://itself\"\nurl_file = \"url\"\n");
        assert_eq!(project.error().message(), "broker.url is given both itself and in a file");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let project = Project::new("[broker]\nurl_file = \"url\"\n");
        let refused = |why: &str| {
            let error = project.error();
            assert_eq!(error.code(), Code::BadSecretFile);
            assert!(error.message().ends_with("/url"), "{error}");
            let said = format!("{:?} {:?}", error.findings(), error.causes());
            assert!(said.contains(why) && said.contains("setting: broker.url"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        };
        refused("No such file");
        project.file("url", vec![b'x'; 64 * 1024 + 1]);
        refused("larger than 64 KiB");
        project.file("url", b"hunter2\xff");
        refused("no UTF-8 text");
        std::fs::remove_file(project.folder.path().join("url")).unwrap();
        std::fs::create_dir(project.folder.path().join("url")).unwrap();
        refused("it is no file");
    }

    #[test]
    fn an_empty_file_is_no_value() {
        let project = Project::new("[broker]\nurl_file = \"url\"\n");
        project.file("url", "\n");
        let error = project.error();
        assert_eq!(error.message(), "cannot read its value for broker.url");
        assert!(
            error.findings()[0].starts_with("file ") && error.findings()[0].contains("/url, named by file")
        );
    }

    #[test]
    fn a_file_that_everybody_may_read_is_used_and_reported() {
        let project = Project::new("[broker]\nurl_file = \"url\"\n");
        let file = project.file("url", "redis://db");
        assert_eq!(project.load().exposed_files().count(), 0);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(project.load().exposed_files().collect::<Vec<_>>(), [Path::new(&file)]);
    }

    #[test]
    fn a_password_alone_is_put_into_the_url() {
        let mut project = Project::new("broker = \"redis://ann@db/2\"\nresults.url = \"redis://:own@r\"\n");
        let file = project.file("password", "p@ss word\n");
        project.set("CARDOON_BROKER__PASSWORD_FILE", &file);
        project.set("CARDOON_RESULTS__PASSWORD_FILE", &file);
        let settings = project.load();
        assert_eq!(broker(&settings), "redis://ann:p%40ss%20word@db/2");
        assert_eq!(settings.results.url.unwrap().expose(), "redis://:own@r", "it has one");
        assert_eq!(project.shown("broker.url").0, "redis://ann:***@db/2");
        let origin = format!("file {file}, named by environment CARDOON_BROKER__PASSWORD_FILE");
        assert_eq!(project.shown("broker.password"), ("***".to_owned(), origin));
    }

    #[test]
    fn the_server_of_a_stronger_source_is_not_told_the_password() {
        let mut project = Project::new("[broker]\nurl = \"redis://db\"\npassword = \"hunter2\"\n");
        assert_eq!(broker(&project.load()), "redis://:hunter2@db");
        project.set("CARDOON_BROKER", "redis://elsewhere");
        assert_eq!(broker(&project.load()), "redis://elsewhere");
    }

    #[test]
    fn a_password_without_a_server_is_refused() {
        let refused = "broker.password is given, but broker.url names no server";
        assert_eq!(Project::new("[broker]\npassword = \"p\"\n").error().message(), refused);
        let of_file = Project::new("[broker]\nurl = \"sqlite:a.db\"\npassword = \"p\"\n");
        assert_eq!(of_file.error().message(), refused);
    }

    #[test]
    fn a_misspelt_file_is_refused_with_the_nearest_name() {
        let error = Project::new("[broker]\nurl_flie = \"url\"\n").error();
        assert!(error.next_step().unwrap().contains("did you mean `broker.url_file`?"), "{error:?}");
        let mut project = Project::new("");
        project.set("CARDOON_BROKER_FILES", "url");
        let error = project.error();
        assert!(error.next_step().unwrap().contains("did you mean `CARDOON_BROKER_FILE`?"), "{error:?}");
        // Only secrets may be in files.
        let error = Project::new("[worker]\nname_file = \"name\"\n").error();
        assert_eq!(error.code(), Code::UnknownSetting);
    }
}
