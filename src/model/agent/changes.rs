//! What an agent changed in its copy of a repository.

use serde::{Deserialize, Serialize};

/// What was changed since the copy was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The branch that holds it once it is published.
    pub branch: String,
    /// Whether the agent has published exactly this.
    #[serde(default)]
    pub is_published: bool,
    /// The commit that the copy began with, in hexadecimal digits.
    pub base: String,
    /// The commit that holds all of it.
    pub commit: String,
    /// Each file, as git names it.
    pub files: Vec<ChangedFile>,
    /// Everything, as `git diff` writes it; of one above 1 MiB the beginning and the end.
    pub diff: String,
    /// Bytes of the diff that were left out of its middle.
    #[serde(default)]
    pub omitted: u64,
}

/// A file that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Where it is in the repository.
    pub path: String,
    /// Lines that are new; `None` where it holds no text.
    pub added: Option<u64>,
    /// Lines that are gone; `None` where it holds no text.
    pub removed: Option<u64>,
}

impl Changes {
    /// In a few words: `3 files, +12 −4`.
    pub fn summary(&self) -> String {
        let sum = |of: fn(&ChangedFile) -> Option<u64>| self.files.iter().filter_map(of).sum::<u64>();
        let files = if self.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", self.files.len()) };
        format!("{files}, +{} \u{2212}{}", sum(|file| file.added), sum(|file| file.removed))
    }

    /// Reads what `git diff --numstat` prints.
    pub fn read_files(numstat: &str) -> Vec<ChangedFile> {
        let file = |line: &str| {
            let mut parts = line.splitn(3, '\t');
            let (added, removed, path) = (parts.next()?, parts.next()?, parts.next()?);
            Some(ChangedFile { path: path.to_owned(), added: added.parse().ok(), removed: removed.parse().ok() })
        };
        numstat.lines().filter_map(file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_and_those_without_text_have_no_lines() {
        let files = Changes::read_files("12\t4\tsrc/a.rs\n-\t-\tlogo.png\n0\t1\ta => b\n");
        assert_eq!(files.len(), 3);
        assert_eq!(files[1], ChangedFile { path: "logo.png".into(), added: None, removed: None });
        let changes = Changes { files, ..Changes::default() };
        assert_eq!(changes.summary(), "3 files, +12 \u{2212}5");
    }
}
