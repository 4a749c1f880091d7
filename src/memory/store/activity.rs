//! What was written lately, by namespaces.

use sqlx::query_as;

use crate::db::{Db, Result};
use crate::model::memory::{ACTIVE_DAYS, NamespaceActivity, Reach};
use crate::model::{Timestamp, WorkspaceId};
use crate::read;

type ActivityRow = (String, i64, i64, i64, i64, i64, i64, i64);

/// Versions written since each of seven moments, up to the next, of entries that are there; the first 10,000 namespaces.
pub(in crate::memory) async fn activity(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    since: [Timestamp; ACTIVE_DAYS],
) -> Result<Vec<NamespaceActivity>> {
    const SQL: &str = concat!(
        "select e.namespace,
             count(case when v.at < $3 then 1 end), count(case when v.at >= $3 and v.at < $4 then 1 end),
             count(case when v.at >= $4 and v.at < $5 then 1 end), count(case when v.at >= $5 and v.at < $6 then 1 end),
             count(case when v.at >= $6 and v.at < $7 then 1 end), count(case when v.at >= $7 and v.at < $8 then 1 end),
             count(case when v.at >= $8 then 1 end)
         from memory_entry e join memory_version v on v.entry_id = e.id
         where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null and e.updated_at >= $2
           and v.at >= $2 and v.plain is not null",
        reachable!("$9"),
        "group by e.namespace order by e.namespace limit 10000",
    );
    let rows: Vec<ActivityRow> = read!(db, conn => query_as(SQL)
    .bind(workspace)
    .bind(since[0])
    .bind(since[1])
    .bind(since[2])
    .bind(since[3])
    .bind(since[4])
    .bind(since[5])
    .bind(since[6])
    .bind(reach.readable_paths())
    .fetch_all(conn)
    .await)?;
    let of = |(path, d0, d1, d2, d3, d4, d5, d6): ActivityRow| NamespaceActivity {
        path,
        days: [d0, d1, d2, d3, d4, d5, d6],
    };
    Ok(rows.into_iter().map(of).collect())
}
