use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// What a reader reads.
pub type Input = Box<dyn Read + Send>;

/// A file to read, wherever it is. It is opened several times: to look at samples, and to be read.
pub trait Source: Send + Sync {
    /// For people: what errors call it.
    fn name(&self) -> &str;

    /// Its present length in bytes; nothing if it is not known, as of a compressed file. A file whose length is
    /// known is found out when it changes while it is read.
    fn len(&self) -> Option<u64>;

    /// Opens it at its begin.
    fn open(&self) -> io::Result<Input>;

    /// Opens it `offset` bytes from its begin; nothing if that is not possible, which is the default.
    fn open_at(&self, offset: u64) -> io::Result<Option<Input>> {
        let _ = offset;
        Ok(None)
    }

    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// A file of the local file system.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
    name: String,
}

impl FileSource {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string(), path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        std::fs::metadata(&self.path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
    }

    fn open(&self) -> io::Result<Input> {
        Ok(Box::new(File::open(&self.path)?))
    }

    fn open_at(&self, offset: u64) -> io::Result<Option<Input>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Some(Box::new(file)))
    }
}
