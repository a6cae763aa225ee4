use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use cardoon_engine::{Engine, Settings};
use cardoon_errors::Error;
use cardoon_frame::Frame;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use tempfile::TempDir;

/// A folder of files and an engine.
pub(crate) struct Rig {
    folder: TempDir,
    pub(crate) engine: Engine,
}

impl Rig {
    /// Two threads, as much memory as the engine must be content with.
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { threads: Some(2), memory: Some(256 << 20), ..Settings::new() };
        change(&mut settings);
        Self { folder: tempfile::tempdir().unwrap(), engine: Engine::new(settings).unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path as a query names it.
    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn scan(&self, name: &str) -> Frame {
        Frame::scan(self.name(name))
    }

    /// `query` with `{}` for the folder.
    pub(crate) fn sql(&self, query: &str) -> Frame {
        Frame::sql(query.replace("{}", &self.folder.path().display().to_string()))
    }

    /// All rows as text, fields with bars between them.
    pub(crate) async fn rows(&self, frame: &Frame) -> Vec<String> {
        self.try_rows(frame).await.unwrap()
    }

    /// The same without an order.
    pub(crate) async fn sorted(&self, frame: &Frame) -> Vec<String> {
        let mut rows = self.rows(frame).await;
        rows.sort();
        rows
    }

    pub(crate) async fn try_rows(&self, frame: &Frame) -> Result<Vec<String>, Error> {
        let (_, batches) = self.engine.collect(frame).await?;
        Ok(batches.iter().flat_map(as_text).collect())
    }

    pub(crate) async fn error(&self, frame: &Frame) -> Error {
        self.try_rows(frame).await.unwrap_err()
    }

    /// The names in the folder.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn as_text(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row =
        |index| columns.iter().map(|column| column.value(index).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

/// Lines of text, one for each number.
pub(crate) fn lines<L: std::fmt::Display>(numbers: std::ops::Range<u64>, line: impl Fn(u64) -> L) -> String {
    let mut text = String::new();
    for number in numbers {
        writeln!(text, "{}", line(number)).unwrap();
    }
    text
}
