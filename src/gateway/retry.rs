//! Whether a call that failed is made again, and when. Pure: time and chance are given.
//!
//! A budget keeps retries from becoming a storm: each first attempt earns a tenth of a retry, and a retry must be paid for. When a
//! provider is down, at most a tenth more than the usual load is offered to it.
//!
//! Source: the retry budget of Twitter's Finagle.

use crate::model::gateway::Fault;

/// The first wait.
const FIRST_MS: u64 = 250;
/// The longest wait that nobody asked for.
const LONGEST_MS: u64 = 8_000;
/// The longest wait that a provider may ask of a caller; beyond it the caller is told.
const PATIENCE_MS: u64 = 20_000;
/// With somebody else to ask, so long is waited for the same one at most.
pub(super) const HASTE_MS: u64 = 800;

/// Tenths of retries that may be made.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    tenths: u32,
}

impl Budget {
    const MOST: u32 = 1000;

    /// A first attempt is made.
    pub fn earn(&mut self) {
        self.tenths = (self.tenths + 1).min(Self::MOST);
    }

    /// A retry is wanted; false when there is none left.
    pub fn pay(&mut self) -> bool {
        let paid = self.tenths.checked_sub(10);
        self.tenths = paid.unwrap_or(self.tenths);
        paid.is_some()
    }
}

impl Default for Budget {
    /// Ten retries, so that the first calls of all may be made again too.
    fn default() -> Self {
        Self { tenths: 100 }
    }
}

/// Milliseconds to wait before the attempt after `attempt` (from 1); `None` when another would not help or takes too long.
/// `chance` is 0.0..1.0. `waited_ms` is what was waited for this provider already.
pub fn wait_ms(fault: &Fault, attempt: u32, has_others: bool, waited_ms: u64, chance: f64) -> Option<u64> {
    if !fault.class.may_pass() {
        return None;
    }
    let backoff = (FIRST_MS << attempt.saturating_sub(1).min(10)).min(LONGEST_MS);
    // Between half of it and all of it, so that those who failed together don't come back together.
    let jittered = (backoff as f64 * (0.5 + chance / 2.0)) as u64;
    let wait = fault.retry_after_ms.map_or(jittered, |asked| asked.max(jittered.min(FIRST_MS)));
    (waited_ms + wait <= patience_ms(has_others)).then_some(wait)
}

/// How long a caller waits for one model at most, to be asked again or for their turn.
pub const fn patience_ms(has_others: bool) -> u64 {
    if has_others { HASTE_MS } else { PATIENCE_MS }
}

/// Milliseconds that a `Retry-After` (seconds), or a `retry-after-ms`, asks for; `None` for a date, or anything else.
pub fn asked_ms(header: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let exact = header("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok());
    let seconds = header("retry-after").and_then(|text| text.trim().parse::<f64>().ok());
    let ms = exact.or_else(|| seconds.map(|seconds| seconds * 1000.0))?;
    (ms.is_finite() && ms >= 0.0).then(|| ms.min(86_400_000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::FaultClass;

    fn fault(class: FaultClass, retry_after_ms: Option<u64>) -> Fault {
        Fault { retry_after_ms, ..Fault::new(class, "no") }
    }

    #[test]
    fn waits_grow_and_what_a_provider_asks_for_is_given() {
        let ill = fault(FaultClass::Upstream, None);
        let waits: Vec<_> = (1..=7).map(|attempt| wait_ms(&ill, attempt, false, 0, 0.999).unwrap()).collect();
        assert_eq!(waits, [249, 499, 999, 1999, 3998, 7996, 7996]);
        assert_eq!(wait_ms(&ill, 1, false, 0, 0.0), Some(125));
        assert_eq!(wait_ms(&fault(FaultClass::RateLimited, Some(3000)), 1, false, 0, 0.5), Some(3000));
        assert_eq!(wait_ms(&fault(FaultClass::RateLimited, Some(0)), 1, false, 0, 0.0), Some(125));
    }

    #[test]
    fn nobody_waits_for_what_will_not_pass_or_for_too_long() {
        assert_eq!(wait_ms(&fault(FaultClass::Invalid, None), 1, false, 0, 0.5), None);
        assert_eq!(wait_ms(&fault(FaultClass::Interrupted, None), 1, false, 0, 0.5), None);
        assert_eq!(wait_ms(&fault(FaultClass::RateLimited, Some(21_000)), 1, false, 0, 0.5), None);
        assert_eq!(wait_ms(&fault(FaultClass::RateLimited, Some(1_000)), 1, true, 0, 0.5), None);
        assert_eq!(wait_ms(&fault(FaultClass::Upstream, None), 3, true, 500, 0.9), None);
    }

    #[test]
    fn a_storm_runs_out_of_budget() {
        let mut budget = Budget::default();
        let mut retries = 0;
        for _ in 0..1000 {
            budget.earn();
            retries += u32::from(budget.pay());
        }
        assert!(retries <= 110, "{retries}");
    }

    #[test]
    fn what_a_provider_asks_for_is_read() {
        let of =
            |name: &'static str, value: &'static str| asked_ms(move |asked| (asked == name).then(|| value.to_owned()));
        assert_eq!(of("retry-after", "7"), Some(7000));
        assert_eq!(of("retry-after", "0.25"), Some(250));
        assert_eq!(of("retry-after-ms", "40"), Some(40));
        assert_eq!(of("retry-after", "Sat, 21 Nov 2026 08:00:00 GMT"), None);
        assert_eq!(of("retry-after", "-3"), None);
    }
}
