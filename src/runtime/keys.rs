//! The master key, and the keys derived from it for each purpose.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
