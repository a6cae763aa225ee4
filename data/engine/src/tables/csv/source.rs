//! Compressed files as sources of the scan. They have one reader each, since nobody can jump into them.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardoon_csv::{FileSource, Input, Source};

/// Bytes that are read from a compressed file at a time.
const READ_BYTES: usize = 256 << 10;

#[derive(Debug, Clone, Copy)]
enum Compression {
    Gzip,
    Zstd,
}

/// A compressed file.
#[derive(Debug)]
struct Compressed {
    path: PathBuf,
    name: String,
    compression: Compression,
}

/// The source of a file, by the end of its name.
pub(super) fn source(path: &Path) -> Arc<dyn Source> {
    let compression = match path.extension().map(|end| end.to_string_lossy().to_lowercase()).as_deref() {
        Some("gz") => Compression::Gzip,
        Some("zst") => Compression::Zstd,
        _ => return Arc::new(FileSource::new(path)),
    };
    Arc::new(Compressed { path: path.to_owned(), name: path.display().to_string(), compression })
}

impl Source for Compressed {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        None
    }

    fn open(&self) -> io::Result<Input> {
        let file = BufReader::with_capacity(READ_BYTES, File::open(&self.path)?);
        Ok(match self.compression {
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        })
    }
}
