//! Where the database is when nobody says where.

use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

const FOLDER: &str = ".cardoon";
const SETTINGS_FILE: &str = "cardoon.toml";
const DATABASE: &str = "cardoon.db";

/// The URL of the database that belongs to the current folder; see [`locate`].
pub fn default_url() -> Result<String> {
    let here = std::env::current_dir().map_err(|error| {
        Error::new(Code::CannotOpenFile, "cannot find out the current folder")
            .hint("name the database: --broker sqlite:/path/to/cardoon.db")
            .source(error)
    })?;
    Ok(format!("sqlite:{}", locate(&here).display()))
}

/// The database that belongs to `folder`: `.cardoon/cardoon.db` in the nearest folder upward that has a
/// `cardoon.toml` or a `.cardoon`, else in `folder` itself. So all commands of one project share one database.
pub fn locate(folder: &Path) -> PathBuf {
    let home = folder.ancestors().find(|candidate| is_home(candidate)).unwrap_or(folder);
    home.join(FOLDER).join(DATABASE)
}

fn is_home(folder: &Path) -> bool {
    folder.join(SETTINGS_FILE).is_file() || folder.join(FOLDER).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_project_folder_upward_holds_the_database() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("shop/src/mail");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.path().join("shop").join(SETTINGS_FILE), "").unwrap();
        assert_eq!(locate(&deep), root.path().join("shop/.cardoon/cardoon.db"));

        std::fs::create_dir(root.path().join("shop/src/.cardoon")).unwrap();
        assert_eq!(locate(&deep), root.path().join("shop/src/.cardoon/cardoon.db"));
    }
}
