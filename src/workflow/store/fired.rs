//! Runs that webhooks start, in one go: the firings, the runs with all that they come to at once, and their ends.
//!
//! What such a run says is the same each time, and there are many. On Postgres it is one statement, which is its own
//! transaction, in place of some ten round trips. SQLite has no round trips to save: there the long way of
//! [`super::flush`] was measured to store a third more calls a second than one text of the same, and is taken.

use std::collections::HashSet;
use std::sync::OnceLock;

use sqlx::query_scalar;

use super::append::{
    EVENT_COLUMNS, EVENT_STORED, MOST_CHANGES, RUN, RUN_COLUMNS, Row, bind_event, bind_run, columns, padded, values,
};
use super::flush::Change;
use super::occasion::occasion_of;
use crate::db::{AtOnce, Db, Result};
use crate::model::RunId;

/// Events of one text; a power of two. A call that is answered at once has about seven.
pub const MOST_EVENTS: usize = 512;
/// Numbers up to the largest power of two.
const POWERS: usize = MOST_EVENTS.ilog2() as usize + 1;
/// Columns of a run with its firing among the parameters.
const WIDTH: usize = RUN + 8;

/// Which text: how many runs and how many events, as powers of two.
type Shelf = [[OnceLock<String>; POWERS]; MOST_CHANGES.ilog2() as usize + 1];

/// What a run goes by: the trigger as it was decided by, its keys, the version, and that nothing fired on its occasion.
/// The columns after those of the run are the firing, trigger, revision, token, secret, time, occasion and event.
fn granted() -> String {
    let [_, trigger, revision, token, secret, at, about, _] = firing();
    format!(
        "join run_trigger t on t.id = v.{trigger} and t.revision = v.{revision}
         join workflow w on w.id = t.workflow_id and w.published_version = v.column5
         join trigger_key k on k.id = v.{token} and (k.expires_at is null or k.expires_at > v.{at})
         left join trigger_key s on s.id = v.{secret} and (s.expires_at is null or s.expires_at > v.{at})
         where t.enabled and (v.{secret} is null or s.id is not null)
             and not exists (select 1 from trigger_firing f where f.trigger_id = t.id and f.occasion = v.{about})"
    )
}

/// The names of the columns of a firing.
fn firing() -> [String; 8] {
    std::array::from_fn(|number| format!("column{}", RUN + 1 + number))
}

const FIRING: &str =
    "insert into trigger_firing (id, workspace_id, trigger_id, at, occasion, outcome, reason, run_id, depth, event)";
const ENDING: &str = "insert into run_ending (run_id, seq, watch_id, workspace_id, status)
     select r.id, r.last_seq, w.id, r.workspace_id, r.status";
const WATCHED: &str = "join run_watch w on w.workspace_id = r.workspace_id
     and (w.workflow_id is null or w.workflow_id = r.workflow_id)
     where r.ended_at is not null";

fn text(runs: usize, events: usize) -> &'static str {
    static SHELF: Shelf = [const { [const { OnceLock::new() }; POWERS] }; MOST_CHANGES.ilog2() as usize + 1];
    SHELF[runs.ilog2() as usize][events.ilog2() as usize].get_or_init(|| {
        let (granted, run, event) = (granted(), columns(RUN), columns(EVENT_STORED));
        let fresh = values(runs, WIDTH, 1);
        let appended = values(events, EVENT_STORED, 1 + runs * WIDTH);
        let [id, trigger, _, _, _, at, about, told] = firing();
        format!(
            "with v as materialized (select * from {fresh}),
             stored as (insert into run ({RUN_COLUMNS}) select {run} from v {granted} on conflict do nothing
                 returning id, workspace_id, workflow_id, last_seq, status, ended_at),
             fired as ({FIRING}
                 select v.{id}, r.workspace_id, v.{trigger}, v.{at}, v.{about}, 'started', '', r.id, 0, v.{told}
                 from v join stored r on r.id = v.column1),
             appended as (insert into run_event ({EVENT_COLUMNS}) select {event} from {appended}
                 join stored r on r.id = v.column1),
             ended as ({ENDING} from stored r {WATCHED})
             select id from stored",
        )
    })
}

/// Binds the columns of a firing, or of none in its place.
macro_rules! bind_firing {
    ($query:expr, $change:expr) => {{
        let occasion = $change.and_then(occasion_of);
        $query
            .bind(occasion.map(|occasion| occasion.id))
            .bind(occasion.map(|occasion| occasion.trigger))
            .bind(occasion.map(|occasion| occasion.revision))
            .bind(occasion.map(|occasion| occasion.token))
            .bind(occasion.and_then(|occasion| occasion.secret))
            .bind(occasion.map(|occasion| occasion.at))
            .bind(occasion.map(|occasion| occasion.about.as_str()))
            .bind(occasion.map(|occasion| occasion.event.as_str()))
    }};
}

/// Stores new runs with their firings and events, all without large data, and commits. Returns those that are stored: what
/// they go by is as it was, and neither their occasions nor their idempotency keys were there before. `None`, and nothing
/// done, on SQLite.
///
/// # Errors
/// [`crate::db::Error::Duplicate`] where the same occasion came twice at this very moment: nothing is stored.
pub(super) async fn at_once(db: &Db, changes: &[Change], rows: &[Row<'_>]) -> Result<Option<HashSet<RunId>>> {
    if !db.is_shared() {
        return Ok(None);
    }
    let powers = |count: usize| count.max(1).next_power_of_two();
    let mut at_once = db.at_once().await?;
    let AtOnce::Postgres(conn) = &mut at_once else { return Ok(None) };
    let mut insert = query_scalar(text(powers(changes.len()), powers(rows.len())));
    for change in padded(changes) {
        insert = bind_run!(insert, change);
        insert = bind_firing!(insert, change);
    }
    for row in padded(rows) {
        insert = bind_event!(insert, row.map(|row| changes[row.change].run), row);
    }
    let stored: Vec<RunId> = insert.fetch_all(&mut **conn).await?;
    at_once.done();
    Ok(Some(stored.into_iter().collect()))
}
