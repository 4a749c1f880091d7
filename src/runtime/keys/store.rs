//! The rows of sealed columns. Which columns there are, their capabilities say: the texts come from [`sealed_column!`](crate::sealed_column).

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Result, Tx};
use crate::model::Timestamp;
use crate::{read, within};

/// A row with a sealed value.
#[derive(Debug, FromRow)]
pub struct Row {
    /// Its id, or the first half of it.
    pub id: Uuid,
    /// The second half; 0 where there is none.
    pub number: i64,
    /// The value.
    pub sealed: Vec<u8>,
    /// Whose it is, where its place says that.
    #[sqlx(default)]
    pub workspace_id: Option<Uuid>,
    /// Of a kept answer: the digest of its question,
    #[sqlx(default)]
    pub key: Option<Vec<u8>>,
    /// and of what it depends on,
    #[sqlx(default)]
    pub root: Option<Vec<u8>>,
    /// since when,
    #[sqlx(default)]
    pub created_at: Option<Timestamp>,
    /// and until when it is kept.
    #[sqlx(default)]
    pub expires_at: Option<Timestamp>,
}

/// Values that are not under the key with this head, behind a row.
pub(super) async fn find(
    db: &Db,
    sql: &'static str,
    head: &[u8],
    (id, number): (Uuid, i64),
    limit: i64,
) -> Result<Vec<Row>> {
    Ok(read!(db, conn => query_as(sql).bind(head).bind(id).bind(number).bind(limit).fetch_all(conn).await)?)
}

/// Puts another value in the place of one, where it is still there. Returns how many were.
pub(super) async fn put(tx: &mut Tx, sql: &'static str, sealed: &[u8], row: &Row) -> Result<u64> {
    Ok(within!(tx, conn => query(sql)
        .bind(sealed)
        .bind(row.id)
        .bind(row.number)
        .bind(row.sealed.as_slice())
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// How many values are not under the key with this head.
pub(super) async fn count(db: &Db, sql: &'static str, head: &[u8]) -> Result<i64> {
    Ok(read!(db, conn => query_scalar(sql).bind(head).fetch_one(conn).await)?)
}
