//! What a provider says in the head of an answer about how much it still takes. Pure: time is given.
//!
//! Anthropic and OpenAI both tell, for requests and for tokens, what the limit is, what is left of it, and until when all of it is
//! there again: in between it comes back evenly, so that a call waits for its part and not for the whole. Where no limit is told,
//! nothing is known to come back before then.
//!
//! What is told was true when the call was made and is counted down from there by what is sent since the head was read; calls that
//! were on their way meanwhile are not. Where that is too much after all the provider says so (429), and is left in peace.
//!
//! Sources: the pages "Rate limits" of both providers' documentation.

use std::time::Duration;

use crate::model::Timestamp;

/// Anthropic's limits are all by the minute: a reset that is further off is told by another clock.
const ANTHROPIC_LONGEST: Duration = Duration::from_mins(1);
/// The longest that is believed of others; OpenAI has limits by the day.
const LONGEST: Duration = Duration::from_hours(24);

/// What is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// So much.
    pub remaining: i64,
    /// Of so much.
    pub limit: Option<i64>,
    /// Until all of it is there again, from when the call was made.
    pub reset: Duration,
}

/// What a head says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Of calls.
    pub requests: Option<Left>,
    /// Of tokens: the one of several limits of which least is left.
    pub tokens: Option<Left>,
}

/// Reads a head; `asked` is when the call was made.
pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>, asked: Timestamp) -> Told {
    let number = |name: String| header(&name)?.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    let anthropic = |what: &str| {
        let name = |part: &str| format!("anthropic-ratelimit-{what}-{part}");
        let at = Timestamp::parse(header(&name("reset"))?.trim())?;
        let reset = Duration::from_micros(u64::try_from(at.0.saturating_sub(asked.0)).unwrap_or(0));
        Some(left(number(name("remaining"))?, number(name("limit")), reset.min(ANTHROPIC_LONGEST)))
    };
    let open_ai = |what: &str| {
        let name = |part: &str| format!("x-ratelimit-{part}-{what}");
        let reset = span(header(&name("reset"))?.trim())?;
        Some(left(number(name("remaining"))?, number(name("limit")), reset.min(LONGEST)))
    };
    let least = |a: Option<Left>, b: Option<Left>| match (a, b) {
        (Some(a), Some(b)) => Some(if b.remaining < a.remaining { b } else { a }),
        (a, b) => a.or(b),
    };
    Told {
        requests: anthropic("requests").or_else(|| open_ai("requests")),
        tokens: ["tokens", "input-tokens", "output-tokens"]
            .into_iter()
            .map(anthropic)
            .fold(None, least)
            .or_else(|| open_ai("tokens")),
    }
}

fn left(remaining: i64, limit: Option<i64>, reset: Duration) -> Left {
    Left { remaining, limit: limit.filter(|limit| *limit >= remaining && *limit > 0), reset }
}

/// Reads a span such as `6m0s`, `1h2m3.5s`, `12ms` or `20` (seconds).
fn span(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        (total, rest) = (total.checked_add(part)?, after);
    }
    (!text.is_empty()).then_some(total)
}

/// What is left of a limit as time goes on.
#[derive(Debug, Clone, Copy)]
struct Gauge {
    /// What was left, less what was sent since.
    left: i64,
    limit: Option<i64>,
    /// What comes back until `until`.
    gain: i64,
    at: Duration,
    until: Duration,
}

impl Gauge {
    fn new(told: Left, at: Duration) -> Self {
        let gain = told.limit.map_or(0, |limit| limit - told.remaining);
        Self { left: told.remaining, limit: told.limit, gain, at, until: at + told.reset }
    }

    /// How long until `amount` may be sent.
    fn wait(&self, amount: i64, now: Duration) -> Duration {
        let Some(whole) = self.until.checked_sub(now).filter(|whole| !whole.is_zero()) else { return Duration::ZERO };
        // Without the limit an estimate says too little: nothing is held against it but that nothing is left.
        let missing = self.limit.map_or(1, |limit| amount.min(limit)) - self.left;
        if missing <= 0 {
            return Duration::ZERO;
        }
        if self.gain == 0 {
            return whole;
        }
        let span = (self.until.saturating_sub(self.at)).as_micros();
        let at = (u128::from(missing.unsigned_abs()) * span).div_ceil(u128::from(self.gain.unsigned_abs()));
        let at = self.at + Duration::from_micros(u64::try_from(at).unwrap_or(u64::MAX / 2));
        at.saturating_sub(now).min(whole)
    }
}

/// What is left of the limits of one model, as far as its provider tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    requests: Option<Gauge>,
    tokens: Option<Gauge>,
}

impl Gauges {
    /// Takes in what the head of a call says that was made at `at`; of two heads the one of the later call holds.
    pub fn hear(&mut self, told: Told, at: Duration) {
        for (known, told) in [(&mut self.requests, told.requests), (&mut self.tokens, told.tokens)] {
            if let Some(told) = told
                && known.is_none_or(|known| known.at <= at)
            {
                *known = Some(Gauge::new(told, at));
            }
        }
    }

    /// How long until a call of so many tokens may be sent.
    pub fn wait(&self, tokens: u32, now: Duration) -> Duration {
        let of = |gauge: Option<Gauge>, amount| gauge.map_or(Duration::ZERO, |gauge| gauge.wait(amount, now));
        of(self.requests, 1).max(of(self.tokens, i64::from(tokens)))
    }

    /// A call of so many tokens is sent.
    pub fn take(&mut self, tokens: u32) {
        for (gauge, amount) in [(&mut self.requests, 1), (&mut self.tokens, i64::from(tokens))] {
            if let Some(gauge) = gauge {
                gauge.left -= amount;
            }
        }
    }

    /// Whether all of it is there again.
    pub fn is_idle(&self, now: Duration) -> bool {
        [self.requests, self.tokens].iter().flatten().all(|gauge| gauge.until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(pairs: &'static [(&'static str, &'static str)]) -> Told {
        let asked = Timestamp::parse("2026-11-22T08:00:00Z").unwrap();
        read(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value), asked)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn both_providers_heads_are_read() {
        let open_ai = head(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6m0.5s"),
        ]);
        assert_eq!(open_ai.requests, Some(Left { remaining: 59, limit: Some(60), reset: s(1) }));
        let tokens = Left { remaining: 149_984, limit: Some(150_000), reset: Duration::from_millis(360_500) };
        assert_eq!(open_ai.tokens, Some(tokens));
        let anthropic = head(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T08:00:30Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "9000"),
            ("anthropic-ratelimit-input-tokens-reset", "2026-11-22T08:00:10Z"),
            ("anthropic-ratelimit-output-tokens-remaining", "1000"),
            ("anthropic-ratelimit-output-tokens-reset", "2026-11-22T09:00:10Z"),
        ]);
        assert_eq!(anthropic.requests, Some(Left { remaining: 0, limit: Some(50), reset: s(30) }));
        assert_eq!(anthropic.tokens, Some(Left { remaining: 1_000, limit: None, reset: s(60) }));
    }

    #[test]
    fn what_can_not_be_read_says_nothing() {
        for (remaining, reset) in [("-1", "1s"), ("many", "1s"), ("0", "soon"), ("0", ""), ("0", "5 parsecs")] {
            let header = |name: &str| match name {
                "x-ratelimit-remaining-requests" => Some(remaining),
                "x-ratelimit-reset-requests" => Some(reset),
                _ => None,
            };
            assert_eq!(read(header, Timestamp(0)), Told::default(), "{remaining} {reset}");
        }
    }

    #[test]
    fn spans_are_read() {
        let ms = |text| span(text).map(|span| span.as_millis());
        let spans = ["20", "0.5", "12ms", "1m", "1h2m3.5s", "1d"].map(ms);
        assert_eq!(spans, [20_000, 500, 12, 60_000, 3_723_500, 86_400_000].map(Some));
        assert_eq!(["", "s", "1x", "1.2.3s", "nan", "-5", "inf"].map(ms), [None; 7]);
    }

    #[test]
    fn a_call_waits_for_its_part_of_what_comes_back() {
        let mut gauges = Gauges::default();
        let requests = Some(Left { remaining: 0, limit: Some(60), reset: s(60) });
        gauges.hear(Told { requests, tokens: None }, s(100));
        assert_eq!(gauges.wait(0, s(100)), s(1));
        assert_eq!(gauges.wait(0, s(101)), Duration::ZERO);
        gauges.take(0);
        assert_eq!(gauges.wait(0, s(101)), s(1));
        assert_eq!(gauges.wait(0, s(160)), Duration::ZERO);
        assert!(gauges.is_idle(s(160)) && !gauges.is_idle(s(159)));
    }

    #[test]
    fn without_the_limit_it_waits_for_the_reset_and_only_when_nothing_is_left() {
        let mut gauges = Gauges::default();
        let tokens = |remaining| Told { tokens: Some(Left { remaining, limit: None, reset: s(20) }), requests: None };
        gauges.hear(tokens(1), s(0));
        assert_eq!(gauges.wait(5_000, s(0)), Duration::ZERO);
        gauges.hear(tokens(0), s(1));
        assert_eq!(gauges.wait(5_000, s(1)), s(20));
        // An answer to an earlier call comes late, and knows less.
        gauges.hear(tokens(900), s(0));
        assert_eq!(gauges.wait(5_000, s(5)), s(16));
    }
}
