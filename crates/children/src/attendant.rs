//! Listens to one child until it is dead.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::BytesMut;
use cardoon_errors::Result;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use tokio::sync::Notify;

use crate::child::{Child, Outgoing};
use crate::dispatch::ChildId;
use crate::frame::{self, Order, Tag};
use crate::hub::Hub;
use crate::output::{Line, Lines};
use crate::owner::Label;
use crate::printer::Printer;

/// How soon output is read again whose lines nobody could take.
const OUTPUT_PAUSE: Duration = Duration::from_millis(5);

/// Pieces of output that are read before the child's words are heard.
const OUTPUT_AT_A_TIME: usize = 16;

/// What all attendants need.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) hub: Weak<Hub>,
    pub(crate) services: Supervisor,
    pub(crate) printer: Printer,
    pub(crate) clock: Clock,
    /// How long a child may take to be ready.
    pub(crate) patience: Duration,
}

/// A child that is listened to.
pub(crate) struct Attended {
    pub(crate) child: Child,
    outgoing: Mutex<Outgoing>,
    blocked: Notify,
}

struct Attendant {
    id: ChildId,
    attended: Arc<Attended>,
    site: Site,
    received: BytesMut,
    lines: Lines,
    /// Who printed last: a call may have ended when its lines are passed on.
    speaker: Option<(Tag, Label)>,
    /// The child still listens, and can still print.
    listens: bool,
    prints: bool,
    ready: bool,
}

impl Site {
    /// Takes charge of a child.
    pub(crate) fn attend(&self, id: ChildId, child: Child) {
        let attended = Arc::new(Attended { child, outgoing: Mutex::default(), blocked: Notify::new() });
        let Some(hub) = self.hub.upgrade() else { return };
        hub.made(id, Arc::clone(&attended));
        let attendant = Attendant {
            id,
            attended,
            site: self.clone(),
            received: BytesMut::new(),
            lines: Lines::default(),
            speaker: None,
            listens: true,
            prints: true,
            ready: false,
        };
        self.services.spawn(ServiceKind::Children, attendant.run());
    }
}

impl Attended {
    /// Sends an order, now or as soon as the child reads. A child that cannot be told is about to be found dead.
    pub(crate) fn say(&self, order: &Order<'_>) {
        match frame::encode(order) {
            Ok(frame) => {
                let mut outgoing = self.outgoing();
                outgoing.push(frame);
                if matches!(self.child.write(&mut outgoing), Ok(false)) {
                    self.blocked.notify_one();
                }
            }
            Err(error) => tracing::error!(%error, "an order for a child cannot be written"),
        }
    }

    /// Writes of what the child did not take before as much as it takes now.
    fn write(&self) -> io::Result<()> {
        self.child.write(&mut self.outgoing()).map(drop)
    }

    fn is_blocked(&self) -> bool {
        !self.outgoing().is_empty()
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attendant {
    async fn run(mut self) -> Result<()> {
        let attended = Arc::clone(&self.attended);
        let clock = self.site.clock.clone();
        let mut patience = std::pin::pin!(clock.sleep(self.site.patience));
        loop {
            let room = self.site.printer.has_room();
            tokio::select! {
                biased;
                dead = attended.child.dead() => break dead.unwrap_or(()),
                // Neither waits for the other: a child may have to be heard before it reads on.
                free = attended.child.writable(), if self.listens && attended.is_blocked() => {
                    if free.is_err() || attended.write().is_err() {
                        self.dismiss();
                    }
                }
                heard = attended.child.readable(), if self.listens => if heard.is_err() || self.hear(false).is_err() {
                    self.dismiss();
                },
                () = attended.blocked.notified(), if self.listens => {}
                printed = attended.child.printed(), if self.prints && room => {
                    self.prints = printed.is_ok() && self.read_output(OUTPUT_AT_A_TIME);
                }
                () = clock.sleep(OUTPUT_PAUSE), if self.prints && !room => {}
                () = &mut patience, if !self.ready => {
                    tracing::warn!(pid = attended.child.pid, "a child is not ready in time and is killed");
                    self.ready = true;
                    attended.child.kill();
                }
            }
        }
        self.bury();
        Ok(())
    }

    /// The child cannot be talked with: it is of no use.
    fn dismiss(&mut self) {
        self.listens = false;
        self.attended.child.kill();
    }

    /// Hears all that has come. What a call printed is read before its end is told.
    fn hear(&mut self, last: bool) -> io::Result<()> {
        let Some(hub) = self.site.hub.upgrade() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        while let Some(frame) = self.attended.child.frame(&mut self.received, last)? {
            self.ready = true;
            if self.prints && self.site.printer.has_room() {
                self.prints = self.read_output(OUTPUT_AT_A_TIME);
            }
            if let Some(tag) = self.lines.speaker() {
                self.remember(&hub, tag);
            }
            for tag in hub.heard(self.id, &frame)? {
                if let Some(line) = self.lines.ended(tag) {
                    self.pass_on(&hub, line);
                }
            }
        }
        Ok(())
    }

    /// False when nobody can print any more.
    fn read_output(&mut self, pieces: usize) -> bool {
        let mut open = true;
        for _ in 0..pieces {
            match self.attended.child.read_output(&mut self.lines) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    open = false;
                    break;
                }
            }
        }
        self.print(!open);
        open
    }

    fn print(&mut self, rest: bool) {
        let Some(hub) = self.site.hub.upgrade() else { return };
        while let Some(line) = self.lines.next(rest) {
            self.pass_on(&hub, line);
        }
    }

    /// What Python has not marked, because other code wrote it, is of the call that the child has begun last.
    fn pass_on(&mut self, hub: &Hub, line: Line) {
        let noted = || hub.notes().then(|| self.attended.child.note.read()).flatten().map(|(tag, _)| tag);
        let tag = line.tag.or_else(noted);
        if let Some(tag) = tag {
            self.remember(hub, tag);
        }
        let label = self.speaker.as_ref().filter(|(speaker, _)| Some(*speaker) == tag);
        let label = label.map(|(_, label)| label.clone());
        self.site.printer.print(self.attended.child.pid, label, line.text);
    }

    /// Asks who the call is, which nobody knows any more when its end has been told.
    fn remember(&mut self, hub: &Hub, tag: Tag) {
        if self.speaker.as_ref().is_none_or(|(speaker, _)| *speaker != tag) {
            self.speaker = hub.label(self.id, tag).map(|label| (tag, label));
        }
    }

    /// Hears the last words of a dead child, then says that it is dead.
    fn bury(&mut self) {
        if self.listens {
            // An error here only says that there are no more words.
            let _ = self.hear(true);
        }
        self.read_output(OUTPUT_AT_A_TIME);
        self.print(true);
        let how = self.attended.child.bury();
        tracing::debug!(pid = self.attended.child.pid, how, "a child has ended");
        if let Some(hub) = self.site.hub.upgrade() {
            hub.died(self.id, how);
        }
    }
}
