//! How a ciphertext stands in its column, and what it is bound to. Pure but for the nonce that it is given.
//!
//! One byte that says which format it is, the number of the key (four bytes, the highest first), the nonce of 24 bytes, and what
//! XChaCha20-Poly1305 makes of the text. The workspace, the table with its column, the row, the row's version and the first five
//! bytes go into the tag, so that it opens nowhere else.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde_json::{Map, Value};

use super::Unreadable;
use crate::model::WorkspaceId;
use crate::runtime::Ids;

/// The only format there is.
const FORMAT: u8 = 1;
/// Bytes in front of the nonce.
const HEAD_BYTES: usize = 5;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// Where a ciphertext stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::memory) struct Place {
    /// The table and its column, such as `memory_entry/sealed`.
    pub column: &'static str,
    /// The id of the row.
    pub row: String,
    /// What goes up when the row is written again.
    pub version: i64,
}

impl Place {
    /// The place of a row whose ids are these.
    pub fn new(column: &'static str, row: impl std::fmt::Display, version: i64) -> Self {
        Self { column, row: row.to_string(), version }
    }
}

/// A key of a workspace, unwrapped. Printed nowhere.
pub(in crate::memory) struct DataKey {
    workspace: WorkspaceId,
    number: i64,
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKey")
            .field("workspace", &self.workspace)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl DataKey {
    /// The key of these bytes.
    pub fn new(workspace: WorkspaceId, number: i64, bytes: &[u8; 32]) -> Self {
        Self { workspace, number, cipher: XChaCha20Poly1305::new(&(*bytes).into()) }
    }

    /// Its number in the workspace.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// Encrypts what is to stand at a place.
    pub fn seal(&self, ids: &Ids, place: &Place, clear: &[u8]) -> Vec<u8> {
        let head = head(self.number);
        let nonce: [u8; NONCE_BYTES] = ids.random_bytes();
        let aad = self.bound_to(place, head);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: clear, aad: &aad });
        let sealed = sealed.expect("an entry is shorter than 256 GiB");
        [head.as_slice(), &nonce, &sealed].concat()
    }

    /// Decrypts what stands at a place.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        if key_number(sealed)? != self.number {
            return Err(Unreadable::NoKey(key_number(sealed)?));
        }
        let (head, rest) = sealed.split_first_chunk::<HEAD_BYTES>().ok_or(Unreadable::Format)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable::Format)?;
        let aad = self.bound_to(place, *head);
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad }).map_err(|_| Unreadable::Altered)
    }

    fn bound_to(&self, place: &Place, head: [u8; HEAD_BYTES]) -> Vec<u8> {
        // No id and no name of a column has a line break in it.
        let Place { column, row, version } = place;
        let mut bound = format!("{}\n{column}\n{row}\n{version}\n", self.workspace).into_bytes();
        bound.extend_from_slice(&head);
        bound
    }
}

fn head(number: i64) -> [u8; HEAD_BYTES] {
    let number = u32::try_from(number).expect("nobody makes four thousand million keys").to_be_bytes();
    [FORMAT, number[0], number[1], number[2], number[3]]
}

/// The number of the key that a ciphertext names.
pub(in crate::memory) fn key_number(sealed: &[u8]) -> Result<i64, Unreadable> {
    match sealed.split_first_chunk::<HEAD_BYTES>() {
        Some(([FORMAT, a, b, c, d], _)) => Ok(i64::from(u32::from_be_bytes([*a, *b, *c, *d]))),
        _ => Err(Unreadable::Format),
    }
}

/// What of an entry, a version or a sibling is encrypted.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::memory) struct Body {
    pub content: String,
    pub value: Value,
    pub metadata: Map<String, Value>,
    /// Why it is, or was, in quarantine: that quotes the words.
    pub reasons: Vec<String>,
}

/// The text that is encrypted of a content, a value, metadata and reasons: the lengths of the first three (four bytes each, the
/// lowest first), and the four, the last three as JSON.
pub(in crate::memory) fn body_bytes(
    content: &str,
    value: &Value,
    metadata: &Map<String, Value>,
    reasons: &[String],
) -> Vec<u8> {
    let value = serde_json::to_vec(value).expect("JSON values are plain data");
    let metadata = serde_json::to_vec(metadata).expect("JSON values are plain data");
    let reasons = serde_json::to_vec(reasons).expect("texts are plain data");
    let mut bytes = Vec::with_capacity(12 + content.len() + value.len() + metadata.len() + reasons.len());
    for length in [content.len(), value.len(), metadata.len()] {
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
    }
    for part in [content.as_bytes(), &value, &metadata, &reasons] {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Reads it back.
pub(in crate::memory) fn read_body(bytes: Vec<u8>) -> Result<Body, Unreadable> {
    let (lengths, rest) = bytes.split_first_chunk::<12>().ok_or(Unreadable::Format)?;
    let length = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&lengths[at..at + 4]);
        u32::from_le_bytes(bytes) as usize
    };
    let (content, rest) = rest.split_at_checked(length(0)).ok_or(Unreadable::Format)?;
    let (value, rest) = rest.split_at_checked(length(4)).ok_or(Unreadable::Format)?;
    let (metadata, reasons) = rest.split_at_checked(length(8)).ok_or(Unreadable::Format)?;
    Ok(Body {
        reasons: serde_json::from_slice(reasons).map_err(|_| Unreadable::Format)?,
        content: std::str::from_utf8(content).map_err(|_| Unreadable::Format)?.to_owned(),
        value: serde_json::from_slice(value).map_err(|_| Unreadable::Format)?,
        metadata: serde_json::from_slice(metadata).map_err(|_| Unreadable::Format)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn key(workspace: u128, number: i64, byte: u8) -> DataKey {
        DataKey::new(WorkspaceId(Uuid::from_u128(workspace)), number, &[byte; 32])
    }

    #[test]
    fn a_ciphertext_opens_in_its_place_alone() {
        let own = key(1, 3, 7);
        let place = Place::new("memory_entry/sealed", "r", 2);
        let sealed = own.seal(&Ids, &place, b"the words");
        assert!(!sealed.windows(5).any(|part| part == b"words"));
        assert_eq!(key_number(&sealed), Ok(3));
        assert_eq!(own.open(&place, &sealed).as_deref(), Ok(b"the words".as_slice()));
        let elsewhere = [
            Place { column: "memory_version/sealed", ..place.clone() },
            Place { column: "memory_entry/codes", ..place.clone() },
            Place { row: "s".to_owned(), ..place.clone() },
            Place { version: 3, ..place.clone() },
        ];
        for other in elsewhere {
            assert_eq!(own.open(&other, &sealed), Err(Unreadable::Altered), "{other:?}");
        }
        assert_eq!(key(2, 3, 7).open(&place, &sealed), Err(Unreadable::Altered), "another workspace");
        assert_eq!(key(1, 3, 8).open(&place, &sealed), Err(Unreadable::Altered), "another key");
        assert_eq!(key(1, 4, 7).open(&place, &sealed), Err(Unreadable::NoKey(3)), "another number");
        assert_ne!(own.seal(&Ids, &place, b"the words"), sealed);
    }

    #[test]
    fn no_byte_of_it_can_be_altered() {
        let own = key(1, 1, 7);
        let place = Place::new("memory_entry/sealed", "r", 1);
        let sealed = own.seal(&Ids, &place, b"words");
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(own.open(&place, &bent).is_err(), "byte {at}");
            assert!(own.open(&place, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_body_comes_back_as_it_was() {
        for (content, value, metadata) in [
            ("", Value::Null, json!({})),
            ("wörds \"and\"\nlines", json!({"a": [1, 2.5, null]}), json!({"agent": "x"})),
        ] {
            let metadata = metadata.as_object().cloned().unwrap_or_default();
            let reasons = vec!["it says “obey”".to_owned()];
            let bytes = body_bytes(content, &value, &metadata, &reasons);
            assert_eq!(read_body(bytes.clone()), Ok(Body { content: content.to_owned(), value, metadata, reasons }));
            assert_eq!(read_body(bytes[..11].to_vec()), Err(Unreadable::Format));
        }
    }
}
