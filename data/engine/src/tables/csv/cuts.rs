use std::io::{self, Read};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use cardoon_csv::{Dialect, Input, Part, Source};
use cardoon_errors::Error;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::failure;
use crate::tables::location::Location;

/// Where the files of one query are cut. They are read for that, so what is found out holds for all steps of the query and
/// for its later attempts.
#[derive(Default)]
pub(crate) struct Cuts(Mutex<Vec<Cut>>);

struct Cut {
    state: State,
    dialect: Dialect,
    /// How many parts were asked for.
    count: usize,
    parts: Option<Vec<Part>>,
}

/// A file as it was before it was read. Of an object its location tells.
#[derive(PartialEq, Eq)]
struct State {
    file: Location,
    length: Option<u64>,
    modified: Option<SystemTime>,
}

impl Cuts {
    /// `count` parts of `file` at most, or as many as somebody asked for before, if those were more; nothing if it cannot be
    /// cut.
    pub(super) async fn of(
        &self,
        file: &Location,
        source: &Arc<dyn Source>,
        dialect: &Dialect,
        count: usize,
    ) -> Result<Option<Vec<Part>>, Error> {
        let state = State::of(file, source.as_ref());
        // The steps of a plan are made side by side, so others wait for this cut.
        let mut cuts = self.0.lock().await;
        let is_same = |cut: &&Cut| cut.state == state && cut.dialect == *dialect && cut.count >= count;
        if let Some(cut) = cuts.iter().find(is_same) {
            return Ok(cut.parts.clone());
        }
        let parts = apart(source, dialect, count).await?;
        cuts.push(Cut { state, dialect: dialect.clone(), count, parts: parts.clone() });
        Ok(parts)
    }
}

impl State {
    fn of(file: &Location, source: &dyn Source) -> Self {
        let modified = match file {
            Location::Local(path) => path.metadata().and_then(|file| file.modified()).ok(),
            Location::Object(_) => None,
        };
        Self { file: file.clone(), length: source.len(), modified }
    }
}

/// Cuts on a thread where that holds nobody up. It breaks off when whoever waits for it does not any more.
async fn apart(
    source: &Arc<dyn Source>,
    dialect: &Dialect,
    count: usize,
) -> Result<Option<Vec<Part>>, Error> {
    let wanted = Arc::new(());
    let watched = Watched { source: source.clone(), wanted: Arc::downgrade(&wanted) };
    let dialect = dialect.clone();
    let cutting = spawn_blocking(move || {
        let source: Arc<dyn Source> = Arc::new(watched);
        cardoon_csv::parts(&source, &dialect, count)
    });
    let parts = cutting.await.unwrap_or_else(|error| Err(failure::stopped(source.as_ref(), error)));
    drop(wanted);
    parts.map_err(failure::coded)
}

/// A file that can be read as long as somebody wants it.
struct Watched<S> {
    source: S,
    wanted: Weak<()>,
}

impl Watched<Arc<dyn Source>> {
    fn watched(&self, input: Input) -> Input {
        Box::new(Watched { source: input, wanted: self.wanted.clone() })
    }
}

impl Source for Watched<Arc<dyn Source>> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn len(&self) -> Option<u64> {
        self.source.len()
    }

    fn open(&self) -> io::Result<Input> {
        Ok(self.watched(self.source.open()?))
    }

    fn open_at(&self, offset: u64) -> io::Result<Option<Input>> {
        Ok(self.source.open_at(offset)?.map(|input| self.watched(input)))
    }
}

impl Read for Watched<Input> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted.strong_count() == 0 {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        self.source.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    /// Rows of two bytes without an end of their own, of which `length` are shown.
    #[derive(Default)]
    struct Rows {
        length: AtomicU64,
        opened: AtomicUsize,
        /// Told when its reader is dropped.
        ended: Option<mpsc::Sender<()>>,
    }

    struct Reader {
        ends_row: bool,
        ended: Option<mpsc::Sender<()>>,
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            for byte in buffer.iter_mut() {
                *byte = if self.ends_row { b'\n' } else { b'1' };
                self.ends_row = !self.ends_row;
            }
            Ok(buffer.len())
        }
    }

    impl Drop for Reader {
        fn drop(&mut self) {
            if let Some(ended) = &self.ended {
                let _ = ended.send(());
            }
        }
    }

    impl Source for Rows {
        fn name(&self) -> &'static str {
            "rows.csv"
        }

        fn len(&self) -> Option<u64> {
            Some(self.length.load(Ordering::Relaxed))
        }

        fn open(&self) -> io::Result<Input> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Reader { ends_row: false, ended: self.ended.clone() }))
        }

        fn open_at(&self, _: u64) -> io::Result<Option<Input>> {
            Ok(Some(Box::new(io::empty())))
        }
    }

    async fn cut(cuts: &Cuts, rows: &Arc<Rows>, count: usize) -> Vec<u64> {
        let (file, source) = (Location::Local("rows.csv".into()), rows.clone() as Arc<dyn Source>);
        let parts = cuts.of(&file, &source, &Dialect::default(), count).await.unwrap().unwrap();
        parts.iter().map(|part| part.end).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_once_and_again_for_more_parts_or_if_it_has_changed() {
        let rows = Arc::new(Rows { length: 16.into(), ..Rows::default() });
        let cuts = Cuts::default();
        let steps = futures_util::join!(cut(&cuts, &rows, 2), cut(&cuts, &rows, 2));
        assert_eq!(steps, (vec![8, 16], vec![8, 16]));
        assert_eq!(rows.opened.load(Ordering::Relaxed), 1);
        assert_eq!(cut(&cuts, &rows, 4).await, [4, 8, 12, 16]);
        assert_eq!(cut(&cuts, &rows, 3).await, [4, 8, 12, 16]);
        assert_eq!(rows.opened.load(Ordering::Relaxed), 2);
        rows.length.store(32, Ordering::Relaxed);
        assert_eq!(cut(&cuts, &rows, 2).await, [16, 32]);
        assert_eq!(rows.opened.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn whoever_does_not_wait_any_more_ends_the_reading() {
        let (ended, end) = mpsc::channel();
        let rows = Arc::new(Rows { length: (1 << 38).into(), ended: Some(ended), ..Rows::default() });
        let cuts = Cuts::default();
        let mut cutting = Box::pin(cut(&cuts, &rows, 2));
        assert!(futures_util::poll!(&mut cutting).is_pending());
        drop(cutting);
        end.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    }
}
