//! A file in the making: it stands under its final name only when it is whole and on the disk. What is cut off leaves
//! `NAME.part`, which the next try removes.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The file, held for as long as it is made, and removed unless it is finished.
pub struct Part {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Part {
    /// Begins one beside its final name, for this user alone; refuses while another process makes it.
    pub fn begin(finally: &Path) -> anyhow::Result<Self> {
        let path = absolute(&beside(finally, ".part"))?;
        if fs::symlink_metadata(&path).is_ok() {
            remove_left_over(&path)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path).with_context(|| cannot(&path))?;
        hold(&file, &path)?;
        Ok(Self {
            path,
            file,
            finished: false,
        })
    }

    /// Where it is meanwhile.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it with another file.
    pub fn fill_from(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut from = File::open(path).with_context(|| cannot(path))?;
        std::io::copy(&mut from, &mut self.file).with_context(|| cannot(&self.path))?;
        Ok(())
    }

    /// Brings it to the disk and gives it its final name, where nothing may be; its size.
    pub fn finish(mut self, finally: &Path) -> anyhow::Result<u64> {
        let failed = || cannot(finally);
        self.file.sync_all().with_context(failed)?;
        if fs::symlink_metadata(finally).is_ok() {
            bail!("{} is there already", finally.display());
        }
        fs::rename(&self.path, finally).with_context(failed)?;
        self.finished = true;
        let folder = absolute(finally)?;
        let folder = folder.parent().unwrap_or(Path::new("/"));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(failed)?;
        Ok(self.file.metadata().with_context(failed)?.len())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // What SQLite kept beside it goes too; where there is nothing, nothing is to be done.
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&self.path, end));
        }
    }
}

/// Removes what a process left that is gone.
fn remove_left_over(path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).open(path);
    hold(&file.with_context(|| cannot(path))?, path)?;
    for end in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, end)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| cannot(path));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn hold(file: &File, path: &Path) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!("another process is writing {}", path.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| cannot(path)),
    }
}

fn cannot(path: &Path) -> String {
    format!("{} cannot be written or read", path.display())
}

/// The path with something behind it.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Whether there is something that is not empty.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| it.len() > 0)
}

/// Removes an empty file.
pub fn remove_empty(path: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|it| it.len() == 0) {
        fs::remove_file(path).with_context(|| cannot(path))?;
    }
    Ok(())
}

/// Makes the folder of a database, for this user alone.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    let path = absolute(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| cannot(folder))
}

/// SQLite takes a name that begins with a slash as it is.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| cannot(path))
}
