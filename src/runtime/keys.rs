//! The master key, and the keys derived from it for each purpose.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

/// The key-encryption key. Printed nowhere; wiped from no swap, so protect the machine too.
#[derive(Clone)]
pub struct Keys {
    master: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Bytes of a nonce of XChaCha20.
const NONCE_BYTES: usize = 24;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read or made.
    #[error("cannot use the master key file {path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the master key file {path} must hold 32 bytes in base64")]
    Shape {
        /// Which file.
        path: String,
    },
}

impl Keys {
    /// Keys for a database that lives and dies with this process.
    pub fn ephemeral(ids: &super::Ids) -> Self {
        Self { master: ids.random_bytes() }
    }

    /// Encrypts a secret for a column. `place` names the table, the row and the column, so that the text opens nowhere else.
    ///
    /// Source: XChaCha20-Poly1305, its random nonce of 24 bytes in front of the text.
    pub fn seal(&self, ids: &super::Ids, place: &str, secret: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = ids.random_bytes();
        let payload = Payload { msg: secret, aad: place.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a secret is shorter than 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts what [`Keys::seal`] gave for the same place; `None` for anything else, or under another master key.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: place.as_bytes() }).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("weft 2026 secrets at rest").into())
    }

    /// Reads the master key from `path`, or makes one there (mode 0600) when the file is missing.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Shape`]; an existing file is never replaced.
    pub fn open(path: &Path, ids: &super::Ids) -> Result<Self, Error> {
        let file_error = |source| Error::File { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(text) => {
                let bytes = STANDARD.decode(text.trim()).ok();
                let master = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                Ok(Self { master: master.ok_or_else(|| Error::Shape { path: path.display().to_string() })? })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let master: [u8; 32] = ids.random_bytes();
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(file_error)?;
                }
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file_error)?;
                file.write_all(STANDARD.encode(master).as_bytes()).map_err(file_error)?;
                file.sync_all().map_err(file_error)?;
                Ok(Self { master })
            }
            Err(error) => Err(file_error(error)),
        }
    }

    /// The key for one purpose, such as `"weft 2026 access token"`. Different purposes give unrelated keys.
    ///
    /// Source: BLAKE3's key derivation mode.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.master)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Ids;

    #[test]
    fn a_sealed_secret_opens_in_its_place_under_its_key_only() {
        let keys = Keys::ephemeral(&Ids);
        let sealed = keys.seal(&Ids, "table/1/column", b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(keys.unseal("table/1/column", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(keys.unseal("table/2/column", &sealed), None);
        assert_eq!(Keys::ephemeral(&Ids).unseal("table/1/column", &sealed), None);
        let mut bent = sealed.clone();
        bent[30] ^= 1;
        assert_eq!(keys.unseal("table/1/column", &bent), None);
        assert_eq!(keys.unseal("table/1/column", &sealed[..20]), None);
        assert_ne!(keys.seal(&Ids, "table/1/column", b"secret"), sealed);
    }
}
