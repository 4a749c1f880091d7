//! The ends of runs that somebody waits for, written in the transaction of the end itself.

use std::sync::OnceLock;

use sqlx::query;

use super::append::{MOST_CHANGES, padded, values};
use crate::db::{Result, Tx};
use crate::model::RunId;
use crate::within;

/// Writes down that runs have ended, as their rows stand, once for each who watches the workflow or the whole workspace.
pub(super) async fn insert(tx: &mut Tx, runs: &[RunId]) -> Result<()> {
    static SQL: [OnceLock<String>; MOST_CHANGES.ilog2() as usize + 1] =
        [const { OnceLock::new() }; MOST_CHANGES.ilog2() as usize + 1];
    for part in runs.chunks(MOST_CHANGES) {
        let power = part.len().next_power_of_two();
        let sql = SQL[power.ilog2() as usize].get_or_init(|| {
            format!(
                "insert into run_ending (run_id, seq, watch_id, workspace_id, status)
                 select r.id, r.last_seq, w.id, r.workspace_id, r.status
                 from {}
                 join run r on r.id = v.column1
                 join run_watch w on w.workspace_id = r.workspace_id
                     and (w.workflow_id is null or w.workflow_id = r.workflow_id)
                 where true
                 on conflict do nothing",
                values(power, 1, 1),
            )
        });
        within!(&mut *tx, conn => {
            let mut insert = query(sql.as_str());
            for run in padded(part) {
                insert = insert.bind(run.copied());
            }
            insert.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}
