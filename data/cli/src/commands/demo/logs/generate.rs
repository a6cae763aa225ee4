use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cardoon_errors::{Code, Error, Result};
use fastrand::Rng;

use super::zipf::Zipf;
use crate::talk;

const FILES: u64 = 20;
const USERS: u32 = 1_000_000;
const ACTIONS: [&str; 8] = ["login", "logout", "view", "search", "click", "cart", "purchase", "comment"];

/// A prime: numbers of users do not tell how busy they are.
const SPREAD: u64 = 611_953;

/// 2026-01-01T00:00:00, in seconds since 1970.
const BEGIN: u64 = 1_767_225_600;

/// Makes `bytes` of logs in `folder`, the same each time. Files that are there in their full size are kept.
pub(super) async fn logs(folder: &Path, bytes: u64) -> Result<()> {
    let zipf = Arc::new(Zipf::new(USERS));
    let bar = talk::bytes(bytes);
    let files = (0..FILES).map(|file| {
        let (path, zipf, bar) = (folder.join(format!("log-{file:02}.csv")), zipf.clone(), bar.clone());
        tokio::task::spawn_blocking(move || {
            log(&path, file, bytes / FILES, &zipf, |written| bar.inc(written))
                .map_err(|error| failed(&path, error))
        })
    });
    for file in files.collect::<Vec<_>>() {
        file.await.map_err(|error| Error::new(Code::Internal, "making logs broke off").source(error))??;
    }
    bar.finish_and_clear();
    Ok(())
}

/// One file of at least `bytes`. It appears when it is whole.
fn log(path: &Path, file: u64, bytes: u64, zipf: &Zipf, wrote: impl Fn(u64)) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| there.len() >= bytes && there.len() < bytes + 100) {
        return Ok(());
    }
    let partial = PathBuf::from(format!("{}.partial", path.display()));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
    let mut random = Rng::with_seed(file + 1);
    let mut clock = Seconds::new(BEGIN + file * 86_400);
    out.write_all(b"user_id,action,timestamp\n")?;
    let (mut written, mut told) = (25, 0);
    let mut row = Vec::with_capacity(64);
    while written < bytes {
        row.clear();
        let user = u64::from(zipf.draw(&mut random)) * SPREAD % u64::from(USERS);
        let action = ACTIONS[random.usize(..ACTIONS.len())];
        writeln!(row, "{user},{action},{}", clock.text())?;
        if random.u8(..) < 16 {
            clock.tick();
        }
        out.write_all(&row)?;
        written += row.len() as u64;
        if written - told > 1 << 20 {
            wrote(written - told);
            told = written;
        }
    }
    out.flush()?;
    fs::rename(&partial, path)
}

/// A time that goes forward, and its text.
struct Seconds {
    now: u64,
    text: String,
}

impl Seconds {
    fn new(now: u64) -> Self {
        Self { now, text: text(now) }
    }

    fn tick(&mut self) {
        self.now += 1;
        self.text = text(self.now);
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// `2026-01-31T23:59:59`.
fn text(seconds: u64) -> String {
    let days = (seconds / 86_400) as i32;
    let date = datafusion::arrow::temporal_conversions::date32_to_datetime(days).unwrap_or_default();
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}", date.date())
}

fn failed(path: &Path, error: io::Error) -> Error {
    let code = if error.kind() == io::ErrorKind::StorageFull { Code::DiskFull } else { Code::OutputFailed };
    Error::new(code, format!("{} cannot be written", path.display())).source(error)
}
