//! Schedules: the moments that have come, claimed in batches and fired.

use serde_json::json;

use super::error::Result;
use super::store::firing::{self, NewFiring};
use super::store::trigger::TriggerRow;
use super::{Error, fire, store};
use crate::model::Timestamp;
use crate::model::auth::Action;
use crate::model::trigger::cron::Cron;
use crate::model::trigger::missed::{Passed, due};
use crate::model::trigger::zone::next_after;
use crate::model::trigger::{Config, Missed, Outcome, Overlap, Preview};
use crate::runtime::zone::{self, Iana};
use crate::runtime::{Ctx, Runtime};
use crate::workflow;

/// Schedules that are claimed in one transaction.
const BATCH: u32 = 200;

/// Reads a cron expression: in words, and the next five moments in its zone.
///
/// # Errors
/// [`Error::Invalid`], naming `/cron` or `/timezone` and what was expected.
pub fn preview(ctx: &Ctx, cron: &str, timezone: &str) -> Result<Preview> {
    ctx.authorize(Action::ReadWorkflow)?;
    let (cron, zone) = read(cron, timezone, "")?;
    Ok(Preview { reading: cron.describe(), next: zone::next_moments(&cron, &zone, ctx.clock.now()) })
}

/// The names of all zones.
///
/// # Errors
/// [`Error::Denied`].
pub fn list_zones(ctx: &Ctx) -> Result<Vec<String>> {
    ctx.authorize(Action::ReadWorkflow)?;
    Ok(zone::names())
}

/// Reads an expression and its zone; `at` stands before the names of the fields.
pub(super) fn read(cron: &str, timezone: &str, at: &str) -> Result<(Cron, Iana)> {
    zone::read(cron, timezone).map_err(|field| Error::invalid(format!("{at}{}", field.pointer), field.message))
}

/// When a schedule is due next.
pub(super) fn next_at(cron: &str, timezone: &str, now: Timestamp) -> Option<Timestamp> {
    let (cron, zone) = read(cron, timezone, "").ok()?;
    next_after(&cron, &zone, now)
}

/// Fires every schedule that is due, batch by batch.
pub(super) async fn take_due(runtime: &Runtime) -> Result<()> {
    loop {
        let now = runtime.clock.now();
        let due = store::due::list(&runtime.db, now, BATCH).await?;
        let count = due.len();
        let mut plans = Vec::with_capacity(count);
        for trigger in due {
            plans.push(plan(runtime, trigger, now).await?);
        }
        let mut open = Vec::new();
        let mut tx = runtime.db.begin().await?;
        for plan in plans {
            // Another process was faster, or somebody changed the schedule.
            if !store::due::advance(&mut tx, &plan.trigger, plan.next_at).await? {
                continue;
            }
            for firing in plan.firings {
                if firing::insert(&mut tx, &firing).await? {
                    open.extend(fire::to_start(&plan.trigger, firing));
                }
            }
        }
        tx.commit().await?;
        fire::start_all(runtime, open).await?;
        if count < BATCH as usize {
            return Ok(());
        }
    }
}

/// What a schedule that is due comes to.
struct Plan {
    trigger: TriggerRow,
    firings: Vec<NewFiring>,
    next_at: Option<Timestamp>,
}

async fn plan(runtime: &Runtime, trigger: TriggerRow, now: Timestamp) -> Result<Plan> {
    let Config::Schedule { cron, timezone, missed, overlap } = trigger.config.0.clone() else {
        return Ok(Plan { trigger, firings: Vec::new(), next_at: None });
    };
    let (cron, zone) = match read(&cron, &timezone, "") {
        Ok(read) => read,
        Err(error) => {
            // It was read when it was saved: the zone has gone since.
            let reason = format!("the schedule can't be read any more: {error}");
            let firings = vec![fire::told(runtime, &trigger, Outcome::Failed, reason, json!({}))];
            return Ok(Plan { trigger, firings, next_at: None });
        }
    };
    let due = due(&cron, &zone, missed, trigger.next_at.unwrap_or(now), now);
    let mut firings: Vec<NewFiring> =
        due.passed.map(|passed| pass(runtime, &trigger, &zone, missed, passed)).into_iter().collect();
    let mut going = overlap == Overlap::Skip && is_going(runtime, &trigger).await?;
    let last = due.fire.len().saturating_sub(1);
    for (place, at) in due.fire.into_iter().enumerate() {
        let event = json!({"scheduled_for": at, "trigger": trigger.name});
        let mut firing = fire::open(runtime, &trigger, at.to_string(), &event, json!({}));
        firing.scheduled_for = Some(at);
        if due.stands_for > 1 && place == last && firing.outcome == Outcome::Starting {
            firing.reason = format!("stands for {} moments, since the earlier ones were missed", due.stands_for);
        }
        if going {
            "the previous run of this schedule is still going".clone_into(&mut firing.reason);
            firing.outcome = Outcome::Skipped;
            firing.inputs = None;
        }
        going = going || overlap == Overlap::Skip;
        firings.push(firing);
    }
    Ok(Plan { trigger, firings, next_at: due.next_at })
}

/// The row about moments that start nothing.
fn pass(runtime: &Runtime, trigger: &TriggerRow, zone: &Iana, missed: Missed, passed: Passed) -> NewFiring {
    let Passed { first, last, count, exact } = passed;
    let more = if exact { "" } else { "at least " };
    let which = if count == 1 {
        format!("{} was missed", zone.words(first))
    } else {
        format!("{more}{count} moments from {} to {} were missed", zone.words(first), zone.words(last))
    };
    let why = match missed {
        Missed::RunAll => "at most the latest 100 are made up for",
        Missed::Skip | Missed::RunOnce => "missed moments are passed over",
    };
    let mut firing =
        fire::told(runtime, trigger, Outcome::Skipped, format!("{which}; {why}"), json!({"missed": count}));
    firing.scheduled_for = Some(last);
    firing.occasion = Some(format!("passed:{first}:{last}"));
    firing
}

/// Whether the newest run of a trigger has not ended.
async fn is_going(runtime: &Runtime, trigger: &TriggerRow) -> Result<bool> {
    let (run, is_starting) = store::due::last_run(&runtime.db, trigger.id).await?;
    let Some(run) = run.filter(|_| !is_starting) else { return Ok(is_starting) };
    match workflow::get_status(&runtime.system(trigger.workspace_id), run).await {
        Ok(status) => Ok(!status.is_final()),
        // Forgotten, so it ended long ago.
        Err(workflow::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
