//! A call from outside: who may call is decided by the token in the path and the signature, not by a sign-in.

use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use super::door::{Door, Doors, OpenSecret};
use super::error::Result;
use super::fire::{self, Attempt};
use super::rate::Rates;
use super::signature::{self, Signed};
use super::store::firing::{self, NewFiring};
use super::store::trigger::TriggerRow;
use super::{Error, manage};
use crate::model::trigger::{Answer, Config, Kind, Outcome, template};
use crate::model::workflow::RunStatus;
use crate::model::{RunId, Timestamp, TriggerKeyId};
use crate::runtime::{Ctx, Runtime};
use crate::workflow::{self, Answered, Hearing, NewRun, Occasion, Source};

/// What the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reception {
    /// The run goes on.
    Accepted(RunId),
    /// The call came before, and this is its run.
    Repeated(RunId),
    /// What the run's `respond` step answered: its output.
    Answered(RunId, Value),
    /// The run ended without an answer.
    Ended(RunId, RunStatus, Value),
}

/// Characters of a caller's id.
const MAX_ID_CHARS: usize = 128;

/// Takes a call: checks it, fires the webhook, and waits for an answer where its settings say so.
///
/// What this process remembers of the webhook is enough for a call that it would let through, because the transaction that
/// starts the run asks again. Whatever else comes of it is decided by the tables.
///
/// # Errors
/// [`Error::NotFound`] for a token that opens nothing, which every other caller can't tell from a webhook that is off;
/// [`Error::NotSigned`], [`Error::Limited`], [`Error::TooLarge`], [`Error::MediaType`]; those of starting a run. Each that
/// a token led to is a firing.
pub async fn receive(runtime: &Runtime, call: Call) -> Result<Reception> {
    let now = runtime.clock.now();
    let digest = manage::digest(&call.token);
    let doors = runtime.shared::<Doors>();
    let mut judge = Judge { runtime, call: &call, now, is_counted: false };
    let mut tried = None;
    if let Some(door) = doors.find(&digest, now)
        && let Ok(granted) = judge.judge(&door)
    {
        if let Some(reception) = fire_at_once(runtime, &door, &granted).await {
            return reception;
        }
        tried = Some((door.trigger.revision, door.version));
    }
    let door = doors.open(runtime, digest, now).await?.ok_or(Error::NotFound("webhook"))?;
    let granted = match judge.judge(&door) {
        Ok(granted) => granted,
        Err(refusal) => return refuse(runtime, &door.trigger, &call, *refusal).await,
    };
    if tried != Some((door.trigger.revision, door.version))
        && let Some(reception) = fire_at_once(runtime, &door, &granted).await
    {
        return reception;
    }
    fire(runtime, &door.trigger, &call, granted).await
}

/// Why a call does not start a run.
#[derive(Debug)]
enum Refusal {
    /// Nobody learns of it.
    NotThere,
    /// A firing tells it.
    Refused(Error, String),
    /// Its inputs can't be filled in: the caller may send it again once the template is mended.
    Failed(NewFiring),
    /// There were too many before it.
    Limited { per_minute: u32, retry_after_ms: u64 },
}

impl Refusal {
    fn of(error: Error) -> Box<Self> {
        let reason = error.to_string();
        Box::new(Self::Refused(error, reason))
    }
}

/// A call that may start a run.
#[derive(Debug)]
struct Granted {
    /// The firing, to be claimed.
    firing: NewFiring,
    answer: Answer,
    /// The secret that it was signed with.
    secret: Option<TriggerKeyId>,
    /// Whether the caller gave it an id.
    has_id: bool,
}

/// Whether a call may start a run.
struct Judge<'a> {
    runtime: &'a Runtime,
    call: &'a Call,
    now: Timestamp,
    /// Whether the rate has counted it.
    is_counted: bool,
}

impl Judge<'_> {
    fn judge(&mut self, door: &Door) -> Result<Granted, Box<Refusal>> {
        let (call, trigger) = (self.call, &door.trigger);
        let Config::Webhook { answer, signed, rate_per_minute: per_minute, call_id } = &trigger.config.0 else {
            return Err(Box::new(Refusal::NotThere));
        };
        let (answer, signed, per_minute) = (*answer, *signed, *per_minute);
        if trigger.workflow_id.to_string() != call.workflow {
            return Err(Box::new(Refusal::NotThere));
        }
        if !self.is_counted {
            let taken = self.runtime.shared::<Rates>().take(trigger.id, per_minute, self.now);
            taken.map_err(|retry_after_ms| Box::new(Refusal::Limited { per_minute, retry_after_ms }))?;
            self.is_counted = true;
        }
        if !trigger.enabled {
            return Err(Box::new(Refusal::Refused(Error::NotFound("webhook"), "the webhook is off".to_owned())));
        }
        let body = call.body.as_ref().ok_or_else(|| Refusal::of(Error::TooLarge))?;
        let secret = if signed { Some(self.verify(door, body)?) } else { None };
        let event = call.event(body).map_err(Refusal::of)?;
        // A signed call is named by what the signature covers: whoever plays it again may change every other header, the query,
        // and by the content type what the body is read as.
        let own = call_id.as_deref().filter(|_| !signed).and_then(|own| template::text(own, &event));
        let (id, from) = own.as_deref().map_or_else(|| (call.id(), "webhook-id"), |own| (own, "call_id"));
        if id.len() > MAX_ID_CHARS || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("expected at most {MAX_ID_CHARS} visible characters");
            return Err(Refusal::of(Error::invalid(from, message)));
        }
        let mut told = call.summary();
        if !id.is_empty() {
            told["id"] = id.into();
        }
        let mut firing = fire::open(self.runtime, trigger, String::new(), &event, told);
        if firing.outcome == Outcome::Failed {
            firing.occasion = None;
            return Err(Box::new(Refusal::Failed(firing)));
        }
        let has_id = !id.is_empty();
        firing.occasion = Some(if has_id { format!("id:{id}") } else { format!("call:{}", firing.id) });
        Ok(Granted { firing, answer, secret, has_id })
    }

    /// The secret that the call was signed with.
    fn verify(&self, door: &Door, body: &[u8]) -> Result<TriggerKeyId, Box<Refusal>> {
        let live: Vec<&OpenSecret> = door.live_secrets(self.now).collect();
        let secrets: Vec<&[u8]> = live.iter().map(|secret| secret.bytes.as_slice()).collect();
        let headers = Signed {
            id: self.call.header("webhook-id"),
            timestamp: self.call.header("webhook-timestamp"),
            signature: self.call.header("webhook-signature"),
        };
        let fits = signature::verify(&secrets, headers, body, self.now);
        fits.map(|number| live[number].id).map_err(|expected| Refusal::of(Error::NotSigned(expected)))
    }
}

/// Writes the firing down and starts its run in one transaction. `None` when it has to go the long way: what is remembered
/// of the webhook is not so any more, its id came before, its run has to be let in or can't be started.
async fn fire_at_once(runtime: &Runtime, door: &Door, granted: &Granted) -> Option<Result<Reception>> {
    let (trigger, firing) = (&door.trigger, &granted.firing);
    let about = firing.occasion.clone()?;
    let version = door.version?;
    let ctx = runtime.system(trigger.workspace_id);
    let run = runtime.ids.fresh();
    // Who listens from before the beginning has nothing to read.
    let hearing = matches!(granted.answer, Answer::Wait { .. }).then(|| Hearing::of_new(runtime, run));
    let source = Source::Version(trigger.workflow_id, None);
    let new = NewRun::new(source, firing.inputs.clone().unwrap_or_default(), Kind::Webhook.of_run());
    // A call without an id does not come again.
    let idempotency_key = granted.has_id.then(|| fire::key(trigger.id, &about));
    let occasion = Occasion {
        id: firing.id,
        trigger: trigger.id,
        revision: trigger.revision,
        token: door.token,
        secret: granted.secret,
        about,
        event: firing.event.to_string(),
        at: firing.at,
    };
    match workflow::start_fired(&ctx, run, version, NewRun { idempotency_key, ..new }, occasion).await {
        Ok(true) => {
            tracing::info!(trigger = %trigger.id, firing = %firing.id, %run, "a trigger started a run");
            fire::tell(runtime, trigger.workspace_id, trigger.id);
            Some(answer(&ctx, granted.answer, run, hearing).await)
        }
        // Where nothing can be written, nothing can be written about it either.
        Err(workflow::Error::Db(error)) if error.is_transient() => Some(Err(error.into())),
        Ok(false) | Err(_) => None,
    }
}

/// Claims the occasion, starts its run, and writes down what came of it, each by itself.
async fn fire(runtime: &Runtime, trigger: &TriggerRow, call: &Call, granted: Granted) -> Result<Reception> {
    let Granted { firing: claimed, answer: answers, has_id, .. } = granted;
    let is_new = fire::record(runtime, &claimed).await?;
    if !is_new {
        return repeat(runtime, trigger, call, &claimed).await;
    }
    let open = fire::to_start(trigger, claimed).expect("it was claimed to be started");
    let settled = match fire::start(runtime, &open).await {
        Attempt::Settled(settled, error) => {
            fire::settle(runtime, &open, &settled).await?;
            error.map_or(Ok(settled.run_id), Err)
        }
        Attempt::Later(error) => {
            // Whoever sends it again has it started under the same id; without one it is told as failed here and now.
            if !has_id {
                let reason = format!("the run could not be started: {}", error.detail());
                let settled = firing::Settled { id: open.id, outcome: Outcome::Failed, reason, run_id: None };
                fire::settle(runtime, &open, &settled).await?;
            }
            Err(error)
        }
    };
    let run = settled.map_err(Error::Start)?.ok_or(Error::NotFound("run"))?;
    answer(&runtime.system(trigger.workspace_id), answers, run, None).await
}

/// A call whose id came before: its run, started now if whoever claimed it has not come to it.
async fn repeat(runtime: &Runtime, trigger: &TriggerRow, call: &Call, claimed: &NewFiring) -> Result<Reception> {
    let occasion = claimed.occasion.as_deref().unwrap_or_default();
    let found = firing::find_occasion(&runtime.db, trigger.id, occasion).await?;
    let (first, open) =
        found.ok_or_else(|| Error::Unavailable("the first call with this id is just being undone".to_owned()))?;
    let run = match &open {
        Some(open) => match fire::start(runtime, open).await {
            Attempt::Settled(settled, error) => {
                fire::settle(runtime, open, &settled).await?;
                error.map_or(Ok(settled.run_id), |error| Err(Error::Start(error)))?
            }
            Attempt::Later(error) => return Err(Error::Start(error)),
        },
        None => first.run_id,
    };
    let id = occasion.strip_prefix("id:").unwrap_or(occasion);
    let reason = format!("the call with the id {id} came before, at {}", first.at);
    let told = fire::told(runtime, trigger, Outcome::Duplicate, reason, call.summary());
    fire::record(runtime, &NewFiring { run_id: run, ..told }).await?;
    run.map(Reception::Repeated).ok_or_else(|| {
        Error::Conflict(format!("the call with this id was {}: {}", first.outcome.as_str(), first.reason))
    })
}

/// What the caller is told of a run that was started.
async fn answer(ctx: &Ctx, answer: Answer, run: RunId, hearing: Option<Hearing>) -> Result<Reception> {
    let Answer::Wait { ms } = answer else { return Ok(Reception::Accepted(run)) };
    let hearing = hearing.unwrap_or_else(|| Hearing::of(ctx.runtime(), run));
    Ok(match workflow::wait_for_answer(ctx, hearing, Duration::from_millis(u64::from(ms))).await? {
        Answered::Step(output) => Reception::Answered(run, output),
        Answered::Ended(status, output) => Reception::Ended(run, status, output),
        Answered::NotYet => Reception::Accepted(run),
    })
}

async fn refuse(runtime: &Runtime, trigger: &TriggerRow, call: &Call, refusal: Refusal) -> Result<Reception> {
    match refusal {
        Refusal::NotThere => Err(Error::NotFound("webhook")),
        Refusal::Failed(firing) => {
            fire::record(runtime, &firing).await?;
            Err(Error::invalid("/inputs", firing.reason))
        }
        Refusal::Limited { per_minute, retry_after_ms } => {
            limited(runtime, trigger, call, per_minute, retry_after_ms).await
        }
        Refusal::Refused(error, reason) => {
            tracing::info!(trigger = %trigger.id, reason, "a webhook's call was refused");
            let told = fire::told(runtime, trigger, Outcome::Refused, reason, call.summary());
            fire::record(runtime, &told).await?;
            Err(error)
        }
    }
}

/// A call too many: one row a minute tells of all.
async fn limited(
    runtime: &Runtime,
    trigger: &TriggerRow,
    call: &Call,
    per_minute: u32,
    retry_after_ms: u64,
) -> Result<Reception> {
    let minute = runtime.clock.now().unix_ms() / 60_000;
    let reason = format!("more than {per_minute} calls in a minute; further ones of this minute are not listed");
    let told = fire::told(runtime, trigger, Outcome::Refused, reason, call.summary());
    fire::record(runtime, &NewFiring { occasion: Some(format!("limited:{minute}")), ..told }).await?;
    Err(Error::Limited { retry_after_ms })
}
