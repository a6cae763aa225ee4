use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::mpsc::{Receiver, channel};

use bytes::{Buf as _, Bytes};
use cardoon_errors::Result;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

use super::bucket::{Bucket, Object};
use super::wait;

/// The first range, in bytes: as much as a sample has.
const FIRST: u64 = 64 << 10;
/// The longest one. Each is four times as long as the one before it.
const LONGEST: u64 = 8 << 20;
/// Ranges that are on their way at the same time, at most.
const FLYING: usize = 4;

/// Reads an object from a place on, while the next ranges of it are on their way. Who takes no more than a sample
/// causes no more than one request.
pub(super) struct ReadAhead {
    bucket: Bucket,
    object: Object,
    /// What was not yet asked for.
    rest: Range<u64>,
    length: u64,
    flying: VecDeque<Flying>,
    got: Bytes,
    /// For `got`, as long as there is any of it.
    held: Option<OwnedSemaphorePermit>,
    is_first: bool,
}

/// A range on its way.
struct Flying {
    answer: Receiver<Result<Bytes>>,
    request: AbortHandle,
    held: Option<OwnedSemaphorePermit>,
}

impl ReadAhead {
    pub(super) fn new(bucket: Bucket, object: Object, rest: Range<u64>) -> Self {
        let (flying, got) = (VecDeque::new(), Bytes::new());
        Self { bucket, object, rest, length: FIRST, flying, got, held: None, is_first: true }
    }

    /// Waits for the next range; nothing at the end.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let wanted = if self.is_first { 1 } else { FLYING };
        self.is_first = false;
        while self.flying.len() < wanted && !self.rest.is_empty() && self.ask() {}
        let Some(mut first) = self.flying.pop_front() else { return Ok(None) };
        let got = wait::receive(&first.answer).ok_or_else(|| io::Error::other("the request was dropped"))?;
        self.held = first.held.take();
        got.map(Some).map_err(io::Error::other)
    }

    /// Asks for the next range, unless others have read far enough ahead. One that is waited for is always asked for.
    fn ask(&mut self) -> bool {
        let end = self.rest.end.min(self.rest.start + self.length);
        let range = self.rest.start..end;
        let mebibytes = (range.end - range.start).div_ceil(1 << 20) as u32;
        let held = self.bucket.ahead.clone().try_acquire_many_owned(mebibytes).ok();
        if held.is_none() && !self.flying.is_empty() {
            return false;
        }
        self.rest.start = end;
        self.length = (self.length * 4).min(LONGEST);
        let (send, answer) = channel();
        let (bucket, Object { url, etag, .. }) = (self.bucket.clone(), self.object.clone());
        let request = self.bucket.runtime.spawn(async move {
            // Who asked may be gone.
            let _ = send.send(bucket.read(&url.key, range, etag).await);
        });
        self.flying.push_back(Flying { answer, request: request.abort_handle(), held });
        true
    }
}

impl Read for ReadAhead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.got.is_empty() && !into.is_empty() {
            drop(self.held.take());
            match self.next()? {
                Some(got) => self.got = got,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.got.len());
        self.got.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.request.abort();
    }
}
