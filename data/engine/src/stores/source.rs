use std::io;

use cardoon_csv::{Input, Part, Source};

use super::ahead::ReadAhead;
use super::bucket::{Bucket, Object};

/// An object as a file of the scan. All that is read of it is of the state in which it was listed.
pub(crate) struct ObjectSource {
    bucket: Bucket,
    object: Object,
    name: String,
    /// Nobody reads further.
    end: u64,
}

impl ObjectSource {
    /// `part`: what will be read of it, if that is not all.
    pub(crate) fn new(bucket: Bucket, object: Object, part: Option<Part>) -> Self {
        let end = part.map_or(object.bytes, |part| part.end.min(object.bytes));
        Self { bucket, name: object.url.to_string(), object, end }
    }
}

impl Source for ObjectSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.object.bytes)
    }

    fn open(&self) -> io::Result<Input> {
        Ok(Box::new(ReadAhead::new(self.bucket.clone(), self.object.clone(), 0..self.end)))
    }

    fn open_at(&self, offset: u64) -> io::Result<Option<Input>> {
        let rest = offset.min(self.end)..self.end;
        Ok(Some(Box::new(ReadAhead::new(self.bucket.clone(), self.object.clone(), rest))))
    }
}
