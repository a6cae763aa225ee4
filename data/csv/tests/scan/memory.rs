use std::io::{self, Read};
use std::sync::Arc;

use cardoon_csv::{Input, Source};

/// A file that is only in memory.
pub(crate) struct Memory {
    name: String,
    bytes: Arc<[u8]>,
    /// The most bytes of one read.
    at_once: usize,
}

impl Memory {
    pub(crate) fn source(name: &str, bytes: impl AsRef<[u8]>) -> Arc<dyn Source> {
        Self::in_pieces(name, bytes, usize::MAX)
    }

    pub(crate) fn in_pieces(name: &str, bytes: impl AsRef<[u8]>, at_once: usize) -> Arc<dyn Source> {
        Arc::new(Self { name: name.to_owned(), bytes: bytes.as_ref().into(), at_once })
    }
}

impl Source for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }

    fn open(&self) -> io::Result<Input> {
        Ok(Box::new(Rest { bytes: Arc::clone(&self.bytes), at: 0, at_once: self.at_once }))
    }

    fn open_at(&self, offset: u64) -> io::Result<Option<Input>> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        Ok(Some(Box::new(Rest { bytes: Arc::clone(&self.bytes), at, at_once: self.at_once })))
    }
}

struct Rest {
    bytes: Arc<[u8]>,
    at: usize,
    at_once: usize,
}

impl Read for Rest {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = to.len().min(self.at_once);
        let count = (&self.bytes[self.at..]).read(&mut to[..most])?;
        self.at += count;
        Ok(count)
    }
}
