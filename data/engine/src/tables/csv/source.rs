//! Files as sources of the scan. Compressed ones have one reader each, since nobody can jump into them.

use std::io::{self, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use cardoon_csv::{FileSource, Input, Part, Source};
use cardoon_errors::Result;

use crate::stores::{ObjectSource, Stores};
use crate::tables::location::Location;

/// Bytes that are read from a compressed file at a time.
const READ_BYTES: usize = 256 << 10;

#[derive(Debug, Clone, Copy)]
enum Compression {
    Gzip,
    Zstd,
}

/// A compressed file.
struct Compressed {
    packed: Arc<dyn Source>,
    compression: Compression,
}

/// The source of a file, of which `part` will be read, or all. The end of its name says whether it is compressed.
pub(super) fn source(file: &Location, part: Option<Part>) -> Result<Arc<dyn Source>> {
    let stored: Arc<dyn Source> = match file {
        Location::Local(path) => Arc::new(FileSource::new(PathBuf::clone(path))),
        Location::Object(object) => {
            let bucket = Stores::of_process()?.bucket(&object.url.bucket, object.options.as_deref())?;
            Arc::new(ObjectSource::new(bucket, object.clone(), part))
        }
    };
    let name = file.name().to_lowercase();
    Ok(match name.rsplit_once('.').map(|(_, end)| end) {
        Some("gz") => Arc::new(Compressed { packed: stored, compression: Compression::Gzip }),
        Some("zst") => Arc::new(Compressed { packed: stored, compression: Compression::Zstd }),
        _ => stored,
    })
}

impl Source for Compressed {
    fn name(&self) -> &str {
        self.packed.name()
    }

    fn len(&self) -> Option<u64> {
        None
    }

    fn open(&self) -> io::Result<Input> {
        let packed = BufReader::with_capacity(READ_BYTES, self.packed.open()?);
        Ok(match self.compression {
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        })
    }
}
