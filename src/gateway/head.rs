//! What the head of an answer says of the provider's limits, to be handed on to whoever asked.

use crate::model::gateway::ToldLimits;
use crate::runtime::outbound::Incoming;

/// How the headers begin by which providers tell of their limits.
const LIMIT_HEADERS: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];
/// Such headers that are handed on.
const MOST_LIMITS: usize = 32;
/// Characters of one.
const MAX_LIMIT_CHARS: usize = 100;

/// The headers of an answer that tell of limits, in order; no more than 32, of 100 plain characters each.
pub(super) fn told(answer: &Incoming) -> ToldLimits {
    answer.headers.iter().filter(|(name, value)| tells(name) && fits(value)).take(MOST_LIMITS).cloned().collect()
}

fn tells(name: &str) -> bool {
    LIMIT_HEADERS.iter().any(|start| name.starts_with(start)) || matches!(name, "retry-after" | "retry-after-ms")
}

fn fits(value: &str) -> bool {
    value.len() <= MAX_LIMIT_CHARS && value.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_of_limits_is_handed_on() {
        for name in ["x-ratelimit-remaining-tokens", "anthropic-ratelimit-input-tokens-reset", "retry-after"] {
            assert!(tells(name), "{name}");
        }
        for name in ["set-cookie", "x-request-id", "openai-organization", "content-length"] {
            assert!(!tells(name), "{name}");
        }
        assert!(fits("2026-01-01T00:00:00Z") && fits("6m0s") && !fits("a\tb") && !fits(&"x".repeat(101)));
    }
}
