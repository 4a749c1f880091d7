//! Output on its way to the caller: small pieces gathered into chunks, characters kept whole, memory bounded.

use std::collections::VecDeque;

/// A chunk is delivered once it is this long, in bytes.
pub(super) const CHUNK: usize = 16 << 10;
/// Kept of each stream for the outcome: half of it from the beginning, half from the end, in bytes.
pub(super) const KEEP: usize = 1 << 20;

/// The beginning and the end of a stream. A stream of up to 1 MiB (or `output_bytes`, if that is less) is whole.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    omitted: u64,
}

impl Captured {
    pub(super) fn new(most: usize) -> Self {
        Self { half: most.div_ceil(2), ..Self::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = (self.half - self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        let rest = if rest.len() > self.half {
            self.omitted += (rest.len() - self.half) as u64;
            &rest[rest.len() - self.half..]
        } else {
            rest
        };
        let over = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..over);
        self.omitted += over as u64;
        self.tail.extend(rest);
    }

    /// How many bytes were left out between beginning and end.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// The bytes kept; when some were left out, a line in the middle says how many.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = self.head.clone();
        if self.omitted > 0 {
            all.extend_from_slice(format!("\n[{} bytes left out]\n", self.omitted).as_bytes());
        }
        all.extend(&self.tail);
        all
    }

    /// The same as text; what is not UTF-8 becomes the replacement character.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Gathers one stream's bytes into chunks that end between characters.
#[derive(Debug, Default)]
pub(super) struct Gather {
    waiting: Vec<u8>,
}

impl Gather {
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    pub fn is_full(&self) -> bool {
        self.waiting.len() >= CHUNK
    }

    /// Whether there is something that a timer should bring out.
    pub fn has_whole(&self) -> bool {
        self.waiting.len() > unfinished(&self.waiting)
    }

    /// Takes all whole characters; the beginning of one stays for the next chunk.
    pub fn take(&mut self) -> Vec<u8> {
        let rest = self.waiting.split_off(self.waiting.len() - unfinished(&self.waiting));
        std::mem::replace(&mut self.waiting, rest)
    }

    /// Takes everything: the stream has ended.
    pub fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.waiting)
    }
}

/// How many bytes at the end begin a character that is not complete yet: 0 to 3.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let needs = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return 0,
        };
        return if needs > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_in_two_waits_for_its_rest() {
        let mut gather = Gather::default();
        let text = "a€😀".as_bytes();
        let mut seen = Vec::new();
        for byte in text {
            gather.push(&[*byte]);
            let chunk = gather.take();
            assert!(std::str::from_utf8(&chunk).is_ok());
            seen.extend(chunk);
        }
        assert_eq!(seen, text);
        gather.push(b"ok\xF0\x9F");
        assert_eq!(gather.take(), b"ok");
        assert!(!gather.has_whole());
        assert_eq!(gather.take_all(), b"\xF0\x9F");
    }

    #[test]
    fn bytes_that_are_no_text_are_not_held_back() {
        for bytes in [&b"\xFF"[..], b"\x80\x80\x80\x80", b"a\xC0"] {
            assert_eq!(unfinished(bytes), 0, "{bytes:?}");
        }
    }

    #[test]
    fn a_long_stream_keeps_its_beginning_and_its_end() {
        let mut captured = Captured::new(8);
        for piece in [&b"abc"[..], b"defghi", b"jklmnopqrstuvw", b"xyz"] {
            captured.push(piece);
        }
        assert_eq!(captured.text(), "abcd\n[18 bytes left out]\nwxyz");
        let mut whole = Captured::new(8);
        whole.push(b"abcdefgh");
        assert_eq!((whole.text().as_str(), whole.omitted()), ("abcdefgh", 0));
    }
}
