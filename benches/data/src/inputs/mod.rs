//! The files that are asked: logs with a table of their users, and the tables of TPC-H.

mod folder;
mod logs;
mod share;
mod tables;

pub(crate) use self::folder::Inputs;
use self::folder::warm;
pub(crate) use self::share::Share;
pub(crate) use self::tables::TABLES;
