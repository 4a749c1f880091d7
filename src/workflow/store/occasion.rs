//! What sets a run off from outside, written down with the run: one transaction for both.
//!
//! Whoever was called goes by what it remembers of the trigger. Whether that is still so is asked here, by the very
//! statement that writes the firing down: a trigger that was changed, a key that was taken away and a version that was
//! superseded, in whichever process, leave no row, and the caller reads anew.

use std::collections::HashSet;
use std::sync::OnceLock;

use sqlx::{query, query_scalar};

use super::Change;
use super::append::{self, MOST_CHANGES, padded, values};
use crate::db::{Result, Texts, Tx};
use crate::model::{FiringId, RunId, Timestamp, TriggerId, TriggerKeyId};
use crate::within;

/// A firing that starts its run at once.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// Of the firing.
    pub id: FiringId,
    /// Whose.
    pub trigger: TriggerId,
    /// The trigger's revision, by which it was decided.
    pub revision: i64,
    /// The token that opened it.
    pub token: TriggerKeyId,
    /// The secret that the call was signed with.
    pub secret: Option<TriggerKeyId>,
    /// What it is about; fires once.
    pub about: String,
    /// What the firing shows, as JSON.
    pub event: String,
    /// Now.
    pub at: Timestamp,
}

/// Columns of a firing among the parameters.
const COLUMNS: usize = 10;

/// Inserts new runs, each with the firing that starts it, if it has one. Returns those that are stored.
pub(super) async fn insert_runs(tx: &mut Tx, mut new: Vec<&Change>) -> Result<HashSet<RunId>> {
    let fired: Vec<&Change> = new.iter().copied().filter(|change| occasion_of(change).is_some()).collect();
    if fired.is_empty() {
        return append::insert_runs(tx, &new).await;
    }
    let written = insert(tx, &fired).await?;
    new.retain(|change| occasion_of(change).is_none() || written.contains(&change.run));
    let inserted = append::insert_runs(tx, &new).await?;
    for change in fired.into_iter().filter(|change| written.contains(&change.run) && !inserted.contains(&change.run)) {
        // The run is there already, under its key: the caller finds out what became of it.
        if let Some(occasion) = occasion_of(change) {
            take_back(tx, occasion).await?;
        }
    }
    Ok(inserted)
}

/// The firing that starts a run, if it has one.
pub(super) fn occasion_of(change: &Change) -> Option<&Occasion> {
    change.create.as_ref()?.occasion.as_deref()
}

/// Writes down the firings of new runs as started. Returns the runs that may be: what they go by is as it was, and nothing
/// fired on their occasion before.
async fn insert(tx: &mut Tx, changes: &[&Change]) -> Result<HashSet<RunId>> {
    static SQL: [OnceLock<Texts>; MOST_CHANGES.ilog2() as usize + 1] =
        [const { OnceLock::new() }; MOST_CHANGES.ilog2() as usize + 1];
    let mut written = HashSet::with_capacity(changes.len());
    for part in changes.chunks(MOST_CHANGES) {
        let power = part.len().next_power_of_two();
        let sql = SQL[power.ilog2() as usize].get_or_init(|| Texts::of(text(power)));
        let sql = tx.text(sql);
        let done: Vec<RunId> = within!(&mut *tx, conn => {
            let mut insert = query_scalar(sql);
            for change in padded(part) {
                let create = change.and_then(|change| change.create.as_ref());
                let occasion = create.and_then(|create| create.occasion.as_ref());
                insert = insert
                    .bind(occasion.map(|occasion| occasion.id))
                    .bind(occasion.map(|occasion| occasion.trigger))
                    .bind(occasion.map(|occasion| occasion.revision))
                    .bind(occasion.map(|occasion| occasion.token))
                    .bind(occasion.and_then(|occasion| occasion.secret))
                    .bind(occasion.map(|occasion| occasion.at))
                    .bind(occasion.map(|occasion| occasion.about.as_str()))
                    .bind(occasion.map(|occasion| occasion.event.as_str()))
                    .bind(change.map(|change| change.run))
                    .bind(create.and_then(|create| create.card.version));
            }
            insert.fetch_all(conn).await
        })?;
        written.extend(done);
    }
    Ok(written)
}

fn text(rows: usize) -> String {
    format!(
        "insert into trigger_firing (id, workspace_id, trigger_id, at, occasion, outcome, reason, run_id, depth, event)
         select v.column1, t.workspace_id, t.id, v.column6, v.column7, 'started', '', v.column9, 0, v.column8
         from {}
         join run_trigger t on t.id = v.column2 and t.revision = v.column3
         join workflow w on w.id = t.workflow_id and w.published_version = v.column10
         join trigger_key k on k.id = v.column4 and (k.expires_at is null or k.expires_at > v.column6)
         left join trigger_key s on s.id = v.column5 and (s.expires_at is null or s.expires_at > v.column6)
         where t.enabled and (v.column5 is null or s.id is not null)
         on conflict (trigger_id, occasion) do nothing
         returning run_id",
        values(rows, COLUMNS, 1),
    )
}

/// Takes a firing back whose run was not stored.
async fn take_back(tx: &mut Tx, occasion: &Occasion) -> Result<()> {
    within!(tx, conn => query("delete from trigger_firing where id = $1").bind(occasion.id).execute(conn).await.map(drop))?;
    Ok(())
}
