//! What the health of a memory is told by. Every question reads a bounded number of rows.

use sqlx::{FromRow, query_as};

use super::entry::trust_of;
use crate::db::{Db, Result};
use crate::model::memory::HealthEntry;
use crate::model::{Timestamp, WorkspaceId};
use crate::read;

/// Rows that each question answers with at most.
const MOST: i64 = 50;
/// Entries among which long ones are looked for: those changed last.
const LOOKED_AT: i64 = 10_000;

macro_rules! short {
    ($rest:literal) => {
        concat!(
            "select e.namespace, e.key, e.version, substr(e.content, 1, 240) as excerpt, cast(length(e.content) as bigint) as chars, e.trust,
                e.updated_at, e.expires_at from memory_entry e ",
            $rest
        )
    };
}

#[derive(Debug, FromRow)]
struct ShortRow {
    namespace: String,
    key: String,
    version: i64,
    excerpt: String,
    chars: i64,
    trust: String,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl From<ShortRow> for HealthEntry {
    fn from(row: ShortRow) -> Self {
        let trust = trust_of(&row.trust);
        let ShortRow { namespace, key, version, excerpt, chars, updated_at, expires_at, .. } = row;
        Self { namespace, key, version, excerpt, chars, trust, updated_at, expires_at }
    }
}

fn told(rows: Vec<ShortRow>) -> Vec<HealthEntry> {
    rows.into_iter().map(HealthEntry::from).collect()
}

/// Entries that were not changed since, the oldest change first.
pub(in crate::memory) async fn unchanged_since(
    db: &Db,
    workspace: WorkspaceId,
    now: Timestamp,
    since: Timestamp,
) -> Result<Vec<HealthEntry>> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
           and (e.expires_at is null or e.expires_at > $2) and e.updated_at < $3
         order by e.change limit $4"
    );
    Ok(told(read!(db, conn => query_as(SQL).bind(workspace).bind(now).bind(since).bind(MOST).fetch_all(conn).await)?))
}

/// Entries of more characters, the longest first, among those that were changed last.
pub(in crate::memory) async fn longer_than(
    db: &Db,
    workspace: WorkspaceId,
    now: Timestamp,
    chars: i64,
) -> Result<Vec<HealthEntry>> {
    const SQL: &str = short!(
        "where e.id in (select l.id from memory_entry l where l.workspace_id = $1 order by l.change desc limit $4)
           and e.deleted_at is null and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $2)
           and length(e.content) > $3
         order by length(e.content) desc, e.change desc limit $5"
    );
    Ok(told(read!(db, conn => query_as(SQL)
        .bind(workspace)
        .bind(now)
        .bind(chars)
        .bind(LOOKED_AT)
        .bind(MOST)
        .fetch_all(conn)
        .await)?))
}

/// Entries that are gone by then, the first to go first.
pub(in crate::memory) async fn gone_by(
    db: &Db,
    workspace: WorkspaceId,
    now: Timestamp,
    by: Timestamp,
) -> Result<Vec<HealthEntry>> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
           and e.expires_at is not null and e.expires_at > $2 and e.expires_at <= $3
         order by e.expires_at, e.change limit $4"
    );
    Ok(told(read!(db, conn => query_as(SQL).bind(workspace).bind(now).bind(by).bind(MOST).fetch_all(conn).await)?))
}

/// Entries in quarantine, changed last first.
pub(in crate::memory) async fn held(db: &Db, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<HealthEntry>> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is not null
           and (e.expires_at is null or e.expires_at > $2)
         order by e.change desc limit $3"
    );
    Ok(told(read!(db, conn => query_as(SQL).bind(workspace).bind(now).bind(MOST).fetch_all(conn).await)?))
}
