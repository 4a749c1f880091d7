//! How many calls a provider has, and how many wait for room.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::{Limited, OwnLimit};
use super::provider::Limits;
use crate::model::Timestamp;

/// The calls of a provider, as one process sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueState {
    /// Calls underway.
    pub underway: u32,
    /// Calls that wait for room.
    pub waiting: u32,
    /// Milliseconds that the first of them waits already; 0 when none does.
    pub longest_ms: u64,
    /// Calls that count against `requests_per_minute`; absent without that limit.
    pub requests: Option<u32>,
    /// Tokens that count against `tokens_per_minute`; absent without that limit.
    pub tokens: Option<u32>,
    /// Models of which the provider told that it takes no more for now.
    pub held: Vec<HeldModel>,
}

/// A model of which the provider told that it takes no more for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldModel {
    /// Which.
    pub model: String,
    /// Milliseconds until it takes the next call.
    pub for_ms: u64,
}

/// A call of a step that is not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUp {
    /// The step's path.
    pub step: String,
    /// The name of who is to be asked.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// By what.
    pub by: HeldUpBy,
}

/// What holds a call up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUpBy {
    /// The provider has no room.
    Room {
        /// Calls that are underway there.
        underway: u32,
        /// Calls that wait there, this one among them.
        waiting: u32,
    },
    /// The provider is well again after a failure, and lets in those who waited one after the other.
    Turn,
    /// It has failed, and is tried again later.
    Failure,
}

impl QueueState {
    /// What is left of the limits by the minute that are set.
    pub fn left(&self, limits: Limits, now: Timestamp) -> Vec<OwnLimit> {
        let both = [
            (Limited::Requests, self.requests, limits.requests_per_minute),
            (Limited::Tokens, self.tokens, limits.tokens_per_minute),
        ];
        let left = |(of, used, limit): (Limited, Option<u32>, Option<u32>)| {
            let (used, limit) = (used?, limit?);
            // What was used comes back evenly, all of it within a minute.
            let reset_ms = (u64::from(used) * 60_000).div_ceil(u64::from(limit.max(1)));
            let reset_at = now.plus_ms(reset_ms as i64);
            Some(OwnLimit { of, limit, remaining: limit.saturating_sub(used), reset_ms, reset_at })
        };
        both.into_iter().filter_map(left).collect()
    }

    /// In words, such as "3 underway of 4, 2 waiting, 41 of 60 requests in this minute"; empty when there is nothing to tell.
    pub fn words(&self, limits: Limits) -> String {
        let mut parts = Vec::new();
        match limits.max_concurrent {
            Some(most) => parts.push(format!("{} underway of {most}", self.underway)),
            None if self.underway > 0 || self.waiting > 0 => parts.push(format!("{} underway", self.underway)),
            None => {}
        }
        if self.waiting > 0 {
            parts.push(format!("{} waiting", self.waiting));
        }
        for (used, limit, what) in
            [(self.requests, limits.requests_per_minute, "requests"), (self.tokens, limits.tokens_per_minute, "tokens")]
        {
            if let (Some(used), Some(limit)) = (used, limit) {
                parts.push(format!("{used} of {limit} {what} in this minute"));
            }
        }
        parts.extend(self.held.iter().map(|held| {
            format!("{} takes no more for {} s, says the provider", held.model, held.for_ms.div_ceil(1000))
        }));
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_tell_is_told() {
        let limits = Limits { max_concurrent: Some(4), requests_per_minute: Some(60), ..Limits::default() };
        let state = QueueState { underway: 3, waiting: 2, requests: Some(41), ..QueueState::default() };
        assert_eq!(state.words(limits), "3 underway of 4, 2 waiting, 41 of 60 requests in this minute");
        assert_eq!(QueueState::default().words(Limits::default()), "");
        let held = vec![HeldModel { model: "opus".into(), for_ms: 4_100 }];
        let state = QueueState { underway: 1, held, ..QueueState::default() };
        assert_eq!(state.words(Limits::default()), "1 underway, opus takes no more for 5 s, says the provider");
    }
}
