use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use cardoon_errors::{Code, Error};
use tempfile::NamedTempFile;

use super::{Failure, Output, Writer, fence, of_writer};
use crate::errors::is_full;
use crate::{Rows, Summary};

/// Bytes that are gathered before they go to the file.
const BUFFERED: usize = 1 << 20;

/// Writes all rows beside the wanted file and renames it, so that nobody ever sees a half of it.
pub(crate) async fn write(rows: &mut Rows, output: &Output) -> Result<Summary, Failure> {
    let path = &output.path;
    let failed = |error| Failure::Output(cannot_write(path, error));
    let temporary = beside(path).map_err(failed)?;
    let file = temporary.reopen().map_err(failed)?;
    let buffered = BufWriter::with_capacity(BUFFERED, file);
    let mut writer = Writer::new(buffered, output.format, rows.schema()).map_err(failed)?;
    let mut written = 0;
    while let Some(batch) = rows.read().await.map_err(Failure::Query)? {
        writer.write(&batch).map_err(failed)?;
        written += batch.num_rows() as u64;
    }
    let mut buffered = writer.finish().map_err(failed)?;
    buffered.flush().map_err(failed)?;
    buffered.get_ref().sync_all().map_err(failed)?;
    let held = output.fence.as_ref().map(|fence| fence::hold(path, fence)).transpose();
    let _held = held.map_err(Failure::Output)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(path).map_err(failed)?;
    Ok(Summary { rows: written, files: 1 })
}

/// A file in the same folder, so that it can be renamed. It is removed if it never gets its name.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    // A name has 255 bytes at most, and the temporary one has more than the wanted one.
    let name: String = name.chars().take(50).collect();
    let mut builder = tempfile::Builder::new();
    // Readable like any other file that the user makes, not by him alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(&format!(".{name}.")).suffix(".tmp").tempfile_in(folder(path))
}

/// A rename lasts through a loss of power when its folder is on the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    if let Some(ours) = of_writer(&error) {
        return ours;
    }
    if fs::metadata(path).is_ok_and(|there| there.is_dir()) {
        return Error::new(Code::OutputTaken, format!("{} is a folder", path.display()))
            .hint("name a file in it");
    }
    let code = if is_full(&error) { Code::DiskFull } else { Code::OutputFailed };
    Error::new(code, format!("{} cannot be written", path.display())).source(error)
}
