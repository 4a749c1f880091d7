//! Asking one model of one provider, again and again while that may help.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ask::Ask;
use super::breaker::Admission;
use super::call::clean;
use super::candidates::Candidate;
use super::health::{self, Health, Permit};
use super::providers::endpoint;
use super::store::provider::ProviderRow;
use super::{Error, retry};
use crate::model::gateway::{Choice, Fault, FaultClass, Lack, Tried, Verdict};
use crate::runtime::Ctx;

/// A call while it looks for who answers: what became of each, and how long that took elsewhere.
pub(super) struct Asking<'a> {
    pub ctx: &'a Ctx,
    pub choice: &'a mut Choice,
    /// Spent at providers, and waiting for them.
    pub away: &'a mut Duration,
}

impl Asking<'_> {
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
        let (mut attempts, mut waited) = (0, 0);
        loop {
            let permit = match health::admit(&health, &ctx.clock, key.clone()) {
                Ok(permit) => permit,
                Err(refused) => return Err(self.rests(row, candidate, attempts, refused)),
            };
            let endpoint = match endpoint(ctx, row) {
                Ok(endpoint) => endpoint,
                Err(Error::Fault(fault)) => return Err(self.failed(row, candidate, attempts, fault)),
                Err(error) => return Err(Fault::new(FaultClass::Upstream, error.to_string())),
            };
            attempts += 1;
            if attempts == 1 {
                health.earn(&key, ctx.clock.steady());
            }
            let since = Instant::now();
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
            permit.fail(&fault);
            let wait = retry::wait_ms(&fault, attempts, has_others, waited, ctx.ids.fraction());
            let may_retry = attempts <= row.limits.0.max_retries;
            match wait {
                Some(wait) if may_retry && health.pay(&key, ctx.clock.steady()) => {
                    waited += wait;
                    let since = Instant::now();
                    ctx.clock.sleep_ms(wait as i64).await;
                    *self.away += since.elapsed();
                }
                _ => return Err(self.failed(row, candidate, attempts, fault)),
            }
        }
    }

    fn rests(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, refused: Admission) -> Fault {
        let model = &candidate.model.id;
        let (class, for_ms, why) = match refused {
            Admission::Hold { for_ms } => (FaultClass::RateLimited, for_ms, "has too many calls, and asks to wait"),
            Admission::Rest { for_ms } => (FaultClass::Resting, for_ms, "failed too often, and rests"),
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
        self.choice.tried.push(Tried { provider: row.name.clone(), model, attempts, verdict });
    }
}
