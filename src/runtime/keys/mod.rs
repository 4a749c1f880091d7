//! The master key, and the keys derived from it for each purpose.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let master: [u8; 32] = ids.random_bytes();
                create(path, &STANDARD.encode(master), &ids.secret()).map_err(file_error)?;
            }
            Err(error) => return Err(file_error(error)),
            Ok(_) => {}
        }
        // Of two that began at once, both go by the file of the one that was first.
        let text = fs::read_to_string(path).map_err(file_error)?;
        let bytes = STANDARD.decode(text.trim()).ok();
        let master = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Ok(Self { master: master.ok_or_else(|| Error::Shape { path: path.display().to_string() })? })
    }

    /// The key for one purpose, such as `"weft 2026 access token"`. Different purposes give unrelated keys.
    ///
    /// Source: BLAKE3's key derivation mode.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.master)
    }
}

/// Makes the file with all that is in it, or not at all: a start that is cut short leaves no half a key, which would keep
/// every later start from its data. A file that somebody else made meanwhile stays.
fn create(path: &Path, text: &str, draft: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".master-key-{draft}"));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Some file systems have no links.
            Err(_) => fs::rename(&draft, path),
            Ok(()) => Ok(()),
        }
    })();
    // Gone already where it was renamed; left behind it would open nothing.
    let _ = fs::remove_file(&draft);
    written?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::runtime::Ids;

    #[test]
    fn a_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("master.key");
        let made = Keys::open(&path, &Ids).unwrap();
        assert_eq!(Keys::open(&path, &Ids).unwrap().master, made.master);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_somebody_else_made_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create(&path, "first", "a").unwrap();
        create(&path, "second", "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        fs::write(&path, "").unwrap();
        assert!(matches!(Keys::open(&path, &Ids), Err(Error::Shape { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

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
