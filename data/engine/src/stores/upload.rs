use std::collections::VecDeque;
use std::io::{self, Write};
use std::mem::take;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use cardoon_errors::{Code, Error, Result};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use tokio::task::AbortHandle;

use super::bucket::{Bucket, Condition};
use super::wait;

/// Bytes of a part; the number of parts is limited, so that they grow after each thousand.
const PART: usize = 8 << 20;
const GROWS_AFTER: usize = 1000;
/// Parts that are on their way at the same time, at most.
const FLYING: usize = 4;
/// How long whoever gives up an upload waits until the store knows it.
const GIVING_UP: Duration = Duration::from_secs(5);

/// Writes an object. Nobody sees it before it is put in its place whole; dropped before, nothing of it remains. A process
/// that is killed leaves parts that nobody sees either, and which the store keeps until a rule of the bucket removes them.
pub(crate) struct Upload {
    bucket: Bucket,
    key: String,
    path: Path,
    buffer: Vec<u8>,
    /// None as long as all fits into one part.
    parts: Option<Parts>,
}

/// An upload of which no more will be written.
pub(crate) enum Ready {
    /// It fits into one request.
    Small {
        bucket: Bucket,
        key: String,
        bytes: Bytes,
    },
    Parts(Upload),
}

struct Parts {
    upload: Box<dyn MultipartUpload>,
    count: usize,
    flying: VecDeque<Flying>,
}

struct Flying {
    answer: Receiver<object_store::Result<()>>,
    request: AbortHandle,
}

impl Upload {
    pub(crate) fn new(bucket: Bucket, key: &str) -> Result<Self> {
        let path = bucket.path(key)?;
        Ok(Self { bucket, key: key.to_owned(), path, buffer: Vec::new(), parts: None })
    }

    /// Waits until all that was written is with the store.
    pub(crate) fn finish(mut self) -> Result<Ready> {
        if self.parts.is_none() {
            let bytes = take(&mut self.buffer).into();
            return Ok(Ready::Small { bucket: self.bucket.clone(), key: self.key.clone(), bytes });
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.wait_for_fewer(1)?;
        Ok(Ready::Parts(self))
    }

    /// Sends what is in the buffer as the next part.
    fn send(&mut self) -> Result<()> {
        self.wait_for_fewer(FLYING)?;
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.begin()?,
        };
        let (send, answer) = channel();
        let part = parts.upload.put_part(PutPayload::from(take(&mut self.buffer)));
        let request = self.bucket.runtime.spawn(async move {
            // Who asked may be gone.
            let _ = send.send(part.await);
        });
        parts.flying.push_back(Flying { answer, request: request.abort_handle() });
        parts.count += 1;
        self.parts = Some(parts);
        Ok(())
    }

    fn begin(&self) -> Result<Parts> {
        let (client, path) = (self.bucket.client.clone(), self.path.clone());
        let begun = wait::done(&self.bucket.runtime, async move { client.put_multipart(&path).await });
        let upload = begun.ok_or_else(dropped)?.map_err(|error| self.failed(&error))?;
        Ok(Parts { upload, count: 0, flying: VecDeque::new() })
    }

    fn wait_for_fewer(&mut self, most: usize) -> Result<()> {
        while let Some(parts) = &mut self.parts
            && parts.flying.len() >= most
            && let Some(first) = parts.flying.pop_front()
        {
            let sent = wait::receive(&first.answer).ok_or_else(dropped)?;
            sent.map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<()> {
        let Some(mut parts) = self.parts.take() else { return Ok(()) };
        if let Err(error) = parts.upload.complete().await {
            // So that it is given up.
            self.parts = Some(parts);
            return Err(self.failed(&error));
        }
        Ok(())
    }

    fn failed(&self, error: &object_store::Error) -> Error {
        self.bucket.coded(error, &self.key, Code::OutputFailed)
    }

    fn part_bytes(&self) -> usize {
        PART * (1 + self.parts.as_ref().map_or(0, |parts| parts.count / GROWS_AFTER))
    }
}

impl Ready {
    /// Puts the object in its place and answers whether it has taken it. The condition is only heeded if it is small:
    /// many parts are put together without one.
    pub(crate) async fn place(&mut self, condition: &Condition) -> Result<bool> {
        match self {
            Self::Small { bucket, key, bytes } => bucket.put(key, bytes.clone(), condition).await,
            Self::Parts(upload) => upload.complete().await.map(|()| true),
        }
    }

    pub(crate) fn is_small(&self) -> bool {
        matches!(self, Self::Small { .. })
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.part_bytes() - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == self.part_bytes() {
            self.send().map_err(io::Error::other)?;
        }
        Ok(count)
    }

    /// Does nothing: parts are of one size, and a part is sent when it is full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        parts.flying.iter().for_each(|part| part.request.abort());
        let (send, given_up) = channel();
        self.bucket.runtime.spawn(async move {
            // If the store cannot be told, it keeps parts that nobody sees.
            let _ = send.send(parts.upload.abort().await.is_ok());
        });
        let _ = given_up.recv_timeout(GIVING_UP);
    }
}

fn dropped() -> Error {
    Error::new(Code::Internal, "a request to a store was dropped")
}
