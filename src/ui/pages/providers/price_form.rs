//! The form of a price as text, and what it means: dollars are typed, millionths are sent.

use crate::model::gateway::{Price, PriceDraft, parse_usd};
use crate::model::{ApiError, FieldError, Timestamp};

/// What the controls hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Form {
    pub model: String,
    /// Dollars for a million tokens, as typed.
    pub input: String,
    pub output: String,
    pub cache_read: String,
    pub cache_write: String,
    pub cache_write_hour: String,
    /// `2027-01-31`; empty for now.
    pub from: String,
}

impl Form {
    /// For a model.
    pub fn of(model: &str) -> Self {
        Self { model: model.to_owned(), ..Self::default() }
    }

    /// Of the line that holds, as a beginning for the next.
    pub fn like(price: &Price) -> Self {
        let optional = |micros: Option<i64>| micros.map(amount).unwrap_or_default();
        Self {
            model: price.model.clone(),
            input: amount(price.input),
            output: amount(price.output),
            cache_read: optional(price.cache_read),
            cache_write: optional(price.cache_write),
            cache_write_hour: optional(price.cache_write_hour),
            from: String::new(),
        }
    }

    /// What is sent. `offset_min` is the lead over UTC where the person is.
    ///
    /// # Errors
    /// Every field that is no amount, by its pointer.
    pub fn draft(&self, offset_min: impl Fn(i64) -> i32) -> Result<PriceDraft, ApiError> {
        let mut wrong = Vec::new();
        let mut read = |name: &str, text: &str, needed: bool| match (micros(text), text.trim().is_empty()) {
            (Some(micros), _) => Some(micros),
            (None, true) if !needed => None,
            (None, _) => {
                wrong.push(FieldError::new(format!("/{name}"), "expected dollars such as 3 or 0.075, at most 100000"));
                None
            }
        };
        let (input, output) = (read("input", &self.input, true), read("output", &self.output, true));
        let cache_read = read("cache_read", &self.cache_read, false);
        let cache_write = read("cache_write", &self.cache_write, false);
        let cache_write_hour = read("cache_write_hour", &self.cache_write_hour, false);
        let from =
            if self.from.is_empty() { Ok(None) } else { start_of_day(&self.from, offset_min).map(Some).ok_or(()) };
        if from.is_err() {
            wrong.push(FieldError::new("/from", "expected a day"));
        }
        match (input, output, from) {
            (Some(input), Some(output), Ok(from)) if wrong.is_empty() => Ok(PriceDraft {
                model: self.model.trim().to_owned(),
                from,
                input,
                output,
                cache_read,
                cache_write,
                cache_write_hour,
            }),
            _ => Err(ApiError::Invalid { detail: "a price does not fit".to_owned(), fields: wrong }),
        }
    }
}

/// Dollars as millionths, as far as a price may go. A comma is none of ours: to some it parts thousands, to others cents.
fn micros(text: &str) -> Option<i64> {
    parse_usd(text).filter(|_| !text.contains(',')).filter(|micros| *micros <= PriceDraft::MAX)
}

/// The first moment of a day where the person is.
fn start_of_day(date: &str, offset_min: impl Fn(i64) -> i32) -> Option<Timestamp> {
    let utc = Timestamp::parse(&format!("{date}T00:00:00Z"))?;
    Some(utc.plus_ms(-i64::from(offset_min(utc.unix_ms())) * 60_000))
}

/// Millionths for a million tokens as one reads a price: "$3", "$0.075".
pub(super) fn rate(micros: i64) -> String {
    format!("${}", amount(micros))
}

/// The same as it is typed: "3", "0.075".
fn amount(micros: i64) -> String {
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    if part == 0 {
        return whole.to_string();
    }
    let part = format!("{part:06}");
    let part = part.trim_end_matches('0');
    // Cents have two places.
    format!("{whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_become_millionths_exactly() {
        for (text, expected) in [
            ("3", Some(3_000_000)),
            ("0.075", Some(75_000)),
            (" $15.00 ", Some(15_000_000)),
            (".5", Some(500_000)),
            ("0.000001", Some(1)),
            ("100000", Some(PriceDraft::MAX)),
            ("100000.01", None),
            ("0.0000001", None),
            ("-1", None),
            ("1,5", None),
            ("", None),
            (".", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }

    #[test]
    fn a_rate_reads_as_it_was_typed() {
        for (micros, expected) in
            [(3_000_000, "$3"), (75_000, "$0.075"), (1_500_000, "$1.50"), (1, "$0.000001"), (0, "$0")]
        {
            assert_eq!(rate(micros), expected);
        }
    }

    #[test]
    fn every_field_that_is_no_amount_is_named() {
        let form =
            Form { input: "much".to_owned(), cache_read: "x".to_owned(), from: "soon".to_owned(), ..Form::of("big") };
        let error = form.draft(|_| 0).unwrap_err();
        for pointer in ["/input", "/output", "/cache_read", "/from"] {
            assert!(error.field(pointer).is_some(), "{pointer}");
        }
        assert!(error.field("/cache_write").is_none());
    }

    #[test]
    fn a_price_holds_from_the_morning_where_the_person_is() {
        let form =
            Form { input: "3".to_owned(), output: "15".to_owned(), from: "2027-01-31".to_owned(), ..Form::of("big") };
        let draft = form.draft(|_| 60).unwrap();
        assert_eq!(draft.from.unwrap().to_string(), "2027-01-30T23:00:00Z");
        assert_eq!((draft.input, draft.output, draft.cache_read), (3_000_000, 15_000_000, None));
    }
}
