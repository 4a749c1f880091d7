//! Which entries are summaries, and of what.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::memory::SummaryLink;
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Summaries of a workspace that are known apart from other entries.
const MOST: i64 = 100_000;

/// The summaries of a workspace.
pub(in crate::memory) async fn summary_ids(db: &Db, workspace: WorkspaceId) -> Result<Vec<EntryId>> {
    Ok(read!(db, conn => query_scalar(
        "select m.entry_id from memory_summary m
         join memory_entry e on e.id = m.entry_id and e.version = m.version
         where m.workspace_id = $1 limit $2",
    )
    .bind(workspace)
    .bind(MOST)
    .fetch_all(conn)
    .await)?)
}

/// Whether an entry is a summary as it is now.
pub(in crate::memory) async fn is_summary(db: &Db, id: EntryId) -> Result<bool> {
    let found: Option<EntryId> = read!(db, conn => query_scalar(
        "select m.entry_id from memory_summary m
         join memory_entry e on e.id = m.entry_id and e.version = m.version
         where m.entry_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(found.is_some())
}

/// The summary of these versions.
pub(in crate::memory) async fn find_summary(db: &Db, workspace: WorkspaceId, digest: &[u8]) -> Result<Option<EntryId>> {
    Ok(read!(db, conn => query_scalar(
        "select m.entry_id from memory_summary m
         join memory_entry e on e.id = m.entry_id and e.version = m.version
         where m.workspace_id = $1 and m.digest = $2 and e.deleted_at is null limit 1",
    )
    .bind(workspace)
    .bind(digest)
    .fetch_optional(conn)
    .await)?)
}

/// Notes that an entry is, at this version, the summary of something; of what it was one before it is none any more.
pub(in crate::memory) async fn put_summary(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, version): (EntryId, i64),
    digest: &[u8],
    at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_summary (entry_id, workspace_id, version, digest, at) values ($1, $2, $3, $4, $5)
         on conflict (entry_id) do update set version = excluded.version, digest = excluded.digest, at = excluded.at",
    )
    .bind(id)
    .bind(workspace)
    .bind(version)
    .bind(digest)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query("delete from memory_summary_source where summary_id = $1").bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// A summary that has a new version with the same words is one still.
pub(in crate::memory) async fn carry_summary(tx: &mut Tx, id: EntryId, from: i64, to: i64) -> Result<()> {
    within!(tx, conn => query("update memory_summary set version = $3 where entry_id = $1 and version = $2")
        .bind(id)
        .bind(from)
        .bind(to)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Notes of which version of which entry a summary was made.
pub(in crate::memory) async fn add_summary_source(
    tx: &mut Tx,
    summary: EntryId,
    source: EntryId,
    version: i64,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_summary_source (summary_id, source_id, version) values ($1, $2, $3)",
    )
    .bind(summary)
    .bind(source)
    .bind(version)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

type LinkRow = (String, String, i64, i64);

fn link((namespace, key, version, newest): LinkRow) -> SummaryLink {
    SummaryLink { namespace, key, version, is_current: version == newest }
}

/// What a summary was made of, as far as it is there still.
pub(in crate::memory) async fn summary_sources(db: &Db, id: EntryId, now: Timestamp) -> Result<Vec<SummaryLink>> {
    let rows: Vec<LinkRow> = read!(db, conn => query_as(
        "select e.namespace, e.key, s.version, e.version from memory_summary_source s
         join memory_entry e on e.id = s.source_id
         join memory_summary m on m.entry_id = s.summary_id
         join memory_entry o on o.id = m.entry_id and o.version = m.version
         where s.summary_id = $1 and e.deleted_at is null and (e.expires_at is null or e.expires_at > $2)
         order by e.namespace, e.key limit 200",
    )
    .bind(id)
    .bind(now)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(link).collect())
}

/// The summaries that were made of an entry, the last first.
pub(in crate::memory) async fn summaries_of(db: &Db, id: EntryId, now: Timestamp) -> Result<Vec<SummaryLink>> {
    let rows: Vec<LinkRow> = read!(db, conn => query_as(
        "select e.namespace, e.key, s.version, o.version from memory_summary_source s
         join memory_summary m on m.entry_id = s.summary_id
         join memory_entry e on e.id = s.summary_id and e.version = m.version
         join memory_entry o on o.id = s.source_id
         where s.source_id = $1 and e.deleted_at is null and (e.expires_at is null or e.expires_at > $2)
         order by m.at desc, e.namespace, e.key limit 50",
    )
    .bind(id)
    .bind(now)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(link).collect())
}
