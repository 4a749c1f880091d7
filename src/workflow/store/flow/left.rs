//! What other settings and earlier versions have left behind.

use sqlx::query;

use crate::db::{Db, Result};
use crate::within;

/// Ends the flow control of runs that have ended without it: those that began under settings without a quota, and keys
/// that steps inside of containers kept under an earlier version. Sub-runs that such a version had wait for the quota alone
/// come first in their lanes: it does not count them any more.
pub async fn mend(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query(
        "delete from step_key where exists (select 1 from run r where r.id = step_key.run_id and r.ended_at is not null)",
    )
    .execute(conn)
    .await
    .map(drop))?;
    within!(&mut tx, conn => query(
        "update run_flow set state = 'ended'
         where state in ('waiting', 'held') and run_id in (select id from run where ended_at is not null)",
    )
    .execute(conn)
    .await
    .map(drop))?;
    within!(&mut tx, conn => query(
        "update run_flow set priority = 9
         where state = 'waiting' and lane like 'workflow:%' and priority < 9
             and exists (select 1 from run r where r.id = run_flow.run_id and r.parent_waits)",
    )
    .execute(conn)
    .await
    .map(drop))?;
    tx.commit().await
}
