//! Files that the caller names: read with one wording and one set of exit codes.

use std::io::{self, Read as _};

use super::Failure;

/// Reads text from a file; `-` is standard input.
///
/// # Errors
/// Code 4 when there is no such file, 3 when reading it is not allowed, 2 when it holds no text.
pub(super) fn read_text(path: &str) -> Result<String, Failure> {
    let text = if path == "-" { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    text.map_err(|error| unreadable(path, &error))
}

/// Reads at most `most` bytes of a file; `-` is standard input.
///
/// # Errors
/// As [`read_text`], but for what the bytes mean.
pub(super) fn read_bytes(path: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = if path == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    done.map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::NotFound => 4,
        io::ErrorKind::PermissionDenied => 3,
        _ => 2,
    };
    let what = if path == "-" { "standard input" } else { path };
    Failure { code, message: format!("{what} can't be read: {error}") }
}
