//! The master key, and the keys derived from it for each purpose.
//!
//! The file may hold several keys while one takes over from another (`file`). One of them seals; every one of them opens. What is
//! sealed names the key that it is under, so that everything can be brought under the newest one row by row (`column`), and so
//! that what a key is missing for can be said. Which one seals is what the database says (`crate::master`), never the file: every
//! process on it is of one mind.
//!
//! A process that does not have the key that seals does not seal: with another one it would write what nobody can read once that
//! one is gone. Neither does one that shares its database and has not heard from it for [`SURE`] which one that is.

mod column;
mod file;
mod store;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

pub use self::column::{Column, Left, Moved, Opening, Row};
pub use self::file::{MOST_KEYS, holds_keys};
use crate::db;

/// Bytes of a nonce of XChaCha20.
const NONCE_BYTES: usize = 24;
/// What begins a value that names its key. Values of before began with a random nonce.
const MARK: [u8; 4] = *b"WMK\x01";
/// Bytes in front of the nonce: the mark, and the id of the key.
pub const HEAD_BYTES: usize = 12;
/// How often the file is read at most, because something is under a key that is not known here.
const REREAD: Duration = Duration::from_secs(1);
/// For so long a process that shares its database goes on sealing without having heard from it which key seals.
pub const SURE: Duration = Duration::from_secs(170);

/// The name of a master key, which says nothing about it: 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The name of the key with these bytes.
    ///
    /// Source: the first 64 bits of BLAKE3's key derivation mode.
    fn of(master: &[u8; 32]) -> Self {
        let name = blake3::derive_key("weft 2026 name of a master key", master);
        Self([name[0], name[1], name[2], name[3], name[4], name[5], name[6], name[7]])
    }

    /// Reads the 16 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if is_hex { u64::from_str_radix(text, 16).ok()? } else { return None };
        Some(Self(number.to_be_bytes()))
    }

    /// How everything begins that is sealed under it.
    pub fn head(self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..MARK.len()].copy_from_slice(&MARK);
        head[MARK.len()..].copy_from_slice(&self.0);
        head
    }

    /// The key that a sealed value names; `None` of one that was sealed before values did.
    pub fn named_by(sealed: &[u8]) -> Option<Self> {
        let (head, _) = sealed.split_first_chunk::<HEAD_BYTES>()?;
        let (mark, id) = head.split_first_chunk::<4>()?;
        (*mark == MARK).then(|| id.first_chunk().copied().map(Self)).flatten()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// One key-encryption key.
#[derive(Clone)]
struct Master {
    id: KeyId,
    bytes: [u8; 32],
}

impl Master {
    fn new(bytes: [u8; 32]) -> Self {
        Self { id: KeyId::of(&bytes), bytes }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&blake3::derive_key("weft 2026 secrets at rest", &self.bytes).into())
    }

    fn open(&self, place: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: place.as_bytes() }).ok()
    }
}

/// The keys that this process knows.
struct Ring {
    /// Newest first, as in the file; never empty.
    masters: Vec<Master>,
    /// The one that seals.
    sealing: KeyId,
    /// Secrets that stay the same whichever key seals, by their purpose.
    lasting: HashMap<&'static str, [u8; 32]>,
    /// When the file was read because of an unknown key.
    reread: Option<Instant>,
    /// When the database was asked which one seals; `None` where nobody else can change that.
    heard: Option<Instant>,
}

impl Ring {
    fn find(&self, id: KeyId) -> Option<&Master> {
        self.masters.iter().find(|master| master.id == id)
    }

    /// The one that seals, or else the newest: derived keys need one.
    fn main(&self) -> &Master {
        self.find(self.sealing).unwrap_or(&self.masters[0])
    }
}

/// The key-encryption keys; cheap to clone, all clones know the same. Printed nowhere; wiped from no swap, so protect the machine too.
#[derive(Clone)]
pub struct Keys {
    ring: Arc<RwLock<Ring>>,
    /// `None` of those that live and die with this process.
    path: Option<PathBuf>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the master key file {path} must hold 32 bytes in base64, or up to {most} keys like that, a line each", most = MOST_KEYS)]
    Shape {
        /// Which file.
        path: String,
    },
    /// There is no room in it for one more.
    #[error("the master key file {path} holds {most} keys already; retire one first", most = MOST_KEYS)]
    Full {
        /// Which file.
        path: String,
    },
    /// These keys are in no file.
    #[error("these keys live and die with this process; there is no file to change")]
    NoFile,
}

impl Keys {
    fn of(masters: Vec<Master>, path: Option<PathBuf>) -> Self {
        let sealing = masters[0].id;
        let ring = Ring { masters, sealing, lasting: HashMap::new(), reread: None, heard: None };
        Self { ring: Arc::new(RwLock::new(ring)), path }
    }

    /// A key for a database that lives and dies with this process.
    pub fn ephemeral(ids: &super::Ids) -> Self {
        Self::of(vec![Master::new(ids.random_bytes())], None)
    }

    /// Reads the master keys from `path`, the newest first, or makes one there (mode 0600) when the file is missing.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Shape`]; an existing file is never replaced.
    pub fn open(path: &Path, ids: &super::Ids) -> Result<Self, Error> {
        let masters = file::open(path, ids)?.into_iter().map(Master::new).collect();
        Ok(Self::of(masters, Some(path.to_owned())))
    }

    /// Encrypts a secret for a column. `place` names the table, the row and the column, so that the text opens nowhere else.
    ///
    /// Source: XChaCha20-Poly1305, its random nonce of 24 bytes in front of the text; in front of that a mark of four bytes and the
    /// id of the key.
    ///
    /// # Errors
    /// [`db::Error::MasterKey`] where the key that seals is not in this process' file, or has not been asked for too long.
    pub fn seal(&self, ids: &super::Ids, place: &str, secret: &[u8]) -> db::Result<Vec<u8>> {
        let ring = self.read();
        let Some(master) = ring.find(ring.sealing) else { return Err(lacking(ring.sealing, None)) };
        if ring.heard.is_some_and(|at| at.elapsed() > SURE) {
            return Err(db::Error::MasterKey(
                "the database has not said for minutes which master key seals".to_owned(),
            ));
        }
        let nonce: [u8; NONCE_BYTES] = ids.random_bytes();
        let payload = Payload { msg: secret, aad: place.as_bytes() };
        let sealed = master.cipher().encrypt(&XNonce::from(nonce), payload).expect("a secret is shorter than 256 GiB");
        Ok([master.id.head().as_slice(), &nonce, &sealed].concat())
    }

    /// Decrypts what [`Keys::seal`] gave for the same place, under any key of the file; `None` for anything else.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        if let Some(id) = KeyId::named_by(sealed) {
            if !self.has(id) {
                self.reread_for(id);
            }
            let master = self.read().find(id).cloned();
            if let Some(clear) = master.and_then(|master| master.open(place, &sealed[HEAD_BYTES..])) {
                return Some(clear);
            }
        }
        // Of before values named their key; or its nonce only looks like a head.
        self.read().masters.iter().find_map(|master| master.open(place, sealed))
    }

    /// Whether one key of the file opens it.
    pub fn opens(&self, id: KeyId, place: &str, sealed: &[u8]) -> bool {
        let named = KeyId::named_by(sealed);
        if named.is_some_and(|named| named != id && self.has(named)) {
            return false;
        }
        let head = if named == Some(id) { HEAD_BYTES } else { 0 };
        self.read().find(id).is_some_and(|master| master.open(place, &sealed[head..]).is_some())
    }

    /// Which key of the file opens it, the newest first.
    pub fn opener(&self, place: &str, sealed: &[u8]) -> Option<KeyId> {
        self.ids().into_iter().find(|id| self.opens(*id, place, sealed))
    }

    /// The key for one purpose, such as `"weft 2026 access token"`, under the key that seals. Different purposes give unrelated keys.
    /// It changes with the master key: nothing that lasts may depend on it.
    ///
    /// Source: BLAKE3's key derivation mode.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.read().main().bytes)
    }

    /// The same under each key of the file, the one that seals first.
    pub fn derive_each(&self, purpose: &str) -> Vec<[u8; 32]> {
        let ring = self.read();
        let main = ring.main();
        let others = ring.masters.iter().filter(|master| master.id != main.id);
        std::iter::once(main).chain(others).map(|master| blake3::derive_key(purpose, &master.bytes)).collect()
    }

    /// The secret for one purpose that stays when the master key changes: of digests by which rows are found, and of tags on what
    /// is handed out. It rests in the database, sealed.
    pub fn lasting(&self, purpose: &'static str) -> [u8; 32] {
        let known = self.read().lasting.get(purpose).copied();
        known.unwrap_or_else(|| self.derive(purpose))
    }

    /// Takes over a secret that lasts.
    pub fn keep(&self, purpose: &'static str, secret: [u8; 32]) {
        self.write().lasting.insert(purpose, secret);
    }

    /// The keys of the file, the newest first.
    pub fn ids(&self) -> Vec<KeyId> {
        self.read().masters.iter().map(|master| master.id).collect()
    }

    /// Whether the file has this key.
    pub fn has(&self, id: KeyId) -> bool {
        self.read().find(id).is_some()
    }

    /// The key that seals.
    pub fn sealing(&self) -> KeyId {
        self.read().sealing
    }

    /// Why this process can't seal, if it can't.
    pub fn lack(&self) -> Option<String> {
        let sealing = self.sealing();
        (!self.has(sealing)).then(|| lacking(sealing, self.path.as_deref()).to_string())
    }

    /// Seals with this key from now on. Where the file does not have it nothing is sealed until it does.
    pub fn seal_with(&self, id: KeyId) {
        self.write().sealing = id;
    }

    /// Notes that the database was asked at this time which key seals. From the first time on that has to be repeated.
    pub fn hear(&self, at: Instant) {
        self.write().heard = Some(at);
    }

    /// How long ago that was; `None` where it need not be.
    pub fn unheard(&self) -> Option<Duration> {
        self.read().heard.map(|at| at.elapsed())
    }

    /// Reads the file again. What is known stays where that fails; a key that somebody took out is kept beside the file.
    ///
    /// # Errors
    /// As [`Keys::open`]; a file that is gone is not made anew.
    pub fn reload(&self) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let known: Vec<[u8; 32]> = self.read().masters.iter().map(|master| master.bytes).collect();
        self.write().masters = file::read_again(path, &known, name_of)?.into_iter().map(Master::new).collect();
        Ok(())
    }

    /// Adds a new key to the file, as its first; returns its id. What seals stays the same.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::Full`], and as [`Keys::open`].
    pub fn add(&self, ids: &super::Ids) -> Result<KeyId, Error> {
        let path = self.path.as_deref().ok_or(Error::NoFile)?;
        let made = ids.random_bytes();
        file::change(path, ids, name_of, |masters| masters.insert(0, made))?;
        self.reload()?;
        Ok(KeyId::of(&made))
    }

    /// Takes a key out of the file; it lies beside it from then on, its name ending in `.retired-` and that of the key. One that
    /// is not in the file is no error, also where the file can't be changed.
    ///
    /// # Errors
    /// [`Error::NoFile`], and as [`Keys::open`]; [`Error::Shape`] where no other is there.
    pub fn remove(&self, ids: &super::Ids, id: KeyId) -> Result<(), Error> {
        let path = self.path.as_deref().ok_or(Error::NoFile)?;
        self.reload()?;
        if self.has(id) {
            file::change(path, ids, name_of, |masters| masters.retain(|master| KeyId::of(master) != id))?;
        }
        self.reload()
    }

    /// Another process may have written something under a key that it has just been given.
    fn reread_for(&self, id: KeyId) {
        {
            let mut ring = self.write();
            if self.path.is_none() || ring.reread.is_some_and(|at| at.elapsed() < REREAD) {
                return;
            }
            ring.reread = Some(Instant::now());
        }
        if let Err(error) = self.reload() {
            tracing::warn!(%error, key = %id, "something is under a master key that is not known here");
        } else if !self.has(id) {
            tracing::warn!(key = %id, "something is under a master key that is not in the file");
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().expect("no code panics while it holds this lock")
    }
}

fn name_of(master: &[u8; 32]) -> String {
    KeyId::of(master).to_string()
}

fn lacking(id: KeyId, path: Option<&Path>) -> db::Error {
    let file = path.map_or_else(|| "of this process".to_owned(), |path| format!("in {}", path.display()));
    db::Error::MasterKey(format!(
        "this database is under the master key {id}, which is not among the keys {file}; put it back as a further line: it is in the file \
         of the server where it was made, or in one of before, whose name ends in .retired-{id}"
    ))
}

#[cfg(test)]
mod tests;
