//! The thread that listens to the supervisor. It never needs the interpreter's lock, so a task cannot hold it up.

use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cardoon_children::Call;
use cardoon_children::frame::{self, Order, Raw};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::shared::{Shared, Taken};

/// How often ends are said for a lane that is busy with the next call.
const SAY_EVERY: Duration = Duration::from_millis(2);

/// What is read at a time, in bytes: little, since an idle child keeps it; of a large frame more.
const READ_AT_A_TIME: usize = 8 * 1024;
const MOST_AT_A_TIME: usize = 1024 * 1024;

/// Starts the thread. It ends the process when the supervisor is gone.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<()> {
    std::thread::Builder::new().name("cardoon-line".to_owned()).spawn(move || {
        // Whatever went wrong: without its supervisor this process is of no use.
        let _ = listen(&shared);
        Shared::vanish();
    })?;
    Ok(())
}

fn listen(shared: &Shared) -> io::Result<()> {
    let mut received = BytesMut::new();
    loop {
        if !wait(shared)? {
            shared.flush()?;
            continue;
        }
        if !shared.is_itself() {
            return Err(io::Error::other("the line is not ours any more"));
        }
        read(shared, &mut received)?;
        while let Some(length) = frame::length(&received)?.filter(|length| received.len() >= *length) {
            let frame = received.split_to(length).freeze();
            obey(shared, &frame)?;
        }
    }
}

/// Waits until the supervisor has said something. False when ends should be said meanwhile.
fn wait(shared: &Shared) -> io::Result<bool> {
    let pause =
        shared.is_busy().then(|| Timespec::try_from(SAY_EVERY)).transpose().map_err(io::Error::other)?;
    let mut fds = [PollFd::from_borrowed_fd(shared.socket().as_fd(), PollFlags::IN | PollFlags::RDHUP)];
    match rustix::event::poll(&mut fds, pause.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read(shared: &Shared, received: &mut BytesMut) -> io::Result<()> {
    let filled = received.len();
    let missing = frame::length(received)?.unwrap_or(0).saturating_sub(filled);
    received.resize(filled + missing.clamp(READ_AT_A_TIME, MOST_AT_A_TIME), 0);
    let got = shared.socket().read(&mut received[filled..]);
    received.truncate(filled + got.as_ref().copied().unwrap_or(0));
    match got {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    }
}

fn obey(shared: &Shared, frame: &Bytes) -> io::Result<()> {
    match frame::decode(frame)? {
        Order::Run(calls) => shared.add(calls.iter().map(|call| taken(call, frame)).collect()),
        Order::Recall(tags) => shared.recall(&tags)?,
        Order::Gate(gate) => shared.set_gate(gate),
        Order::Cancel { tag, why } => shared.cancel(tag, why),
        Order::Stop => shared.stop(),
    }
    Ok(())
}

fn taken(call: &Call<&str, Raw<'_>>, frame: &Bytes) -> Taken {
    call.map(|text| frame.slice_ref(text.as_bytes()), |json| frame.slice_ref(json.0))
}
