//! Asking one model of one provider, again and again while that may help.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ask::Ask;
use super::breaker::Admission;
use super::call::clean;
use super::candidates::Candidate;
use super::health::{self, Health, Permit};
use super::held_up::{self, Calls, Guard};
use super::pace::Turn;
use super::providers::endpoint;
use super::queue::{NoRoom, Place, Queues, Want};
use super::retry::HASTE_MS;
use super::signs::{Left, Progress, Signs};
use super::store::provider::ProviderRow;
use super::{Error, retry};
use crate::model::gateway::{CallRecord, Choice, Fault, FaultClass, HeldUpBy, Lack, Tried, Verdict};
use crate::model::{ProviderId, RunId};
use crate::runtime::Ctx;

/// A call while it looks for who answers: what became of each, and how long that took elsewhere.
pub(super) struct Asking<'a> {
    pub ctx: &'a Ctx,
    pub choice: &'a mut Choice,
    /// Spent at providers, and waiting for them.
    pub away: &'a mut Duration,
    /// Milliseconds that the call waited for room at the one that is asked.
    queued: u64,
    signs: Arc<Signs>,
    /// The step that asks, if one does.
    step: Option<(RunId, String)>,
}

impl<'a> Asking<'a> {
    /// A call that has asked nobody yet.
    pub fn new(ctx: &'a Ctx, choice: &'a mut Choice, away: &'a mut Duration) -> Self {
        Self { ctx, choice, away, queued: 0, signs: Arc::default(), step: None }
    }

    /// The call that is kept as this: where a step makes it, it can be told what holds it up.
    #[must_use]
    pub fn of(self, record: Option<&CallRecord>) -> Self {
        let step = record.and_then(|record| Some((record.run_id?, record.step.clone()?)));
        Self { step, ..self }
    }

    /// Tells what holds the call up for as long as what is returned lives, and for how long that is where it is known.
    fn held_up(&self, row: &ProviderRow, candidate: &Candidate, by: HeldUpBy, for_ms: Option<u64>) -> Option<Guard> {
        let (run, step) = self.step.as_ref()?;
        let now = self.ctx.clock.now();
        let mut told = held_up::told(step, (&row.name, &candidate.model.id), now, by);
        told.until = for_ms.map(|ms| now.plus_ms(ms as i64));
        Some(self.ctx.shared::<Calls>().hold(*run, row.id, told))
    }

    /// Somebody looks on while one is asked.
    #[must_use]
    pub fn watched(self, signs: &Arc<Signs>) -> Self {
        Self { signs: Arc::clone(signs), ..self }
    }

    /// Asks one.
    pub async fn ask<A: Ask>(
        &mut self,
        asked: &A,
        row: &ProviderRow,
        candidate: &Candidate,
        has_others: bool,
    ) -> Result<(A::Got, Permit), Fault> {
        let ctx = self.ctx;
        let health: Arc<Health> = ctx.shared();
        let key = (row.id, candidate.model.id.clone());
        self.queued = 0;
        let (mut attempts, mut waited) = (0, 0);
        loop {
            let patience_ms = retry::patience_ms(has_others).saturating_sub(waited);
            match self.in_turn(&health, (row, candidate), patience_ms).await {
                Ok(turn_ms) => waited += turn_ms,
                Err(crowd) => return Err(self.rests(row, candidate, attempts, crowd)),
            }
            // Whom nobody asks nobody waits for; and while a call waited, that may have changed.
            if let Some(refused) = health.refuses(&key, ctx.clock.steady()) {
                return Err(self.rests(row, candidate, attempts, refused));
            }
            let place = match self.room(asked, row, candidate, has_others).await {
                Ok(place) => place,
                Err(no_room) => return Err(self.no_room(row, candidate, attempts, no_room)),
            };
            let ear = place.ear();
            let permit = match health::admit(&health, &ctx.clock, key.clone(), place) {
                Ok(permit) => permit,
                Err(refused) => return Err(self.rests(row, candidate, attempts, refused)),
            };
            let mut endpoint = match endpoint(ctx, row) {
                Ok(endpoint) => endpoint,
                Err(Error::Fault(fault)) => return Err(self.failed(row, candidate, attempts, fault)),
                Err(error) => return Err(Fault::new(FaultClass::Upstream, error.to_string())),
            };
            endpoint.progress = Some(Progress::new(ear, &self.signs));
            attempts += 1;
            if attempts == 1 {
                health.earn(&key, ctx.clock.steady());
            }
            let since = Instant::now();
            self.signs.asks(Left::of(row, &candidate.model.id, asked.reads(), since));
            let got = asked.ask(&ctx.http, &endpoint, &candidate.model).await;
            *self.away += since.elapsed();
            if got.is_ok() {
                permit.took(since.elapsed().as_millis() as u64);
            }
            let fault = match got {
                Ok(got) => {
                    self.tried(row, candidate, attempts, Verdict::Answers);
                    return Ok((got, permit));
                }
                Err(fault) => fault,
            };
            self.signs.failed(&fault);
            permit.fail(&fault);
            let wait = retry::wait_ms(&fault, attempts, has_others, waited, ctx.ids.fraction());
            let may_retry = attempts <= row.limits.0.max_retries;
            match wait {
                Some(wait) if may_retry && health.pay(&key, ctx.clock.steady()) => {
                    waited += wait;
                    let since = Instant::now();
                    let _held_up = self.held_up(row, candidate, HeldUpBy::Failure, Some(wait));
                    ctx.clock.sleep_ms(wait as i64).await;
                    *self.away += since.elapsed();
                }
                _ => return Err(self.failed(row, candidate, attempts, fault)),
            }
        }
    }

    /// Waits until it may be asked for leave, where a crowd is let in; how long, in milliseconds.
    async fn in_turn(
        &mut self,
        health: &Health,
        (row, candidate): (&ProviderRow, &Candidate),
        patience_ms: u64,
    ) -> Result<u64, Admission> {
        let key: (ProviderId, String) = (row.id, candidate.model.id.clone());
        let millis = |wait: Duration| wait.as_micros().div_ceil(1_000) as u64;
        match health.turn(&key, self.ctx.clock.steady(), patience_ms) {
            Turn::Now => Ok(0),
            Turn::After(wait) => Err(Admission::Crowd { for_ms: millis(wait) }),
            Turn::In(wait) => {
                let (since, wait_ms) = (Instant::now(), millis(wait));
                let _held_up = self.held_up(row, candidate, HeldUpBy::Turn, Some(wait_ms));
                self.ctx.clock.sleep_ms(wait_ms as i64).await;
                *self.away += since.elapsed();
                Ok(wait_ms)
            }
        }
    }

    /// Waits for room at the provider, all attempts together no longer than its limits say.
    async fn room<A: Ask>(
        &mut self,
        asked: &A,
        row: &ProviderRow,
        candidate: &Candidate,
        has_others: bool,
    ) -> Result<Place, NoRoom> {
        let (ctx, limits) = (self.ctx, row.limits.0);
        let expected = asked.expected();
        let patience = Duration::from_millis(u64::from(limits.queue_ms).saturating_sub(self.queued));
        let want = Want {
            model: &candidate.model.id,
            tokens: u32::try_from(expected.prompt() + expected.output).unwrap_or(u32::MAX),
            patience,
            // As long as for a retry: nobody has set this limit, and somebody else may have room.
            told_patience: if has_others { patience.min(Duration::from_millis(HASTE_MS)) } else { patience },
        };
        let since = Instant::now();
        let held_up = self.held_up(row, candidate, HeldUpBy::Room { underway: 0, waiting: 0 }, None);
        let entered = ctx.shared::<Queues>().of(row.id, &ctx.clock).enter(limits, want).await;
        drop(held_up);
        let queued = match &entered {
            Ok((_, ms)) | Err(NoRoom::Waited { ms }) => *ms,
            Err(NoRoom::Full { .. } | NoRoom::TooLong { .. }) => 0,
        };
        if queued > 0 {
            *self.away += since.elapsed();
        }
        self.queued += queued;
        entered.map(|(place, _)| place)
    }

    fn no_room(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, no_room: NoRoom) -> Fault {
        let why = no_room.words(row.limits.0.queue_ms);
        let message = format!("{}: no room for a call of {}: {why}", row.name, candidate.model.id);
        self.tried(row, candidate, attempts, Verdict::NoRoom { why });
        let (queues, clock): (Arc<Queues>, _) = (self.ctx.shared(), &self.ctx.clock);
        let own = queues.state(row.id, row.limits.0, clock.steady()).left(row.limits.0, clock.now());
        Fault { retry_after_ms: Some(no_room.retry_after_ms()), own, ..Fault::new(FaultClass::RateLimited, message) }
    }

    fn rests(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, refused: Admission) -> Fault {
        let model = &candidate.model.id;
        let (class, for_ms, why) = match refused {
            Admission::Hold { for_ms } => (FaultClass::RateLimited, for_ms, "has too many calls, and asks to wait"),
            Admission::Rest { for_ms } => (FaultClass::Resting, for_ms, "failed too often, and rests"),
            Admission::Crowd { for_ms } => (FaultClass::Resting, for_ms, "is well again and lets in those who waited,"),
            Admission::Go | Admission::Probe => (FaultClass::Resting, 0, "rests"),
        };
        self.tried(row, candidate, attempts, Verdict::Rests { for_ms });
        let message = format!("{}: {model} {why} for {} s more", row.name, for_ms.div_ceil(1000));
        Fault { retry_after_ms: Some(for_ms), ..Fault::new(class, message) }
    }

    /// Notes that one can't take the call.
    pub fn lacks(&mut self, row: &ProviderRow, candidate: &Candidate, lack: Lack) -> Fault {
        let what = lack.words();
        let message = format!("{}/{} {what}", row.name, candidate.model.id);
        self.tried(row, candidate, 0, Verdict::Lacks { what });
        let class = match lack {
            Lack::Context { .. } | Lack::Window { .. } => FaultClass::TooLarge,
            Lack::Pictures | Lack::Tools => FaultClass::Untranslatable,
        };
        Fault::new(class, message)
    }

    fn failed(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, fault: Fault) -> Fault {
        let message: String = clean(&fault.message).chars().take(500).collect();
        self.tried(row, candidate, attempts, Verdict::Failed { class: fault.class, message });
        fault
    }

    /// Notes what became of one.
    pub fn tried(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, verdict: Verdict) {
        let model = candidate.model.id.clone();
        let waited_ms = self.queued;
        self.choice.tried.push(Tried { provider: row.name.clone(), model, attempts, waited_ms, verdict });
    }
}

#[cfg(test)]
mod tests;
