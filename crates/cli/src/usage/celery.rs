//! Commands of Celery that have another name here.

use cardoon_errors::{Code, Error};
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Celery's command, and what to type instead.
const INSTEAD: &[(&str, &str)] = &[
    ("status", "cardoon queue list"),
    ("inspect", "cardoon task list; cardoon queue list"),
    ("control", "cardoon task revoke ID; a worker is told to end by SIGTERM"),
    ("purge", "cardoon queue purge NAME --yes; cardoon worker --purge"),
    ("call", "cardoon send NAME --args '[1, 2]'"),
    ("result", "cardoon task get ID"),
    ("list", "cardoon queue list"),
    ("multi", "one unit of systemd for each worker, with Type=simple"),
    ("flower", "cardoon events; cardoon task list"),
    ("shell", "python -i -c 'from tasks import app'"),
    ("report", "cardoon --version; cardoon settings show"),
];

/// The error for a line whose command is one of these.
pub(super) fn instead(error: &clap::Error) -> Option<Error> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let (name, instead) = INSTEAD.iter().find(|(celerys, _)| celerys == name)?;
    Some(Error::new(Code::BadInput, format!("there is no command `{name}` here")).hint(*instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser as _;

    #[test]
    fn what_celery_users_type_is_answered_with_what_to_type_here() {
        for (name, _) in INSTEAD {
            let error = Arguments::try_parse_from(["cardoon", name, "x"]).unwrap_err();
            assert!(instead(&error).is_some(), "{name}");
        }
        assert!(instead(&Arguments::try_parse_from(["cardoon", "tsk"]).unwrap_err()).is_none());
    }

    #[test]
    fn every_command_that_is_named_can_be_typed() {
        for (_, hint) in INSTEAD {
            for line in hint.split("; ").filter(|line| line.starts_with("cardoon ") && !line.contains('\'')) {
                let parsed = Arguments::try_parse_from(line.split(' '));
                assert!(parsed.as_ref().err().is_none_or(|error| !error.use_stderr()), "{line}");
            }
        }
    }
}
