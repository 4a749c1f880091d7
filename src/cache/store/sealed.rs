//! What of the cache is sealed with the master key.

use super::super::look;
use super::super::semantic::place_of;
use crate::model::{CacheEntryId, SemanticHitId, Timestamp, WorkspaceId};
use crate::runtime::keys::{Column, Row};
use crate::sealed_column;

/// The columns.
pub const SEALED: [Column; 4] = [
    sealed_column!(
        "kept requests",
        "cache_entry",
        "id",
        "request",
        ", workspace_id, key, root, created_at, expires_at",
        |row| place(row, "request")
    ),
    sealed_column!(
        "kept answers",
        "cache_entry",
        "id",
        "answer",
        ", workspace_id, key, root, created_at, expires_at",
        |row| place(row, "answer")
    ),
    Column {
        what: "vectors of kept questions",
        find: "select v.entry_id as id, cast(0 as bigint) as number, v.question as sealed, e.workspace_id, e.key, e.root, e.created_at,
                e.expires_at
             from cache_vector v join cache_entry e on e.id = v.entry_id
             where substr(v.question, 1, 12) <> $1 and (v.entry_id, cast(0 as bigint)) > ($2, $3)
             order by v.entry_id limit $4",
        put: "update cache_vector set question = $1 where entry_id = $2 and cast($3 as bigint) = 0 and question = $4",
        count: "select count(*) from cache_vector where substr(question, 1, 12) <> $1",
        place: |row| place(row, "question"),
    },
    sealed_column!(
        "questions that were answered by meaning",
        "cache_semantic_hit",
        "id",
        "questions",
        ", workspace_id",
        |row| place_of(WorkspaceId(row.workspace_id.unwrap_or_default()), SemanticHitId(row.id))
    ),
];

fn place(row: &Row, column: &str) -> String {
    let workspace = WorkspaceId(row.workspace_id.unwrap_or_default());
    let at = |time: Option<Timestamp>| time.unwrap_or(Timestamp(0));
    let span = (at(row.created_at), at(row.expires_at));
    let key = row.key.as_deref().unwrap_or_default();
    look::place(workspace, CacheEntryId(row.id), key, row.root.as_deref(), span, column)
}
