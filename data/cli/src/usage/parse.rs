use std::ffi::OsString;

use cardoon_errors::Language;
use clap::error::ErrorKind;

use crate::{Arguments, failure};

use super::chinese::CHINESE;

/// The command line in the language of the locale, or the status to end with after help or an error was printed.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Arguments, u8> {
    let language = Language::of_environment();
    CHINESE.read(language, line).map_err(|error: clap::Error| {
        let says_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if error.use_stderr() && language == Language::Chinese && !says_help {
            failure::print(&CHINESE.error(&error));
        } else {
            // Nobody is left to be told that the output is closed.
            let _ = error.print();
        }
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_line_means_the_same_in_both_languages() {
        let options = "--cluster 127.0.0.1:8787 --bad-rows skip -o json --token secret";
        let line = ["cardoon data", "sql", "select 1"].into_iter().chain(options.split(' '));
        let understood =
            |language| format!("{:?}", CHINESE.read::<Arguments, _>(language, line.clone()).unwrap());
        assert_eq!(understood(Language::English), understood(Language::Chinese));
    }
}
