//! An answer that comes piece by piece, and what it comes to: kept once, complete or partial.

use std::time::Instant;

use super::dialect::Losses;
use super::health::Permit;
use super::meter::Account;
use super::pieces::Pieces;
use super::redact::Reveal;
use super::tokens::{Counted, Lacks, Later, Tokens};
use crate::cache::Lead;
use crate::model::ProviderId;
use crate::model::cache::{CacheOutcome, CacheUse};
use crate::model::gateway::{
    CallOutcome, Choice, Delta, Dialect, Fault, FaultClass, Fold, Masked, Response, TokensBy, ToldLimits, Usage,
};

/// Where the pieces come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Whom was asked.
    Upstream(Box<Pieces>),
    /// A kept answer.
    Kept(std::vec::IntoIter<Delta>),
}

/// How a stream ended at its provider.
#[derive(Debug)]
pub(super) enum Ended {
    /// Its last piece has come.
    Whole,
    /// It broke off.
    Broken(Fault),
}

impl Source {
    async fn next(&mut self) -> Option<Result<Delta, Fault>> {
        match self {
            Self::Upstream(pieces) => pieces.next().await,
            Self::Kept(pieces) => pieces.next().map(Ok),
        }
    }
}

/// An answer on its way. Dropped before its last piece has come, it is kept as partial.
#[derive(Debug)]
pub struct Live {
    pub(super) told: ToldLimits,
    /// What is lost of it on its way to who asked; `None` where they speak the dialect of who answers.
    pub(super) losses: Option<Losses>,
    pub(super) pieces: Source,
    pub(super) fold: Fold,
    pub(super) permit: Option<Permit>,
    pub(super) account: Option<Account>,
    pub(super) choice: Choice,
    pub(super) provider: ProviderId,
    pub(super) model: String,
    pub(super) dialect: Dialect,
    /// Tokens of the request, by our own count.
    pub(super) reads: Tokens,
    /// What is held of it, to be counted once it has ended or broken off; `None` where nobody here could count it.
    pub(super) later: Option<Box<Later>>,
    /// What was counted of it then.
    pub(super) counted: Counted,
    pub(super) began: Instant,
    pub(super) overhead_ms: f64,
    pub(super) cache: Option<CacheUse>,
    /// With which the answer is kept, once it is whole.
    pub(super) lead: Option<Box<Lead>>,
    /// What was masked before it was asked.
    pub(super) masked: Vec<Masked>,
    /// Puts that back.
    pub(super) reveal: Option<Reveal>,
    /// Why it broke off, to be told after what came before.
    pub(super) broken: Option<Fault>,
    /// How it ended, from the last piece on: it stays so, also where whoever reads it leaves while it is counted.
    pub(super) ended: Option<Ended>,
}

impl Live {
    /// Says that the pieces are handed on and nobody here asks for the whole: it is gathered only where it is kept, so that a
    /// thousand long answers to slow readers take no more memory than short ones.
    pub fn hand_on(&mut self) {
        if self.lead.is_none() && !self.account.as_ref().is_some_and(Account::wants_answer) {
            self.fold.count_only();
        }
    }

    /// Why it is this model.
    pub const fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Who answers, and with which model.
    pub fn answerer(&self) -> (ProviderId, &str) {
        (self.provider, &self.model)
    }

    /// The dialect of who answers.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the cache did; `None` when it was not asked.
    pub const fn cache(&self) -> Option<CacheUse> {
        self.cache
    }

    /// What is lost so far on its way to who asked, in sentences; all of it once the reason of its end has come.
    pub fn lost(&self) -> Vec<String> {
        self.losses.as_ref().map_or_else(Vec::new, Losses::words)
    }

    /// What the provider that answers says of its limits; nothing of a kept answer.
    pub fn told(&self) -> &[(String, String)] {
        &self.told
    }

    /// What was masked before it was asked.
    pub fn masked(&self) -> &[Masked] {
        &self.masked
    }

    /// Whether it is a kept answer, which costs nothing.
    pub fn is_kept(&self) -> bool {
        self.cache.is_some_and(|cache| cache.outcome == CacheOutcome::Hit)
    }

    /// Milliseconds that were spent here and not at a provider, until now that it answers.
    pub const fn overhead_ms(&self) -> f64 {
        self.overhead_ms
    }

    /// The next piece; `None` after the end, or after it broke off.
    ///
    /// # Errors
    /// It broke off. What came before is what there is.
    pub async fn next(&mut self) -> Option<Result<Delta, Fault>> {
        loop {
            if let Some(delta) = self.reveal.as_mut().and_then(Reveal::pop) {
                return Some(Ok(delta));
            }
            if let Some(fault) = self.broken.take() {
                return Some(Err(fault));
            }
            let piece = self.read().await?;
            let Some(reveal) = &mut self.reveal else { return Some(piece) };
            match piece {
                Ok(delta) => reveal.push(delta),
                Err(fault) => {
                    reveal.flush();
                    self.broken = Some(fault);
                }
            }
        }
    }

    /// The next piece as the provider gives it.
    async fn read(&mut self) -> Option<Result<Delta, Fault>> {
        self.account.as_ref()?;
        match self.pieces.next().await? {
            Ok(delta) => {
                self.fold.push(&delta);
                if let Some(later) = &mut self.later {
                    later.see(&delta);
                }
                if let Some(losses) = &mut self.losses {
                    losses.see(&delta);
                }
                if delta == Delta::End {
                    self.ended = Some(Ended::Whole);
                    self.count().await;
                    self.close();
                }
                Some(Ok(delta))
            }
            Err(fault) => {
                self.ended = Some(Ended::Broken(fault.clone()));
                self.count().await;
                self.close();
                Some(Err(fault))
            }
        }
    }

    /// What it took so far: the provider's numbers, else ours; nothing for a kept answer.
    pub fn usage_so_far(&self) -> Usage {
        self.usage().0
    }

    /// The answer that the pieces so far make.
    pub fn finish(mut self) -> Response {
        self.close();
        let mut response = std::mem::take(&mut self.fold).finish();
        if let Some(reveal) = &self.reveal {
            reveal.mask().reveal_response(&mut response);
        }
        response
    }

    /// What it took so far, and whose number that is.
    fn usage(&self) -> (Usage, TokensBy) {
        if self.is_kept() {
            return (Usage::default(), TokensBy::Provider);
        }
        let (mut usage, mut by) = (self.fold.usage(), TokensBy::Provider);
        let lacks = self.lacks();
        if lacks.input {
            let reads = self.counted.input.unwrap_or(self.reads);
            (usage.input, by) = (reads.count, by.max(reads.by));
        }
        if lacks.output {
            let written = self.counted.output.unwrap_or(Tokens::estimated(self.fold.estimated_output()));
            (usage.output, by) = (usage.output.max(written.count), by.max(written.by));
        }
        (usage, by)
    }

    /// What the provider has not told, or may have told too little of.
    fn lacks(&self) -> Lacks {
        let usage = self.fold.usage();
        let is_silent = usage.output == 0 && self.fold.estimated_output() > 0;
        Lacks { input: usage.prompt() == 0, output: !self.fold.is_complete() || is_silent }
    }

    /// Counts what the provider has not told.
    async fn count(&mut self) {
        let lacks = self.lacks();
        let runtime = self.account.as_ref().map(|account| account.runtime().clone());
        if let (Some(later), Some(runtime)) = (&self.later, runtime)
            && (lacks.input || lacks.output)
        {
            self.counted = later.count(&runtime, lacks).await;
        }
        self.later = None;
    }

    /// Keeps it as what it came to; a second time does nothing.
    fn close(&mut self) {
        if self.account.is_none() {
            return;
        }
        let (outcome, fault) = match self.ended.take() {
            Some(Ended::Whole) => (CallOutcome::Complete, None),
            Some(Ended::Broken(fault)) => (CallOutcome::Partial, Some(fault)),
            // Says nothing about the provider.
            None => (CallOutcome::Partial, Some(gone())),
        };
        let fault = fault.as_ref();
        let (usage, by) = self.usage();
        if let Some(mut permit) = self.permit.take() {
            permit.came_to(usage);
            match fault {
                None => permit.succeed(),
                Some(fault) => permit.fail(fault),
            }
        }
        if let Some(lead) = self.lead.take().filter(|_| outcome == CallOutcome::Complete) {
            lead.keep(self.fold.clone().finish(), self.dialect, usage);
        }
        let lost = self.lost();
        if let Some(mut account) = self.account.take() {
            // Whoever asked went away, and nobody waits for the number: it is counted by who writes it down.
            if let Some(later) = self.later.take() {
                account.count_later(later, self.lacks(), self.fold.usage().output);
            }
            account.note(|record| record.choice.lost = lost);
            account.answered(|| self.fold.clone().finish());
            account.settle(outcome, usage, by, fault);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.account.is_some() {
            self.close();
            tracing::debug!(after_ms = self.began.elapsed().as_millis() as u64, "a streamed answer was left");
        }
    }
}

fn gone() -> Fault {
    Fault::new(FaultClass::Cancelled, "whoever asked went away in the middle of the answer")
}
