//! Which master keys a database was sealed under, and the secrets that outlast them.

use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::Timestamp;
use crate::{read, within};

/// A master key that this database was sealed under.
#[derive(Debug, Clone, FromRow)]
pub struct KeyRow {
    /// 1, 2, 3, …
    pub number: i64,
    /// Its name.
    pub id: String,
    /// Since when it seals.
    pub since: Timestamp,
    /// Since when everything is under it.
    pub whole_at: Option<Timestamp>,
    /// Values that no key opened by then.
    pub unreadable: i64,
    /// When it was given up.
    pub retired_at: Option<Timestamp>,
}

/// All of them, the one that seals first.
pub async fn list(db: &Db) -> Result<Vec<KeyRow>> {
    Ok(read!(db, conn => query_as(
        "select number, id, since, whole_at, unreadable, retired_at from master_key order by number desc limit 1000",
    )
    .fetch_all(conn)
    .await)?)
}

/// The one that seals; `None` before the first start.
pub async fn find_sealing(db: &Db) -> Result<Option<KeyRow>> {
    Ok(read!(db, conn => query_as(
        "select number, id, since, whole_at, unreadable, retired_at from master_key order by number desc limit 1",
    )
    .fetch_optional(conn)
    .await)?)
}

/// Makes a key the one that seals. False where another one was meanwhile, or it was one before.
pub async fn insert(tx: &mut Tx, number: i64, id: &str, at: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into master_key (number, id, since)
         select $1, $2, $3 where not exists (select 1 from master_key where number >= $1)
         on conflict do nothing",
    )
    .bind(number)
    .bind(id)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes that everything that can be opened is under the key that seals.
pub async fn note_whole(tx: &mut Tx, number: i64, unreadable: i64, at: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "update master_key set whole_at = $2, unreadable = $3 where number = $1 and whole_at is null",
    )
    .bind(number)
    .bind(at)
    .bind(unreadable)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Notes that something is left to do after all.
pub async fn note_unfinished(tx: &mut Tx, number: i64) -> Result<()> {
    within!(tx, conn => query("update master_key set whole_at = null where number = $1")
        .bind(number)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Notes that a key is given up. False where it is the one that seals.
pub async fn retire(tx: &mut Tx, id: &str, at: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update master_key set retired_at = coalesce(retired_at, $2)
         where id = $1 and number < (select max(number) from master_key)",
    )
    .bind(id)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// The secrets that outlast a master key: what for, and each sealed.
pub async fn lasting(db: &Db) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(read!(db, conn => query_as("select purpose, sealed from lasting_secret order by purpose limit 100")
        .fetch_all(conn)
        .await)?)
}

/// Adds one, unless it is there.
pub async fn insert_lasting(tx: &mut Tx, purpose: &str, sealed: &[u8]) -> Result<()> {
    within!(tx, conn => query("insert into lasting_secret (purpose, sealed) values ($1, $2) on conflict do nothing")
        .bind(purpose)
        .bind(sealed)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Seals one anew, where it is still what it was.
pub async fn reseal_lasting(tx: &mut Tx, purpose: &str, sealed: &[u8], before: &[u8]) -> Result<u64> {
    Ok(within!(tx, conn => query("update lasting_secret set sealed = $2 where purpose = $1 and sealed = $3")
        .bind(purpose)
        .bind(sealed)
        .bind(before)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}
