//! Which files are analysed: the tree below a directory without what `.gitignore`, `.ignore`, hidden names and the
//! caller's globs leave out, in an order that does not depend on the file system.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Error, Options};

/// One file to look at.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Relative to the root, with `/`; bytes that are not UTF-8 are replaced.
    pub name: String,
    pub path: PathBuf,
    pub size: u64,
}

/// The files below a root.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by directory, then name; at most `max_files`.
    pub entries: Vec<Entry>,
    pub too_large: u32,
    /// Directories and files that could not be looked at.
    pub unreadable: u32,
    pub over_file_limit: u32,
}

/// Checks that `root` is a directory that can be listed, and returns its real path.
pub fn open_root(root: &Path) -> Result<PathBuf, Error> {
    let unreadable = |source| Error::Unreadable { path: root.to_owned(), source };
    let metadata = fs::metadata(root).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Error::NotFound(root.to_owned()),
        io::ErrorKind::NotADirectory => Error::NotADirectory(root.to_owned()),
        _ => unreadable(e),
    })?;
    if !metadata.is_dir() {
        return Err(Error::NotADirectory(root.to_owned()));
    }
    fs::read_dir(root).map_err(unreadable)?;
    fs::canonicalize(root).map_err(unreadable)
}

/// Lists the files below `root`; `step` is told the number found so far and answers whether to go on.
///
/// Symbolic links are not followed, so nothing outside of `root` is ever listed. The user's global git excludes are
/// not read, because the same tree must give the same report on every machine. Ignore files above `root` count only
/// if `root` lies in a git checkout.
pub fn list(root: &Path, options: &Options, mut step: impl FnMut(u32) -> bool) -> Result<Listing, Error> {
    let include = globs(root, "include", &options.include)?;
    let exclude = globs(root, "exclude", &options.exclude)?;
    let in_checkout = options.rules_around && root.ancestors().any(|dir| dir.join(".git").exists());
    let mut builder = WalkBuilder::new(root);
    builder
        .follow_links(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .parents(in_checkout)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(move |entry| {
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0 || !exclude.matched(entry.path(), is_dir).is_ignore()
        });
    let mut listing = Listing::default();
    for entry in builder.build() {
        let Ok(entry) = entry else {
            listing.unreadable += 1;
            continue;
        };
        // An unparsable line of an ignore file is reported here; the file itself is still there to be analysed.
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let wanted = include.is_empty() || include.matched_path_or_any_parents(entry.path(), false).is_ignore();
        if wanted {
            listing.take(root, &entry, options);
        }
        if !step(listing.entries.len() as u32) {
            return Err(Error::Cancelled);
        }
    }
    Ok(listing)
}

impl Listing {
    fn take(&mut self, root: &Path, entry: &ignore::DirEntry, options: &Options) {
        let Ok(metadata) = entry.metadata() else {
            self.unreadable += 1;
            return;
        };
        if metadata.len() > options.max_file_bytes {
            self.too_large += 1;
        } else if self.entries.len() >= options.max_files as usize {
            self.over_file_limit += 1;
        } else {
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let name = relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            self.entries.push(Entry { name, path: entry.path().to_owned(), size: metadata.len() });
        }
    }
}

/// Patterns mean what they mean in `.gitignore`: `*.rs` at any depth, `/src` at the root, `src/` with all below it.
fn globs(root: &Path, field: &'static str, patterns: &[String]) -> Result<Gitignore, Error> {
    let bad = |glob: &str, reason: &str| Error::Glob { field, glob: glob.to_owned(), reason: reason.to_owned() };
    let mut builder = GitignoreBuilder::new(root);
    // Git takes the bracket of a class without an end for itself; whoever types one here forgot its end.
    builder.allow_unclosed_class(false);
    for pattern in patterns {
        let trimmed = pattern.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return Err(bad(pattern, "it matches nothing"));
        }
        if trimmed.starts_with('!') {
            return Err(bad(pattern, "it begins with `!`"));
        }
        let pattern_without_dot = trimmed.strip_prefix("./").unwrap_or(trimmed);
        builder.add_line(None, pattern_without_dot).map_err(|e| bad(pattern, &e.to_string()))?;
    }
    builder.build().map_err(|e| bad(&patterns.join(", "), &e.to_string()))
}

/// Reads a file of at most `limit` bytes; `None` if it has grown beyond since it was listed.
///
/// A link or pipe that took the file's place since the listing is refused, not followed or waited for.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
