use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Inputs;
use crate::systems::Cardoon;

const FILES: usize = 20;
const USERS: u64 = 1_000_000;
const COUNTRIES: [&str; 20] = [
    "AR", "AU", "BR", "CA", "CN", "DE", "EG", "ES", "FR", "GB", "ID", "IN", "IT", "JP", "KR", "MX", "NG",
    "TR", "US", "ZA",
];

/// Logs made by the program that is measured, the same in Parquet, and a table of their users.
impl Inputs {
    /// Makes what is missing of all three.
    pub(crate) fn make_logs(&self, cardoon: &Cardoon, gb: f64) -> Result<()> {
        self.make_csv(cardoon, gb)?;
        if !self.parquet().exists() {
            self.place(&self.parquet(), |file| cardoon.copy(&self.logs().join("*.csv"), file))?;
        }
        write_users(&self.users()).context("cannot write the table of users")
    }

    /// Makes the logs alone if they are missing.
    pub(crate) fn make_csv(&self, cardoon: &Cardoon, gb: f64) -> Result<()> {
        std::fs::create_dir_all(self.logs())?;
        if !self.has_logs((gb * 1e9) as u64)? {
            println!("making {gb} GB of logs in {}", self.logs().display());
            cardoon.make_logs(gb, &self.logs())?;
            remove(&self.parquet())?;
        }
        Ok(())
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }

    /// The logs in one file of Parquet.
    pub(crate) fn parquet(&self) -> PathBuf {
        self.folder().join("logs.parquet")
    }

    pub(crate) fn users(&self) -> PathBuf {
        self.folder().join("users.csv")
    }

    /// Of the logs, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(self.logs())?.collect::<std::io::Result<Vec<_>>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        let mut files: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|csv| csv == "csv")).collect();
        files.sort();
        Ok(files)
    }

    /// Of the logs.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let sizes = self.files()?.into_iter().map(|file| Ok(file.metadata()?.len()));
        sizes.sum()
    }

    /// Whether they are there in this size, give or take one part in a hundred.
    fn has_logs(&self, bytes: u64) -> Result<bool> {
        let files = self.files()?.len();
        ensure!(
            files == 0 || files == FILES,
            "there are {files} logs in {}, not {FILES}",
            self.logs().display()
        );
        Ok(files == FILES && self.bytes()?.abs_diff(bytes) <= bytes / 100)
    }

    /// Reads everything, so that it is in the kernel's cache.
    pub(crate) fn warm_logs(&self) -> Result<()> {
        super::warm(self.files()?.into_iter().chain([self.parquet(), self.users()]))
    }
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A country and an age for each id, the same each time.
fn write_users(path: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "user_id,country,age")?;
    for user in 0..USERS {
        let drawn = (user + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let country = COUNTRIES[(drawn >> 40) as usize % COUNTRIES.len()];
        writeln!(out, "{user},{country},{}", 18 + (drawn >> 20) % 63)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_another_size_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = Inputs::at(folder.path());
        std::fs::create_dir(inputs.logs()).unwrap();
        assert!(!inputs.has_logs(2000).unwrap());
        for file in 0..FILES {
            std::fs::write(inputs.logs().join(format!("log-{file:02}.csv")), [b'\n'; 101]).unwrap();
        }
        assert!(inputs.has_logs(2000).unwrap());
        assert!(!inputs.has_logs(3000).unwrap());
        std::fs::write(inputs.logs().join("more.csv"), "").unwrap();
        assert!(inputs.has_logs(2000).is_err());
    }
}
