//! JSON on lines, from bytes as they come, as Ollama streams it.

use super::sse::{Event, MAX_EVENT_BYTES, too_large};
use crate::model::gateway::Fault;

/// Cuts bytes into lines; an empty one says nothing.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes, and gives the lines that they complete.
    ///
    /// # Errors
    /// `malformed` when a line is larger than 16 MiB.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > MAX_EVENT_BYTES {
                return Err(too_large());
            }
            if piece.ends_with(b"\n") {
                complete.extend(self.end());
            }
        }
        Ok(complete)
    }

    /// The last line, which may come without its end.
    pub fn end(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let data = String::from_utf8_lossy(&line).trim().to_owned();
        (!data.is_empty()).then(|| Event { name: String::new(), data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_wherever_the_bytes_are() {
        let text = "{\"a\":\"ö🧵\"}\r\n\n  {\"b\":1}\n{\"c\":2}";
        let whole: Vec<&str> = vec!["{\"a\":\"ö🧵\"}", "{\"b\":1}", "{\"c\":2}"];
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found: Vec<String> = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                found.extend(lines.push(piece).unwrap().into_iter().map(|event| event.data));
            }
            found.extend(lines.end().map(|event| event.data));
            assert_eq!(found, whole, "{size}");
            assert_eq!(lines.end(), None);
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..16).all(|_| lines.push(&piece).is_ok()));
        assert!(lines.push(&piece).is_err());
    }
}
