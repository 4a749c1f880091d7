//! A stored entry, and where its ciphertext stands.

use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;

use super::entry::trust_of;
use crate::memory::Error;
use crate::memory::crypt::{Body, Holds, Place, Unreadable, body_bytes, read_body};
use crate::model::memory::{Entry, Quarantine, Source};
use crate::model::{EntryId, Timestamp};

/// A stored entry, perhaps deleted or past its time.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct EntryRow {
    pub id: EntryId,
    namespace: String,
    key: String,
    content: String,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    #[sqlx(skip)]
    unreadable: Option<Unreadable>,
    /// Whether the row is one of `memory_version`.
    #[sqlx(skip)]
    is_version: bool,
    value: Json<Value>,
    tags: Json<Vec<String>>,
    metadata: Json<Map<String, Value>>,
    importance: f64,
    pub version: i64,
    source: Json<Source>,
    pub created_at: Timestamp,
    updated_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub change: i64,
    context_group: Option<String>,
    context_position: Option<i64>,
    trust: String,
    quarantine: Option<Json<Quarantine>>,
    quarantined_at: Option<Timestamp>,
    siblings: i64,
    pub superseded_at: Option<Timestamp>,
}

impl EntryRow {
    /// Where it stands.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether callers may know of it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.deleted_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    /// Whether searches, steps and agents may know of it.
    pub fn is_findable(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.quarantined_at.is_none()
    }

    /// Whether an index has no place for it, whatever the time is.
    pub fn is_hidden(&self) -> bool {
        self.deleted_at.is_some() || self.quarantined_at.is_some()
    }

    /// How many texts stand open beside it.
    pub const fn siblings(&self) -> i64 {
        self.siblings
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When its newest version was written.
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// 0..=1.
    pub const fn importance(&self) -> f64 {
        self.importance
    }

    /// Its text; empty when it can't be decrypted.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Why it can't be decrypted.
    pub const fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }

    /// Says that the row is one of `memory_version`.
    pub(super) fn of_version(mut self) -> Self {
        self.is_version = true;
        self
    }

    /// The entry.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn entry(self) -> Result<Entry, Error> {
        match self.unreadable {
            Some(why) => {
                Err(Error::Unreadable { namespace: self.namespace, key: self.key, version: self.version, why })
            }
            None => Ok(self.shown()),
        }
    }

    /// The entry as it stood at a moment, of a row that was read for it. What was set aside later was not yet then.
    pub fn then(self, at: Timestamp) -> Entry {
        let held_since = self.quarantined_at.filter(|since| *since <= at);
        let mut entry = self.shown();
        entry.quarantine = match (held_since, entry.quarantine) {
            // An older program wrote down since when, and no more.
            (Some(since), None) => {
                let reasons = vec!["why was not kept with this version".to_owned()];
                Some(Quarantine { at: since, by: None, reasons, released: None })
            }
            (_, known) => known.filter(|quarantine| quarantine.at <= at),
        };
        entry
    }

    /// The entry for a list, which shows also one that can't be decrypted: it says so.
    pub fn shown(self) -> Entry {
        let row = self;
        Entry {
            unreadable: row.unreadable.map(|why| why.to_string()),
            id: row.id,
            namespace: row.namespace,
            key: row.key,
            content: row.content,
            value: row.value.0,
            tags: row.tags.0,
            metadata: row.metadata.0,
            importance: row.importance,
            version: row.version,
            source: row.source.0,
            trust: trust_of(&row.trust),
            quarantine: row.quarantine.map(|quarantine| quarantine.0),
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            group: row.context_group,
            position: row.context_position,
            siblings: row.siblings,
            superseded_at: row.superseded_at,
        }
    }
}

impl Holds for EntryRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        let sealed = sealed_of(&mut self.sealed, self.data_key)?;
        let place = if self.is_version {
            place_of_version(self.id, self.version)
        } else {
            place_of_entry(self.id, sealed_version(self.version, self.deleted_at))
        };
        Some((place, sealed))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_body) {
            Ok(Body { content, value, metadata, reasons }) => {
                (self.content, self.value.0, self.metadata.0) = (content, value, metadata);
                if let Some(Json(quarantine)) = &mut self.quarantine {
                    quarantine.reasons = reasons;
                }
            }
            Err(why) => self.unreadable = Some(why),
        }
    }
}

/// The ciphertext of a row. Where there should be one and is none, it is one that nothing opens: never an empty text.
pub(super) fn sealed_of(sealed: &mut Option<Vec<u8>>, data_key: Option<i64>) -> Option<Vec<u8>> {
    sealed.take().or_else(|| data_key.map(|_| Vec::new()))
}

/// What of an entry is encrypted.
pub(super) fn clear_of(entry: &Entry) -> Vec<u8> {
    let reasons = entry.quarantine.as_ref().map_or(&[][..], |quarantine| &quarantine.reasons);
    body_bytes(&entry.content, &entry.value, &entry.metadata, reasons)
}

/// What of a quarantine stands in its column: the reasons, which quote words, are encrypted with the words.
pub(super) fn without_reasons(quarantine: &Quarantine) -> Quarantine {
    Quarantine { reasons: Vec::new(), ..quarantine.clone() }
}

/// Where an entry's ciphertext stands.
pub(super) fn place_of_entry(id: EntryId, version: i64) -> Place {
    Place::new("memory_entry/sealed", id, version)
}

/// Where a version's ciphertext stands.
pub(super) fn place_of_version(id: EntryId, version: i64) -> Place {
    Place::new("memory_version/sealed", id, version)
}

/// The version that an entry's ciphertext is bound to: deleting an entry makes a version and writes no text.
pub(super) fn sealed_version(version: i64, deleted_at: Option<Timestamp>) -> i64 {
    if deleted_at.is_some() { version - 1 } else { version }
}
