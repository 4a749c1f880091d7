//! The folder of a model: files that somebody put there, opened with care.
//!
//! Promises: nothing outside of the folder is read, whatever links it holds; nothing that is no plain file; nothing larger than
//! the caller said.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Longest name of a folder, in characters.
const MOST_NAME: usize = 100;

/// Why a model can't be used: the file and what was expected of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub(super) struct Unfit {
    file: String,
    message: String,
}

impl Unfit {
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into() }
    }
}

/// Whether a folder of this name may hold a model: letters, digits, `.`, `-` and `_`, and no `.` first.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= MOST_NAME && !name.starts_with('.') && name.chars().all(fits)
}

/// An opened folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without links.
    path: PathBuf,
}

impl Folder {
    /// The folder of this name within the folder of models.
    pub fn open(shelf: &Path, name: &str) -> Result<Self, Unfit> {
        if !is_name(name) {
            let expected = format!("expected a name of at most {MOST_NAME} letters, digits, '.', '-' and '_'");
            return Err(Unfit::new("the folder", expected));
        }
        let missing = || Unfit::new("the folder", format!("there is no folder {name} in {}", shelf.display()));
        let root = shelf.canonicalize().map_err(|_| missing())?;
        let path = root.join(name).canonicalize().map_err(|_| missing())?;
        if !path.starts_with(&root) || path == root {
            return Err(Unfit::new("the folder", "expected no link that leads out of the folder of models"));
        }
        if !path.is_dir() {
            return Err(missing());
        }
        Ok(Self { path })
    }

    /// A file and its bytes; `None` where there is none.
    pub fn find(&self, name: &str, most: u64) -> Result<Option<(File, u64)>, Unfit> {
        let path = match self.path.join(name).canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unfit::new(name, format!("can't be read: {error}"))),
        };
        if !path.starts_with(&self.path) {
            return Err(Unfit::new(name, "expected no link that leads out of the model's folder"));
        }
        let unreadable = |error: std::io::Error| Unfit::new(name, format!("can't be read: {error}"));
        // Before it is opened: a pipe would be waited for.
        if !path.metadata().map_err(unreadable)?.is_file() {
            return Err(Unfit::new(name, "expected a plain file"));
        }
        let file = File::open(&path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        if bytes > most {
            return Err(Unfit::new(name, format!("expected at most {most} bytes, it has {bytes}")));
        }
        Ok(Some((file, bytes)))
    }

    /// The same, where it must be there.
    pub fn file(&self, name: &str, most: u64) -> Result<(File, u64), Unfit> {
        self.find(name, most)?.ok_or_else(|| Unfit::new(name, "is missing"))
    }

    /// The text of a file of at most so many bytes; `None` where there is none.
    pub fn text(&self, name: &str, most: u64) -> Result<Option<String>, Unfit> {
        let Some((file, bytes)) = self.find(name, most)? else { return Ok(None) };
        let mut text = Vec::with_capacity(bytes as usize);
        let read = file.take(most + 1).read_to_end(&mut text);
        read.map_err(|error| Unfit::new(name, format!("can't be read: {error}")))?;
        if text.len() as u64 > most {
            return Err(Unfit::new(name, format!("expected at most {most} bytes")));
        }
        String::from_utf8(text).map(Some).map_err(|_| Unfit::new(name, "expected UTF-8"))
    }

    /// A JSON file of at most so many bytes; `None` where there is none.
    pub fn json<T: DeserializeOwned>(&self, name: &str, most: u64) -> Result<Option<T>, Unfit> {
        let Some(text) = self.text(name, most)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| Unfit::new(name, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let shelf = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("config.json"), "{}").unwrap();
        std::fs::create_dir(shelf.path().join("own")).unwrap();
        let links = [
            (outside.path().to_owned(), "away"),
            (outside.path().join("config.json"), "own/config.json"),
            (PathBuf::from("."), "self"),
        ];
        for (to, from) in links {
            std::os::unix::fs::symlink(to, shelf.path().join(from)).unwrap();
        }
        for name in ["away", "self", "..", "../x", "", ".", "a/b", "absent", &"x".repeat(101)] {
            assert!(Folder::open(shelf.path(), name).is_err(), "{name}");
        }
        let own = Folder::open(shelf.path(), "own").unwrap();
        assert!(own.text("config.json", 100).unwrap_err().to_string().contains("leads out"));
        assert!(own.text("../../etc/hostname", 100).is_err() || own.text("../../etc/hostname", 100).unwrap().is_none());
        std::fs::create_dir(shelf.path().join("own/folder")).unwrap();
        assert!(own.text("folder", 100).unwrap_err().to_string().contains("a plain file"));
        std::fs::write(shelf.path().join("own/large"), "x".repeat(101)).unwrap();
        assert_eq!(own.text("large", 100).unwrap_err().to_string(), "large: expected at most 100 bytes, it has 101");
        assert_eq!(own.text("missing", 100).unwrap(), None);
    }
}
