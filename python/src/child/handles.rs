//! Descriptors that the zygote hands over as numbers.

#![expect(unsafe_code, reason = "a number becomes an owned descriptor nowhere else")]

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// The caller gives the descriptor away.
fn owned(number: i32) -> OwnedFd {
    // SAFETY: the zygote opened it for this child alone and forgets it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

pub(super) fn socket(number: i32) -> UnixStream {
    UnixStream::from(owned(number))
}

pub(super) fn file(number: i32) -> File {
    File::from(owned(number))
}

/// None if there is none.
pub(super) fn event(number: i32) -> Option<OwnedFd> {
    (number >= 0).then(|| owned(number))
}
