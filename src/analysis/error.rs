//! Why an analysis cannot start, or did not end.

use std::path::PathBuf;

/// What a caller can do something about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("path: `{}` does not exist; expected a directory", .0.display())]
    NotFound(PathBuf),
    #[error("path: `{}` is not a directory; expected a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error("path: `{}` cannot be read; expected a directory that the server may list", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{field}: `{glob}` is not a glob ({reason}); expected a pattern as in .gitignore, such as `src/**/*.rs`")]
    Glob {
        /// `include` or `exclude`.
        field: &'static str,
        glob: String,
        reason: String,
    },
    #[error("the analysis was cancelled")]
    Cancelled,
}
