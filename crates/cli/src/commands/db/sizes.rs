use cardoon_connect::care::Sizes;
use serde::Serialize;

/// What a database takes of the disk, for programs: in bytes.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    file: u64,
    log: u64,
    free: u64,
    gives_back: bool,
}

impl Item {
    pub(super) fn of(sizes: &Sizes) -> Self {
        Self { file: sizes.file, log: sizes.log, free: sizes.free, gives_back: sizes.gives_back }
    }
}

/// A number of bytes for people.
pub(super) fn shown(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
