//! The file of the master keys: 32 bytes in base64 on each line, the newest first, mode 0600.
//!
//! No key that was ever in it is destroyed here: one that is taken out lies beside it in a file of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Error;
use crate::runtime::Ids;

/// Keys of a file at most.
pub const MOST_KEYS: usize = 8;

/// Reads the keys, or makes one where there is no file.
pub(super) fn open(path: &Path, ids: &Ids) -> Result<Vec<[u8; 32]>, Error> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let master: [u8; 32] = ids.random_bytes();
            create(path, &STANDARD.encode(master), &ids.secret()).map_err(|source| file_error(path, source))?;
        }
        Err(source) => return Err(file_error(path, source)),
        Ok(_) => {}
    }
    // Of two that began at once, both go by the file of the one that was first.
    read(path)
}

/// Reads the keys.
pub(super) fn read(path: &Path) -> Result<Vec<[u8; 32]>, Error> {
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    parse(&text).ok_or_else(|| Error::Shape { path: path.display().to_string() })
}

/// Reads the keys again. One of those that were `known` before and are not there any more, such as under the file of another server
/// that somebody put in its place, is kept beside it like those that are taken out by [`change`].
pub(super) fn read_again(
    path: &Path,
    known: &[[u8; 32]],
    name: impl Fn(&[u8; 32]) -> String,
) -> Result<Vec<[u8; 32]>, Error> {
    let keys = read(path)?;
    for gone in known.iter().filter(|key| !keys.contains(key)) {
        let name = name(gone);
        match rescue(path, &name, gone) {
            Ok(false) => {}
            Ok(true) => tracing::warn!(key = name, "a master key is not in the file any more; it lies beside it"),
            Err(error) => {
                tracing::error!(key = name, %error, "a master key is not in the file any more, nor beside it")
            }
        }
    }
    Ok(keys)
}

/// True where it was not beside the file yet.
fn rescue(path: &Path, name: &str, key: &[u8; 32]) -> io::Result<bool> {
    let path = path.canonicalize()?;
    let beside = retired(&path, name);
    if beside.try_exists()? {
        return Ok(false);
    }
    replace((&path, &beside), &(STANDARD.encode(key) + "\n"), &Ids.secret()).map(|()| true)
}

/// Writes other keys in place of those that are there, all or nothing, for whom the file belongs to. Whoever changes them at the
/// same time waits. A key that is not among them any more stays beside the file, with its name as `name` says it.
pub(super) fn change(
    path: &Path,
    ids: &Ids,
    name: impl Fn(&[u8; 32]) -> String,
    alter: impl FnOnce(&mut Vec<[u8; 32]>),
) -> Result<(), Error> {
    let at = |source| file_error(path, source);
    // What a link leads to is replaced, not the link.
    let path = path.canonicalize().map_err(at)?;
    let _turn = lock(&path).map_err(at)?;
    let before = read(&path)?;
    let mut keys = before.clone();
    alter(&mut keys);
    if keys.len() > MOST_KEYS {
        return Err(Error::Full { path: path.display().to_string() });
    }
    if keys.is_empty() {
        return Err(Error::Shape { path: path.display().to_string() });
    }
    for gone in before.iter().filter(|key| !keys.contains(key)) {
        replace((&path, &retired(&path, &name(gone))), &(STANDARD.encode(gone) + "\n"), &ids.secret()).map_err(at)?;
    }
    let text: String = keys.iter().map(|key| STANDARD.encode(key) + "\n").collect();
    replace((&path, &path), &text, &ids.secret()).map_err(at)
}

/// Where a key lies that was taken out.
fn retired(path: &Path, name: &str) -> PathBuf {
    let mut file = path.file_name().unwrap_or_default().to_owned();
    file.push(format!(".retired-{name}"));
    path.with_file_name(file)
}

/// Whether a real path is that of the file of the keys, or of one beside it that has keys, too: nobody but us reads these.
pub fn holds_keys(file: &Path, real: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    let begins = |with: &str| real.file_name().is_some_and(|name| name.to_string_lossy().starts_with(with));
    let retired = format!("{}.retired-", file.file_name().unwrap_or_default().to_string_lossy());
    real == file || real.parent() == file.parent() && (begins(&retired) || begins(".master-key-"))
}

/// One at a time, as long as it is held.
fn lock(path: &Path) -> io::Result<File> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(beside(path, "lock"))?;
    if let Ok(like) = fs::metadata(path) {
        give(&lock, &like)?;
    }
    lock.lock()?;
    Ok(lock)
}

/// Gives a new file to whom another one belongs to: an administrator's command must not take a server's keys away from it.
fn give(file: &File, like: &fs::Metadata) -> io::Result<()> {
    let is = file.metadata()?;
    if (is.uid(), is.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid())).or_else(|error| {
        // Another group may not be ours to give; nobody reads it by its group.
        if is.uid() == like.uid() {
            return Ok(());
        }
        let why = format!("it belongs to the user {}, in whose name it has to be changed ({error})", like.uid());
        Err(io::Error::new(error.kind(), why))
    })
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.display().to_string(), source }
}

/// The keys of a text, each once; `None` where a line is none, or there are none or too many.
fn parse(text: &str) -> Option<Vec<[u8; 32]>> {
    let mut keys: Vec<[u8; 32]> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let key = <[u8; 32]>::try_from(STANDARD.decode(line).ok()?).ok()?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    (1..=MOST_KEYS).contains(&keys.len()).then_some(keys)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    folder_of(path).join(format!(".master-key-{what}"))
}

/// A new file with all that is to be in it, for nobody else to read, and on the disk. It belongs to whom `like` does.
fn write_draft(draft: &Path, text: &str, like: Option<&fs::Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    if let Some(like) = like {
        give(&file, like)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the file with all that is in it, or not at all: a start that is cut short leaves no half a key, which would keep
/// every later start from its data. A file that somebody else made meanwhile stays.
fn create(path: &Path, text: &str, draft: &str) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let draft = beside(path, draft);
    let written = write_draft(&draft, text, None).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Some file systems have no links, and a rename would put this in the place of another's, who seals with it already.
        Err(_) => {
            let _turn = lock(path)?;
            if path.try_exists()? { Ok(()) } else { fs::rename(&draft, path) }
        }
        Ok(()) => Ok(()),
    });
    // Gone already where it was renamed; left behind it would open nothing.
    let _ = fs::remove_file(&draft);
    written?;
    File::open(folder)?.sync_all()
}

/// Puts another text in a file's place, or leaves it as it is. It belongs to whom `like` does.
fn replace((like, path): (&Path, &Path), text: &str, draft: &str) -> io::Result<()> {
    let like = fs::metadata(like)?;
    let draft = beside(path, draft);
    let written = write_draft(&draft, text, Some(&like)).and_then(|()| fs::rename(&draft, path));
    let _ = fs::remove_file(&draft);
    written?;
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn name(key: &[u8; 32]) -> String {
        key[0].to_string()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("master.key");
        let made = open(&path, &Ids).unwrap();
        assert_eq!(open(&path, &Ids).unwrap(), made);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_key_that_somebody_else_made_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create(&path, "first", "a").unwrap();
        create(&path, "second", "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let good = STANDARD.encode([7_u8; 32]);
        for text in ["", "\n\n", "short", &format!("{good}\nshort"), &format!("{good} {good}")] {
            fs::write(&path, text).unwrap();
            assert!(matches!(open(&path, &Ids), Err(Error::Shape { .. })), "{text:?}");
            assert!(change(&path, &Ids, name, |_| {}).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_change_replaces_the_whole_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        // As it stood before there could be several, readable for others.
        fs::write(&path, STANDARD.encode([1_u8; 32])).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        change(&path, &Ids, name, |keys| keys.insert(0, [2; 32])).unwrap();
        assert_eq!(read(&path).unwrap(), [[2; 32], [1; 32]]);
        assert_eq!(mode(&path), 0o600);
        change(&path, &Ids, name, |keys| keys.retain(|key| *key != [1; 32])).unwrap();
        assert_eq!(read(&path).unwrap(), [[2; 32]]);
        let taken_out = folder.path().join("master.key.retired-1");
        assert_eq!((read(&taken_out).unwrap(), mode(&taken_out)), (vec![[1; 32]], 0o600), "no key is destroyed");
        assert!(matches!(change(&path, &Ids, name, Vec::clear), Err(Error::Shape { .. })), "one has to stay");
        let too_many = |keys: &mut Vec<[u8; 32]>| keys.extend((10..10 + MOST_KEYS as u8).map(|byte| [byte; 32]));
        assert!(matches!(change(&path, &Ids, name, too_many), Err(Error::Full { .. })));
        assert_eq!(read(&path).unwrap(), [[2; 32]]);
    }

    #[test]
    fn the_file_of_the_keys_and_those_beside_it_are_known_by_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let (file, link) = (real.join("master.key"), real.join("link"));
        fs::write(&file, STANDARD.encode([1_u8; 32])).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for named in [&file, &link] {
            assert!(holds_keys(named, &file) && holds_keys(named, &real.join("master.key.retired-0123456789abcdef")));
            assert!(!holds_keys(named, &real.join("notes.txt")) && !holds_keys(named, &real.join("sub/master.key")));
        }
        assert!(!holds_keys(&real.join("none"), &file));
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.key"), folder.path().join("master.key"));
        fs::write(&real, STANDARD.encode([1_u8; 32])).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        change(&link, &Ids, name, |keys| keys.insert(0, [2; 32])).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&link).unwrap().len(), 2);
    }
}
