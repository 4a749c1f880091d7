//! The only place that writes to standard output and standard error.

use std::io::{self, Write};

/// Writes a line to standard output. A reader that went away (`| head`) is no error.
pub fn line(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes a value as one line of JSON to standard output.
pub fn json(value: &impl serde::Serialize) {
    line(serde_json::to_string(value).expect("our own types serialise"));
}

/// Tells a person on standard error what went wrong.
pub fn error(message: &str) {
    let _ = writeln!(io::stderr().lock(), "weft: {message}");
}

/// Tells a person something on standard error that is not the result.
pub fn note(message: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Tells on standard error that a list goes on, and how to ask for the rest.
pub fn more(next: Option<&str>) {
    if let Some(next) = next {
        note(format_args!("more: --cursor {next}"));
    }
}
