//! A folder of the server as a place for copies.
//!
//! Everything lies below the folder that the operator has set, in one that is named for the workspace. Each step down is opened from the
//! one above and must be a folder: a link is not followed, wherever it leads, so nobody who can make one there is led out.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::memory::Error;
use crate::model::WorkspaceId;
use crate::runtime::Ctx;

const HERE: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC).union(OFlag::O_RDONLY);
const FILE_MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// The folder, opened anew for each file: it may be unmounted in between.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    /// The steps down from there.
    steps: Vec<String>,
}

impl Folder {
    /// The folder at `path` (a `/`-path that was checked) of a workspace.
    pub fn of(root: PathBuf, workspace: WorkspaceId, path: &str) -> Self {
        let steps = std::iter::once(workspace.to_string());
        let below = path.split('/').filter(|step| !step.is_empty()).map(str::to_owned);
        Self { root, steps: steps.chain(below).collect() }
    }

    pub async fn put(&self, ctx: &Ctx, name: &str, content: Vec<u8>) -> Result<(), Error> {
        let (folder, name) = (self.clone(), name.to_owned());
        within(ctx, move || folder.write(&name, &content)).await
    }

    pub async fn get(&self, ctx: &Ctx, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        let (folder, name) = (self.clone(), name.to_owned());
        within(ctx, move || folder.read(&name, most)).await
    }

    pub async fn remove(&self, ctx: &Ctx, name: &str) -> Result<(), Error> {
        let (folder, name) = (self.clone(), name.to_owned());
        within(ctx, move || folder.unlink(&name)).await
    }

    /// Opens the folder; `make`: what is missing of the steps is made, for this program's user alone.
    fn open(&self, make: bool) -> Result<OwnedFd, String> {
        let root = self.root.display();
        let mut at = open(&self.root, HERE, Mode::empty())
            .map_err(|error| format!("the folder for backups, {root} (backup_dir), can't be opened: {error}"))?;
        for step in &self.steps {
            if make {
                match mkdirat(&at, step.as_str(), Mode::S_IRWXU) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(error) => return Err(format!("the folder {step} can't be made below {root}: {error}")),
                }
            }
            at = openat(&at, step.as_str(), HERE | OFlag::O_NOFOLLOW, Mode::empty()).map_err(|error| match error {
                Errno::ELOOP | Errno::ENOTDIR => format!("{step} below {root} is no folder, or a link"),
                error => format!("the folder {step} below {root} can't be opened: {error}"),
            })?;
        }
        Ok(at)
    }

    /// Writes beside, then takes the place: a file is whole or not there. What is acknowledged is on the disk.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let folder = self.open(true)?;
        let draft = format!(".{name}.part");
        let failed = |error: &dyn std::fmt::Display| format!("{name} can't be written: {error}");
        let _ = unlinkat(&folder, draft.as_str(), UnlinkatFlags::NoRemoveDir);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let written = (|| -> Result<(), String> {
            let file = openat(&folder, draft.as_str(), flags, FILE_MODE).map_err(|error| failed(&error))?;
            let mut file = File::from(file);
            file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
            renameat(&folder, draft.as_str(), &folder, name).map_err(|error| failed(&error))
        })();
        if written.is_err() {
            let _ = unlinkat(&folder, draft.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        written?;
        File::from(folder).sync_all().map_err(|error| failed(&error))
    }

    fn read(&self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let folder = self.open(false)?;
        let failed = |error: &dyn std::fmt::Display| format!("{name} can't be read: {error}");
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&folder, name, flags, Mode::empty()).map_err(|error| failed(&error))?;
        let file = File::from(file);
        if !file.metadata().map_err(|error| failed(&error))?.is_file() {
            return Err(failed(&"it is no file"));
        }
        let mut content = Vec::new();
        file.take(most + 1).read_to_end(&mut content).map_err(|error| failed(&error))?;
        if content.len() as u64 > most { Err(failed(&format!("it is larger than {most} bytes"))) } else { Ok(content) }
    }

    fn unlink(&self, name: &str) -> Result<(), String> {
        match unlinkat(&self.open(true)?, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(format!("{name} can't be removed: {error}")),
        }
    }
}

/// Does what may block where that hurts nobody.
async fn within<T: Send + 'static>(
    ctx: &Ctx,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Error> {
    let done = ctx.tasks.blocking(work).await;
    done.unwrap_or_else(|_| Err("writing failed".to_owned())).map_err(Error::Backup)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn folder(root: &std::path::Path, path: &str) -> Folder {
        Folder::of(root.to_owned(), WorkspaceId(uuid::Uuid::nil()), path)
    }

    #[test]
    fn a_file_is_written_whole_read_again_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let daily = folder(root.path(), "team/daily");
        daily.write("a-1.jsonl", b"one\n").unwrap();
        daily.write("a-1.jsonl", b"two\n").unwrap();
        assert_eq!(daily.read("a-1.jsonl", 4).unwrap(), b"two\n");
        assert!(daily.read("a-1.jsonl", 3).unwrap_err().contains("larger than 3 bytes"));
        let place = root.path().join(uuid::Uuid::nil().to_string()).join("team/daily");
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "no draft stays");
        assert_eq!(fs::metadata(place.join("a-1.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
        daily.unlink("a-1.jsonl").unwrap();
        daily.unlink("a-1.jsonl").unwrap();
        assert!(daily.read("a-1.jsonl", 4).is_err());
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own = root.path().join(uuid::Uuid::nil().to_string());
        fs::create_dir(&own).unwrap();
        symlink(outside.path(), own.join("out")).unwrap();
        let refused = folder(root.path(), "out").write("a-1.jsonl", b"x").unwrap_err();
        assert!(refused.contains("a link"), "{refused}");
        // A link in the place of a file is replaced or refused, never followed.
        fs::write(outside.path().join("kept"), "kept").unwrap();
        symlink(outside.path().join("kept"), own.join("b-1.jsonl")).unwrap();
        assert!(folder(root.path(), "").read("b-1.jsonl", 100).is_err());
        folder(root.path(), "").write("b-1.jsonl", b"x").unwrap();
        assert_eq!(fs::read_to_string(outside.path().join("kept")).unwrap(), "kept");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_not_made() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("unmounted");
        let refused = folder(&gone, "").write("a-1.jsonl", b"x").unwrap_err();
        assert!(refused.contains("backup_dir") && !gone.exists(), "{refused}");
    }
}
