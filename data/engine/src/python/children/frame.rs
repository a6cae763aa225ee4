//! How a child is spoken to: frames of a letter, a length and so many bytes.

use std::io::{self, Read, Write};

/// The bytes of a frame that are taken before it is known that there are more.
const AT_ONCE: u64 = 1 << 20;

/// Writes one frame, whose bytes are those of `parts`.
pub(super) fn write(to: &mut impl Write, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    to.write_all(&[kind])?;
    to.write_all(&(length as u64).to_le_bytes())?;
    parts.iter().try_for_each(|part| to.write_all(part))?;
    to.flush()
}

/// Reads one frame. Errors with `UnexpectedEof` if there is none, or half of one.
pub(super) fn read(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    from.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let length = u64::from_le_bytes(length);
    // What writes its own lengths may be mistaken in them.
    let mut bytes = Vec::with_capacity(length.min(AT_ONCE) as usize);
    if from.take(length).read_to_end(&mut bytes)? as u64 == length {
        Ok((kind, bytes))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_are_read_as_they_were_written(
            frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..10),
            cut in 0_usize..300,
        ) {
            let mut bytes = Vec::new();
            for (kind, content) in &frames {
                let (head, rest) = content.split_at(content.len() / 3);
                write(&mut bytes, *kind, &[head, rest]).unwrap();
            }
            let mut reader = bytes.as_slice();
            for frame in &frames {
                prop_assert_eq!(&read(&mut reader).unwrap(), frame);
            }
            prop_assert_eq!(read(&mut reader).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            let mut cut = &bytes[..cut.min(bytes.len())];
            while read(&mut cut).is_ok() {}
            prop_assert!(cut.is_empty());
        }
    }

    #[test]
    fn a_length_that_is_a_lie_takes_no_memory() {
        let lie = [b"R".as_slice(), &u64::MAX.to_le_bytes(), b"few"].concat();
        assert_eq!(read(&mut lie.as_slice()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
