//! Where a child notes which call it has begun, so that its death names the victim.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::frame::Tag;

/// Two numbers of eight bytes, little endian: the tag, and when it began in boot-time milliseconds.
pub const SIZE: usize = 16;

/// A small file in memory that the child writes and its supervisor reads. It outlives the child.
#[derive(Debug)]
pub struct Note(File);

impl Note {
    pub fn new(file: File) -> Self {
        Self(file)
    }

    /// Notes that user code of `tag` begins. Costs one system call.
    pub fn write(&self, tag: Tag, began_at: u64) -> std::io::Result<()> {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&tag.to_le_bytes());
        bytes[8..].copy_from_slice(&began_at.to_le_bytes());
        self.0.write_all_at(&bytes, 0)
    }

    /// The call that was begun last, and when; nothing if there was none yet.
    pub fn read(&self) -> Option<(Tag, u64)> {
        let mut bytes = [0; SIZE];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let number = |part: &[u8]| part.try_into().map(u64::from_le_bytes).ok();
        Some((number(&bytes[..8])?, number(&bytes[8..])?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_last_is_read() {
        let note = Note::new(tempfile::tempfile().unwrap());
        assert_eq!(note.read(), None);
        note.write(7, 1000).unwrap();
        note.write(8, 1001).unwrap();
        assert_eq!(note.read(), Some((8, 1001)));
    }
}
