//! Rows that are not under the newest key yet.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use super::row::{place_of_entry, place_of_version, sealed_of, sealed_version, without_reasons};
use super::sibling::place_of_sibling;
use super::vector::{place_of_vectors, vector_bytes};
use crate::db::{self, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable, body_bytes};
use crate::model::memory::Quarantine;
use crate::model::{EmbedderId, EntryId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
use crate::within;

/// Versions or siblings read at once: each may have a mebibyte.
const CHUNK: i64 = 16;

/// Which rows of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::memory) enum Rows {
    /// The one of the entry.
    #[default]
    Entry,
    /// Its versions.
    Versions,
    /// The texts beside it.
    Siblings,
}

/// A text that is not under the newest key.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct OldText {
    id: EntryId,
    /// Its version or change number.
    pub number: i64,
    plain: String,
    value: Json<Value>,
    metadata: Json<Map<String, Value>>,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    /// Of entries only.
    deleted_at: Option<Timestamp>,
    quarantine: Option<Json<Quarantine>>,
    #[sqlx(skip)]
    rows: Rows,
    /// What is to be encrypted, where it was encrypted before.
    #[sqlx(skip)]
    clear: Option<Result<Vec<u8>, Unreadable>>,
}

impl OldText {
    fn place(&self) -> Place {
        match self.rows {
            Rows::Entry => place_of_entry(self.id, sealed_version(self.number, self.deleted_at)),
            Rows::Versions => place_of_version(self.id, self.number),
            Rows::Siblings => place_of_sibling(self.id, self.number),
        }
    }

    /// Where it stands, and what is to be encrypted; and how many characters its content has where it stands there as it is.
    pub fn to_seal(&self) -> Result<(Place, Vec<u8>, Option<i64>), Unreadable> {
        let place = self.place();
        match &self.clear {
            Some(clear) => Ok((place, clear.clone()?, None)),
            None => {
                // Reasons of the entry are none of a text beside it.
                let reasons = self
                    .quarantine
                    .as_ref()
                    .filter(|_| self.rows != Rows::Siblings)
                    .map_or(&[][..], |quarantine| &quarantine.0.reasons);
                let clear = body_bytes(&self.plain, &self.value.0, &self.metadata.0, reasons);
                Ok((place, clear, Some(self.plain.chars().count() as i64)))
            }
        }
    }
}

impl Holds for OldText {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        Some((self.place(), sealed_of(&mut self.sealed, self.data_key)?))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.clear = Some(clear);
    }
}

/// The texts of an entry behind a number that are not under a key, opened.
pub(in crate::memory) async fn old_texts(
    tx: &mut Tx,
    ctx: &Ctx,
    (rows, entry): (Rows, EntryId),
    after: i64,
    key: i64,
) -> Result<Vec<OldText>, Error> {
    const ENTRY: &str = "select id, version as number, plain, value, metadata, sealed, data_key, deleted_at, quarantine
         from memory_entry
         where id = $1 and version > $2 and (data_key is null or data_key <> $3) limit $4";
    const VERSIONS: &str =
        "select v.entry_id as id, v.version as number, v.plain, v.value, v.metadata, v.sealed, v.data_key,
            e.deleted_at, v.quarantine
         from memory_version v join memory_entry e on e.id = v.entry_id
         where v.entry_id = $1 and v.version > $2 and v.plain is not null and (v.data_key is null or v.data_key <> $3)
         order by v.version limit $4";
    const SIBLINGS: &str =
        "select s.entry_id as id, s.change as number, s.plain, s.value, s.metadata, s.sealed, s.data_key,
            e.deleted_at,
            e.quarantine
         from memory_sibling s join memory_entry e on e.id = s.entry_id
         where s.entry_id = $1 and s.change > $2 and (s.data_key is null or s.data_key <> $3)
         order by s.change limit $4";
    let sql = match rows {
        Rows::Entry => ENTRY,
        Rows::Versions => VERSIONS,
        Rows::Siblings => SIBLINGS,
    };
    let found: sqlx::Result<Vec<OldText>> = within!(tx, conn => query_as(sql)
        .bind(entry)
        .bind(after)
        .bind(key)
        .bind(CHUNK)
        .fetch_all(conn)
        .await);
    let found = found.map_err(db::Error::from)?.into_iter().map(|text| OldText { rows, ..text }).collect();
    crypt::open_within(tx, ctx, found).await
}

/// Writes a text under a key.
pub(in crate::memory) async fn reseal_text(
    tx: &mut Tx,
    text: &OldText,
    (sealed, key): (Vec<u8>, i64),
    chars: Option<i64>,
) -> Result<()> {
    const ENTRY: &str = "update memory_entry set plain = '', value = $3, metadata = $4, sealed = $5, data_key = $6,
            chars = coalesce($7, chars), quarantine = $8 where id = $1 and version = $2";
    const VERSION: &str = "update memory_version set plain = '', value = $3, metadata = $4, sealed = $5, data_key = $6,
            chars = coalesce($7, chars), quarantine = $8 where entry_id = $1 and version = $2";
    let sql = match text.rows {
        Rows::Entry => ENTRY,
        Rows::Versions => VERSION,
        Rows::Siblings => return reseal_sibling(tx, text, sealed, key).await,
    };
    within!(tx, conn => query(sql)
        .bind(text.id)
        .bind(text.number)
        .bind(Json(Value::Null))
        .bind(Json(Map::<String, Value>::new()))
        .bind(sealed)
        .bind(key)
        .bind(chars)
        .bind(text.quarantine.as_ref().map(|quarantine| Json(without_reasons(&quarantine.0))))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The same of a text beside an entry: nobody counts its characters, and it is never in quarantine.
async fn reseal_sibling(tx: &mut Tx, text: &OldText, sealed: Vec<u8>, key: i64) -> Result<()> {
    within!(tx, conn => query(
        "update memory_sibling set plain = '', value = $3, metadata = $4, sealed = $5, data_key = $6
         where entry_id = $1 and change = $2",
    )
    .bind(text.id)
    .bind(text.number)
    .bind(Json(Value::Null))
    .bind(Json(Map::<String, Value>::new()))
    .bind(sealed)
    .bind(key)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Vectors that are not under the newest key.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct OldVectors {
    embedder_id: EmbedderId,
    entry_id: EntryId,
    change: i64,
    digest: i64,
    codes: Vec<u8>,
    data_key: Option<i64>,
    #[sqlx(skip)]
    clear: Option<Result<Vec<u8>, Unreadable>>,
}

impl OldVectors {
    fn place(&self) -> Place {
        place_of_vectors(self.embedder_id, self.entry_id, self.change)
    }

    /// Where they stand, and what is to be encrypted.
    pub fn to_seal(&self) -> Result<(Place, Vec<u8>), Unreadable> {
        match &self.clear {
            Some(clear) => Ok((self.place(), clear.clone()?)),
            None => Ok((self.place(), vector_bytes(self.digest, &self.codes))),
        }
    }
}

impl Holds for OldVectors {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        self.data_key?;
        Some((self.place(), std::mem::take(&mut self.codes)))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.clear = Some(clear);
    }
}

/// The vectors of an entry that are not under a key, opened: one row for each embedder.
pub(in crate::memory) async fn old_vectors(
    tx: &mut Tx,
    ctx: &Ctx,
    entry: EntryId,
    key: i64,
) -> Result<Vec<OldVectors>, Error> {
    let found: sqlx::Result<Vec<OldVectors>> = within!(tx, conn => query_as(
        "select embedder_id, entry_id, change, digest, codes, data_key from memory_vector
         where entry_id = $1 and (data_key is null or data_key <> $2) order by embedder_id limit 16",
    )
    .bind(entry)
    .bind(key)
    .fetch_all(conn)
    .await);
    crypt::open_within(tx, ctx, found.map_err(db::Error::from)?).await
}

/// Writes vectors under a key.
pub(in crate::memory) async fn reseal_vectors(
    tx: &mut Tx,
    vectors: &OldVectors,
    sealed: Vec<u8>,
    key: i64,
) -> Result<()> {
    within!(tx, conn => query(
        "update memory_vector set digest = 0, codes = $3, data_key = $4 where embedder_id = $1 and entry_id = $2",
    )
    .bind(vectors.embedder_id)
    .bind(vectors.entry_id)
    .bind(sealed)
    .bind(key)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The entries of a workspace behind a change number, in the order of their changes.
pub(in crate::memory) async fn entries_behind(
    tx: &mut Tx,
    workspace: WorkspaceId,
    after: i64,
    limit: i64,
) -> Result<Vec<(EntryId, i64)>> {
    Ok(within!(tx, conn => query_as(
        "select id, change from memory_entry where workspace_id = $1 and change > $2 order by change limit $3",
    )
    .bind(workspace)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}
