//! How far a call is at who is asked: told by who makes it, seen by who looks on. And what is left behind there, once it was sent
//! and nobody waits for the answer any more: the provider has read it, may have begun to answer, and will want to be paid.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::queue::Ear;
use super::store::provider::ProviderRow;
use crate::model::ProviderId;
use crate::model::gateway::{CallOutcome, CallRecord, Fault, FaultClass, TokensBy, Usage};
use crate::runtime::outbound::Incoming;

/// A call that was sent. Once nobody waits for its answer any more, it is what is left behind at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    provider_id: ProviderId,
    provider: String,
    model: String,
    /// When it was sent.
    pub sent: Instant,
    /// Milliseconds until it was left.
    took_ms: i64,
    /// Tokens that it was sent to read, by our estimate.
    reads: i64,
    /// What the provider has told of its usage so far.
    told: Usage,
    /// Whether it has begun to answer: the head of its answer says success.
    has_begun: bool,
    /// Why it was left.
    pub why: String,
}

impl Left {
    /// A call that is about to be sent.
    pub fn of(row: &ProviderRow, model: &str, reads: i64, sent: Instant) -> Self {
        Self {
            provider_id: row.id,
            provider: row.name.clone(),
            model: model.to_owned(),
            sent,
            took_ms: 0,
            reads,
            told: Usage::default(),
            has_begun: false,
            why: String::new(),
        }
    }

    /// How it ended: in the middle of its answer, or before.
    pub const fn outcome(&self) -> CallOutcome {
        if self.has_begun { CallOutcome::Partial } else { CallOutcome::Cancelled }
    }

    /// What it took: the provider's numbers where it has told some, else what it was sent to read. What was thought or written by
    /// then nobody tells, so that it is an estimate either way.
    pub const fn usage(&self) -> Usage {
        if self.told.prompt() > 0 { self.told } else { Usage { input: self.reads, ..self.told } }
    }

    /// Says in the log who was asked, how it ended, and what it took.
    pub fn tell(&self, record: &mut CallRecord) {
        record.provider_id = Some(self.provider_id);
        record.provider.clone_from(&self.provider);
        record.model.clone_from(&self.model);
        record.outcome = self.outcome();
        record.usage = self.usage();
        record.estimated = true;
        record.tokens_by = TokensBy::Estimate;
        record.took_ms = self.took_ms;
        record.error = Some(self.why.clone());
    }

    fn leave(mut self, why: &str) -> Self {
        why.clone_into(&mut self.why);
        self.took_ms = self.sent.elapsed().as_millis() as i64;
        self
    }
}

/// How far a call is at who is asked; for those who look on.
#[derive(Debug, Default)]
pub(super) struct Signs {
    sent: OnceLock<Instant>,
    begun: AtomicBool,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    /// The one that is waited for.
    underway: Option<Left>,
    /// Those before it that were left behind; no more than there are attempts.
    left: Vec<Left>,
}

impl Signs {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Each change is one assignment: it is whole whatever panicked.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it was sent first; `None` while it waits for room.
    pub fn sent(&self) -> Option<Instant> {
        self.sent.get().copied()
    }

    /// Whether a whole answer has begun to come. A stream has begun when asking ends.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// It is about to be sent.
    pub fn asks(&self, call: Left) {
        self.sent.get_or_init(|| call.sent);
        self.lock().underway = Some(call);
    }

    /// It has failed. Where the time was up, or the answer had begun and broke off, something is left behind; what was refused
    /// costs nothing.
    pub fn failed(&self, fault: &Fault) {
        let mut calls = self.lock();
        let Some(call) = calls.underway.take() else { return };
        let broke_off = matches!(fault.class, FaultClass::Connect | FaultClass::Interrupted) && call.has_begun;
        let is_late = fault.class == FaultClass::Timeout && fault.status.is_none();
        if broke_off || is_late {
            calls.left.push(call.leave(&fault.message));
        }
    }

    /// Nobody waits for the one that is underway any more; `None` where none is.
    pub fn leave(&self, why: &str) -> Option<Left> {
        Some(self.lock().underway.take()?.leave(why))
    }

    /// What was left behind so far, which is then told.
    pub fn take_left(&self) -> Vec<Left> {
        std::mem::take(&mut self.lock().left)
    }
}

/// How a call goes at its provider, told by who makes it.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// Hears what the provider tells of its limits.
    ear: Ear,
    signs: Arc<Signs>,
}

impl Progress {
    /// For those who look at these.
    pub fn new(ear: Ear, signs: &Arc<Signs>) -> Self {
        Self { ear, signs: Arc::clone(signs) }
    }

    /// The head of an answer is there.
    pub fn heads(&self, answer: &Incoming) {
        self.ear.hear(|name| answer.header(name));
        if let Some(call) = self.signs.lock().underway.as_mut() {
            call.has_begun = (200..300).contains(&answer.status);
        }
    }

    /// That was the head of a whole answer.
    pub fn begins(&self) {
        self.signs.begun.store(true, Ordering::Relaxed);
    }

    /// The provider tells what the call has taken so far.
    pub fn tells(&self, usage: Usage) {
        if let Some(call) = self.signs.lock().underway.as_mut() {
            call.told = call.told.updated(usage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn call() -> Left {
        Left {
            provider_id: ProviderId(Uuid::nil()),
            provider: "acme".to_owned(),
            model: "big".to_owned(),
            sent: Instant::now(),
            took_ms: 0,
            reads: 40,
            told: Usage::default(),
            has_begun: false,
            why: String::new(),
        }
    }

    fn left_by(fault: Fault, has_begun: bool) -> Vec<Left> {
        let signs = Signs::default();
        signs.asks(Left { has_begun, ..call() });
        signs.failed(&fault);
        assert_eq!(signs.leave("gone"), None, "it is not underway any more");
        signs.take_left()
    }

    #[test]
    fn what_was_late_or_broke_off_is_left_behind_and_what_was_refused_is_not() {
        let fault = |class| Fault::new(class, "no");
        let late = left_by(fault(FaultClass::Timeout), false);
        assert_eq!((late.len(), late[0].outcome(), late[0].usage().input), (1, CallOutcome::Cancelled, 40));
        let cut = left_by(fault(FaultClass::Connect), true);
        assert_eq!((cut.len(), cut[0].outcome(), cut[0].why.as_str()), (1, CallOutcome::Partial, "no"));
        assert_eq!(left_by(fault(FaultClass::Connect), false), [], "nobody has answered");
        assert_eq!(left_by(Fault { status: Some(504), ..fault(FaultClass::Timeout) }, false), []);
        for class in [FaultClass::Upstream, FaultClass::RateLimited, FaultClass::Malformed] {
            assert_eq!(left_by(fault(class), true), [], "{class:?}");
        }
    }

    #[test]
    fn the_providers_numbers_count_where_it_has_told_some() {
        let told = Usage { input: 7, cache_read: 900, output: 1, ..Usage::default() };
        assert_eq!(Left { told, ..call() }.usage(), told);
        let told = Usage { output: 3, ..Usage::default() };
        assert_eq!(Left { told, ..call() }.usage(), Usage { input: 40, ..told });
    }

    #[test]
    fn each_is_told_once() {
        let signs = Signs::default();
        signs.asks(call());
        assert_eq!(signs.leave("gone").map(|left| left.why).as_deref(), Some("gone"));
        assert_eq!(signs.leave("gone"), None);
        signs.asks(call());
        signs.failed(&Fault::new(FaultClass::Timeout, "late"));
        assert_eq!((signs.take_left().len(), signs.take_left().len()), (1, 0));
    }
}
