//! Server-sent events, from bytes as they come.
//!
//! Source: the HTML standard, section 9.2 "Server-sent events": lines end with CR LF, LF or CR; an empty line ends an event.

use serde_json::Value;

use crate::model::gateway::{Fault, FaultClass};

/// Bytes that one event may have. The largest real ones carry a picture.
pub(super) const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty for the usual one.
    pub name: String,
    /// Its lines of data, with line feeds between.
    pub data: String,
}

/// Cuts bytes into events.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_cr: bool,
    begun: bool,
    bytes: usize,
}

impl Events {
    /// Takes the next bytes, and gives the events that they complete.
    ///
    /// # Errors
    /// `malformed` when an event is larger than 16 MiB.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        let mut complete = Vec::new();
        for byte in bytes {
            let was_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if was_cr => {}
                b'\n' | b'\r' => {
                    self.after_cr = *byte == b'\r';
                    if let Some(event) = self.end_line() {
                        complete.push(event);
                    }
                }
                byte => {
                    self.bytes += 1;
                    if self.bytes > MAX_EVENT_BYTES {
                        return Err(too_large());
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(complete)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line).into_owned();
        if !std::mem::replace(&mut self.begun, true)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.to_owned();
        }
        if line.is_empty() {
            self.bytes = 0;
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment has no field; id and retry are for reconnecting, which nobody does here.
            _ => {}
        }
        None
    }
}

pub(super) fn too_large() -> Fault {
    Fault::new(FaultClass::Malformed, format!("an event exceeds {} MiB", MAX_EVENT_BYTES >> 20))
}

/// An event as bytes.
pub(super) fn write(name: Option<&str>, data: &Value) -> String {
    match name {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let events = Events::default().push(bytes).unwrap();
        events.into_iter().map(|event| (event.name, event.data)).collect()
    }

    #[test]
    fn events_are_cut_as_the_standard_has_it() {
        let one = |name: &str, data: &str| vec![(name.to_owned(), data.to_owned())];
        for (bytes, expected) in [
            ("data: a\n\n", one("", "a")),
            ("data:a\r\n\r\n", one("", "a")),
            ("data: a\r\r", one("", "a")),
            ("event: x\ndata: a\ndata: b\n\n", one("x", "a\nb")),
            (": hello\nid: 7\nretry: 3\ndata\n\n", one("", "")),
            ("\u{feff}data: a\n\n", one("", "a")),
            ("data:  two\n\n", one("", " two")),
            ("event: x\n\n", vec![]),
            ("data: unfinished\n", vec![]),
        ] {
            assert_eq!(read(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..20).map(|_| events.push(&piece)).find(Result::is_err);
        assert_eq!(refused.unwrap().unwrap_err().class, FaultClass::Malformed);
    }
}
