//! What agents were given of the memory, beside their tasks.

use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use crate::db::{Db, Result};
use crate::model::memory::{Reader, Reading, RunRead, Sought, Trust};
use crate::model::{AgentId, EntryId, Timestamp, WorkspaceId};
use crate::monitor::agent_memory::Place;
use crate::read;

#[derive(FromRow)]
struct Row {
    namespace: String,
    key: String,
    trust: String,
    entry_id: EntryId,
    reader: String,
    who: Json<Reader>,
    reads: i64,
    found: i64,
    version: i64,
    sought: Option<Json<Sought>>,
    first_at: Timestamp,
    last_at: Timestamp,
}

impl From<Row> for (Place, RunRead) {
    fn from(row: Row) -> Self {
        let reading = Reading {
            reader: row.who.0,
            reads: row.reads,
            found: row.found,
            version: row.version,
            sought: row.sought.map(|sought| sought.0),
            first_at: row.first_at,
            last_at: row.last_at,
        };
        // A word of a later version says nothing good.
        let trust = Trust::parse(&row.trust).unwrap_or(Trust::Web);
        (
            Place { last_at: row.last_at, entry: row.entry_id, reader: row.reader },
            RunRead { namespace: row.namespace, key: row.key, trust, reading },
        )
    }
}

/// The entries that the tasks of an agent were given before a place, the last first. A reader is `run:`, the run's id in 36 characters,
/// a slash, and the step.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    agent: AgentId,
    now: Timestamp,
    before: Option<&Place>,
    limit: u32,
) -> Result<Vec<(Place, RunRead)>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select e.namespace, e.key, e.trust, r.entry_id, r.reader, r.who, r.reads, r.found, r.version, r.sought, r.first_at, r.last_at
         from agent_task t
         join memory_reader r on r.run_id = t.run_id and substr(r.reader, 42) = t.step
         join memory_entry e on e.id = r.entry_id
         where t.workspace_id = $1 and t.agent_id = $2 and not t.is_trial and e.workspace_id = $1 and r.who is not null
            and e.deleted_at is null and (e.expires_at is null or e.expires_at > $3)
            and ($4 is null or (r.last_at, r.entry_id, r.reader) < ($4, $5, $6))
         order by r.last_at desc, r.entry_id desc, r.reader desc
         limit $7",
    )
    .bind(workspace)
    .bind(agent)
    .bind(now)
    .bind(before.map(|place| place.last_at))
    .bind(before.map(|place| place.entry))
    .bind(before.map(|place| place.reader.as_str()))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
