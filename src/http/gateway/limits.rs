//! What programs are told of limits: the provider's, in its own headers, and ours in those that the program's SDK reads.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::gateway::{Dialect, OwnLimit};

/// Hands on what the provider that answered said of its limits, as it said it: a program that is slower where little is left must
/// know whose limits they are, and their names say so.
pub(super) fn hand_on(headers: &mut HeaderMap, told: &[(String, String)]) {
    for (name, value) in told {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

/// Tells of our own limits, in the words of the dialect.
pub(super) fn tell(headers: &mut HeaderMap, dialect: Dialect, own: &[OwnLimit]) {
    let mut told = Vec::new();
    for OwnLimit { of, limit, remaining, reset_ms, reset_at } in own {
        let of = of.as_str();
        match dialect {
            Dialect::Anthropic => {
                let name = |part: &str| format!("anthropic-ratelimit-{of}-{part}");
                told.push((name("limit"), limit.to_string()));
                told.push((name("remaining"), remaining.to_string()));
                told.push((name("reset"), reset_at.to_string()));
            }
            Dialect::OpenAi | Dialect::Responses => {
                let name = |part: &str| format!("x-ratelimit-{part}-{of}");
                told.push((name("limit"), limit.to_string()));
                told.push((name("remaining"), remaining.to_string()));
                told.push((name("reset"), format!("{reset_ms}ms")));
            }
        }
    }
    hand_on(headers, &told);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::gateway::Limited;

    #[test]
    fn our_own_limits_are_told_in_the_words_of_the_programs_sdk() {
        let own = OwnLimit {
            of: Limited::Requests,
            limit: 60,
            remaining: 0,
            reset_ms: 60_000,
            reset_at: Timestamp::parse("2026-01-01T00:01:00Z").unwrap(),
        };
        let said = |dialect, name: &str| {
            let mut headers = HeaderMap::new();
            tell(&mut headers, dialect, &[own]);
            assert_eq!(headers.len(), 3);
            headers.get(name).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(said(Dialect::OpenAi, "x-ratelimit-limit-requests"), "60");
        assert_eq!(said(Dialect::Responses, "x-ratelimit-remaining-requests"), "0");
        assert_eq!(said(Dialect::OpenAi, "x-ratelimit-reset-requests"), "60000ms");
        assert_eq!(said(Dialect::Anthropic, "anthropic-ratelimit-requests-remaining"), "0");
        let reset = said(Dialect::Anthropic, "anthropic-ratelimit-requests-reset");
        assert_eq!(Timestamp::parse(&reset), Some(own.reset_at));
    }

    #[test]
    fn what_no_header_can_carry_is_left_out() {
        let mut headers = HeaderMap::new();
        let told = [("x-ratelimit-a", "1"), ("x-ratelimit-b", "a\r\nb"), ("bad name", "1")];
        hand_on(&mut headers, &told.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-ratelimit-a"], "1");
    }
}
