//! Finding dead and silent sessions.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use cardoon_broker::SweepReport;
use cardoon_core::BootInstant;
use cardoon_core::lease::{LeaseTerms, Watch};
use cardoon_core::rescue::Loss;
use cardoon_errors::Result;

use crate::database::Database;
use crate::live::{Marks, PageReader, Seen};
use crate::operations::rescue::{LostSession, Rescued, rescue};
use crate::tables::sessions::{self, Session};
use crate::tables::{Step, places};
use crate::writer::SLICE;

/// One consumer's view of the others.
#[derive(Debug)]
pub(crate) struct Sweeper {
    own: i64,
    terms: LeaseTerms,
    watch: Watch,
    /// Since when this process has seen no stall.
    answering_since: BootInstant,
    silent: HashSet<i64>,
}

impl Sweeper {
    pub(crate) fn new(own: i64, terms: LeaseTerms, now: BootInstant) -> Self {
        Self { own, terms, watch: Watch::new(now), answering_since: now, silent: HashSet::new() }
    }

    /// Rescues what dead and silent sessions hold. `beat` was the own last heartbeat.
    pub(crate) async fn sweep(&mut self, database: &Arc<Database>, beat: BootInstant) -> Result<SweepReport> {
        let mut sessions = database.readers.run(sessions::list).await?;
        sessions.retain(|session| session.id != self.own);
        let now = database.clock.boot();
        self.watch.beaten(beat, now, &self.terms);
        self.answering_since = self.watch.answered(now, &self.terms);
        let mut report = SweepReport::default();
        for session in sessions {
            self.look_at(database, session, &mut report).await?;
        }
        Ok(report)
    }

    async fn look_at(
        &mut self,
        database: &Arc<Database>,
        session: Session,
        report: &mut SweepReport,
    ) -> Result<()> {
        let (page, seen) = match look(database, &session) {
            Ok(found) => found,
            Err(error) => {
                // It may well live, so nothing is taken from it.
                tracing::warn!(%error, worker = session.worker, "a worker's status page cannot be read");
                return Ok(());
            }
        };
        match seen {
            Seen::Dead => bury(database, session, page, report).await,
            Seen::Alive { beat } if self.has_lapsed(&session, beat, database.clock.boot()) => {
                self.rescue_silent(database, session, report).await
            }
            Seen::Alive { .. } => {
                self.silent.remove(&session.id);
                Ok(())
            }
        }
    }

    fn has_lapsed(&self, session: &Session, beat: BootInstant, now: BootInstant) -> bool {
        terms(session).has_lapsed(beat, self.answering_since, now)
    }

    /// Takes everything from a session that lives and does not renew its leases. It may come back.
    async fn rescue_silent(
        &mut self,
        database: &Arc<Database>,
        session: Session,
        report: &mut SweepReport,
    ) -> Result<()> {
        let id = session.id;
        if database.readers.run(move |db| places::holds_nothing(db, id)).await? {
            return Ok(());
        }
        let answering_since = self.answering_since;
        loop {
            let rescued = database
                .writer
                .run(SLICE, {
                    let (session, database) = (session.clone(), Arc::downgrade(database));
                    move |step: &mut Step<'_>| {
                        // It may have come back while this step waited for its turn.
                        match database
                            .upgrade()
                            .and_then(|it| marks_of_silent(&it, &session, answering_since))
                        {
                            Some(marks) => {
                                rescue(step, &LostSession { id, loss: Loss::Silent, marks }, SLICE)
                            }
                            None => Ok(Rescued::default()),
                        }
                    }
                })
                .await?;
            let (more, any) = (rescued.more, !rescued.is_empty());
            rescued.add_to(report);
            if any && self.silent.insert(id) {
                report.lost_workers.push(session.worker.clone());
            }
            if !more {
                return Ok(());
            }
        }
    }
}

fn terms(session: &Session) -> LeaseTerms {
    LeaseTerms { lease: session.lease, ..LeaseTerms::default() }
}

/// What a session that is silent says of user code; `None` if it is not silent any more.
///
/// The heartbeat is read first: whatever is marked later is not started, because the lease has lapsed before.
fn marks_of_silent(database: &Database, session: &Session, answering_since: BootInstant) -> Option<Marks> {
    let page = PageReader::open(&database.live, &session.file).ok().flatten()?;
    match page.look().ok()? {
        Seen::Alive { beat } if terms(session).has_lapsed(beat, answering_since, database.clock.boot()) => {
            Some(page.marks().unwrap_or_else(|_| Marks::doubtful()))
        }
        // If it died meanwhile, the next sweep deals with that.
        Seen::Alive { .. } | Seen::Dead => None,
    }
}

/// How a session is; one without a file is dead.
fn look(database: &Database, session: &Session) -> io::Result<(Option<PageReader>, Seen)> {
    let page = PageReader::open(&database.live, &session.file)?;
    let seen = page.as_ref().map_or(Ok(Seen::Dead), PageReader::look)?;
    Ok((page, seen))
}

/// Rescues what a dead session held, then removes it. `page` is locked meanwhile, which keeps other sweepers away.
async fn bury(
    database: &Arc<Database>,
    session: Session,
    page: Option<PageReader>,
    report: &mut SweepReport,
) -> Result<()> {
    let id = session.id;
    let marks = page.as_ref().map_or_else(|| Ok(Marks::doubtful()), PageReader::marks).unwrap_or_else(|error| {
        tracing::warn!(%error, worker = session.worker, "a dead worker's page cannot be read; nobody is blamed");
        Marks::doubtful()
    });
    let lost = LostSession { id, loss: Loss::Died, marks };
    loop {
        let rescued = database.writer.run(SLICE, {
            let lost = lost.clone();
            move |step: &mut Step<'_>| {
                let rescued = rescue(step, &lost, SLICE)?;
                // In one step with the last slice: a session without a row must not hold anything.
                let ended = !rescued.more && sessions::delete(step, id)?;
                Ok((rescued, ended))
            }
        });
        let (rescued, ended) = rescued.await?;
        let more = rescued.more;
        rescued.add_to(report);
        if ended {
            report.lost_workers.push(session.worker.clone());
        }
        if !more {
            break;
        }
    }
    database.live.remove(&session.file);
    drop(page);
    Ok(())
}
