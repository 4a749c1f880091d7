//! Lines of a text that comes in parts. Pure.

/// Cuts what comes into lines.
#[derive(Debug, Default)]
pub struct Lines {
    waiting: Vec<u8>,
    /// Up to where there is no end of a line.
    looked: usize,
    is_over: bool,
}

impl Lines {
    /// Takes a part; the last one ends the last line.
    pub fn feed(&mut self, part: &[u8], is_last: bool) {
        self.waiting.extend_from_slice(part);
        self.is_over |= is_last;
    }

    /// The next line that is whole, without its end; empty ones too.
    pub fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.waiting[self.looked..].iter().position(|byte| *byte == b'\n');
        match end.map(|end| self.looked + end) {
            Some(end) => {
                let rest = self.waiting.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.waiting, rest);
                self.looked = 0;
                line.truncate(end);
                Some(line)
            }
            None if self.is_over && !self.waiting.is_empty() => {
                self.looked = 0;
                Some(std::mem::take(&mut self.waiting))
            }
            None => {
                self.looked = self.waiting.len();
                None
            }
        }
    }

    /// Bytes of the line that is not whole yet, after [`take_line`](Self::take_line) has given none.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_come() {
        let text = b"one\ntwo\n\nthree";
        for size in 1..=text.len() {
            let (mut lines, mut got) = (Lines::default(), Vec::new());
            for part in text.chunks(size) {
                lines.feed(part, false);
                while let Some(line) = lines.take_line() {
                    got.push(String::from_utf8(line).expect("text"));
                }
            }
            lines.feed(b"", true);
            while let Some(line) = lines.take_line() {
                got.push(String::from_utf8(line).expect("text"));
            }
            assert_eq!(got, ["one", "two", "", "three"], "parts of {size}");
            assert_eq!(lines.waiting(), 0);
        }
    }
}
