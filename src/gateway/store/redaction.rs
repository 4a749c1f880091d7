//! What workspaces want masked.

use sqlx::types::Json;
use sqlx::{query, query_as};

use crate::db::{Db, Error, Result, Tx};
use crate::model::gateway::{Contents, Keeping, MaskKind, MaskPattern, Redaction, RedactionDraft};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// What a workspace wants masked; the usual where it never said anything.
pub async fn find(db: &Db, workspace: WorkspaceId) -> Result<Redaction> {
    type Row = (Json<Vec<MaskKind>>, Json<Vec<MaskPattern>>, String, i64, i64, Timestamp);
    let row: Option<Row> = read!(db, conn => query_as(
        "select kinds, patterns, contents, content_days, revision, updated_at from redaction where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    Ok(match row {
        Some((Json(kinds), Json(patterns), contents, days, revision, updated_at)) => {
            let contents =
                Contents::parse(&contents).ok_or_else(|| Error::inconsistent("redaction", "contents", &contents))?;
            let keep = Keeping { contents, days: days as u32 };
            Redaction { kinds, patterns, keep, revision, updated_at: Some(updated_at) }
        }
        None => {
            let RedactionDraft { kinds, patterns, keep } = RedactionDraft::default();
            Redaction { kinds, patterns, keep, revision: 0, updated_at: None }
        }
    })
}

/// Changes it, if it is at `revision`; false when it is not.
pub async fn put(
    tx: &mut Tx,
    workspace: WorkspaceId,
    revision: i64,
    draft: &RedactionDraft,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into redaction (workspace_id, kinds, patterns, contents, content_days, revision, updated_at)
         select $1, $3, $4, $6, $7, $2 + 1, $5 where $2 = 0 or exists (select 1 from redaction where workspace_id = $1)
         on conflict (workspace_id) do update set
            kinds = excluded.kinds, patterns = excluded.patterns, contents = excluded.contents,
            content_days = excluded.content_days, revision = excluded.revision, updated_at = excluded.updated_at
            where redaction.revision = $2",
    )
    .bind(workspace)
    .bind(revision)
    .bind(Json(&draft.kinds))
    .bind(Json(&draft.patterns))
    .bind(now)
    .bind(draft.keep.contents.as_str())
    .bind(i64::from(draft.keep.days))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}
