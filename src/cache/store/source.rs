//! What answers may depend on, and what that depends on itself.

use sqlx::{FromRow, query, query_as, query_scalar};

use super::super::merkle::Source;
use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{SourceKind, SourceRef};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct SourceRow {
    fingerprint: Option<String>,
    needs_kind: Option<String>,
    needs_id: Option<String>,
}

/// A source with each of its needs in a row of its own.
const FIND: &str = "select s.fingerprint, e.needs_kind, e.needs_id
     from cache_source s
     left join cache_edge e on e.workspace_id = s.workspace_id and e.kind = s.kind and e.source_id = s.source_id
     where s.workspace_id = $1 and s.kind = $2 and s.source_id = $3
     order by e.needs_kind, e.needs_id";

fn source(rows: Vec<SourceRow>) -> Result<Option<Source>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut source = Source::default();
    for row in rows {
        source.fingerprint = row.fingerprint;
        if let (Some(kind), Some(id)) = (row.needs_kind, row.needs_id) {
            source.needs.push(SourceRef { kind: kind_of(&kind)?, id });
        }
    }
    source.needs.sort();
    Ok(Some(source))
}

/// Reads a kind back.
pub fn kind_of(text: &str) -> Result<SourceKind> {
    SourceKind::parse(text).ok_or_else(|| Error::inconsistent("cache_source", "kind", text))
}

/// What was heard of it; `None` for nothing.
pub async fn find(db: &Db, workspace: WorkspaceId, about: &SourceRef) -> Result<Option<Source>> {
    source(read!(db, conn => query_as(FIND)
        .bind(workspace)
        .bind(about.kind.as_str())
        .bind(&about.id)
        .fetch_all(conn)
        .await)?)
}

/// The same, within a transaction.
pub async fn find_within(tx: &mut Tx, workspace: WorkspaceId, about: &SourceRef) -> Result<Option<Source>> {
    source(within!(tx, conn => query_as(FIND)
        .bind(workspace)
        .bind(about.kind.as_str())
        .bind(&about.id)
        .fetch_all(conn)
        .await)?)
}

/// What depends on it at once.
pub async fn list_needing(db: &Db, workspace: WorkspaceId, about: &SourceRef) -> Result<Vec<SourceRef>> {
    let rows: Vec<(String, String)> = read!(db, conn => query_as(
        "select kind, source_id from cache_edge where workspace_id = $1 and needs_kind = $2 and needs_id = $3",
    )
    .bind(workspace)
    .bind(about.kind.as_str())
    .bind(&about.id)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(|(kind, id)| Ok(SourceRef { kind: kind_of(&kind)?, id })).collect()
}

/// How many a workspace tells about.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from cache_source where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// Notes its state.
pub async fn put(
    tx: &mut Tx,
    workspace: WorkspaceId,
    about: &SourceRef,
    fingerprint: &str,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_source (workspace_id, kind, source_id, fingerprint, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (workspace_id, kind, source_id) do update set
            fingerprint = excluded.fingerprint, changed_at = excluded.changed_at",
    )
    .bind(workspace)
    .bind(about.kind.as_str())
    .bind(&about.id)
    .bind(fingerprint)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Notes its state if it is known at all.
pub async fn touch(
    tx: &mut Tx,
    workspace: WorkspaceId,
    about: &SourceRef,
    fingerprint: &str,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "update cache_source set fingerprint = $4, changed_at = $5
         where workspace_id = $1 and kind = $2 and source_id = $3",
    )
    .bind(workspace)
    .bind(about.kind.as_str())
    .bind(&about.id)
    .bind(fingerprint)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Makes it known, in no state, unless it is.
pub async fn register(tx: &mut Tx, workspace: WorkspaceId, about: &SourceRef, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_source (workspace_id, kind, source_id, fingerprint, changed_at) values ($1, $2, $3, null, $4)
         on conflict (workspace_id, kind, source_id) do nothing",
    )
    .bind(workspace)
    .bind(about.kind.as_str())
    .bind(&about.id)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Says what it depends on itself, in place of what was said before.
pub async fn replace_needs(tx: &mut Tx, workspace: WorkspaceId, about: &SourceRef, needs: &[SourceRef]) -> Result<()> {
    within!(tx, conn => query("delete from cache_edge where workspace_id = $1 and kind = $2 and source_id = $3")
        .bind(workspace)
        .bind(about.kind.as_str())
        .bind(&about.id)
        .execute(conn)
        .await
        .map(drop))?;
    for need in needs {
        within!(tx, conn => query(
            "insert into cache_edge (workspace_id, kind, source_id, needs_kind, needs_id) values ($1, $2, $3, $4, $5)",
        )
        .bind(workspace)
        .bind(about.kind.as_str())
        .bind(&about.id)
        .bind(need.kind.as_str())
        .bind(&need.id)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// Forgets what has not changed since `before` and nothing depends on: no answer, and nothing else.
pub async fn delete_unused(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    let rows: Vec<(WorkspaceId, String, String)> = within!(&mut *tx, conn => query_as(
        "select workspace_id, kind, source_id from cache_source s
         where changed_at < $1
            and not exists (select 1 from cache_dependency d
                where d.workspace_id = s.workspace_id and d.kind = s.kind and d.source_id = s.source_id)
            and not exists (select 1 from cache_edge e
                where e.workspace_id = s.workspace_id and e.needs_kind = s.kind and e.needs_id = s.source_id)
         limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    for (workspace, kind, id) in &rows {
        let about = SourceRef { kind: kind_of(kind)?, id: id.clone() };
        replace_needs(tx, *workspace, &about, &[]).await?;
        within!(&mut *tx, conn => query(
            "delete from cache_source where workspace_id = $1 and kind = $2 and source_id = $3",
        )
        .bind(*workspace)
        .bind(kind)
        .bind(id)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(rows.len() as u64)
}
