//! What tokens cost: an editable table whose lines hold from a date on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::response::Usage;
use crate::model::{PriceId, ProviderId, Timestamp};

/// A line of the price table: millionths of a US dollar for a million tokens, from `from` until the next line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// Its id.
    pub id: PriceId,
    /// Whose model.
    pub provider_id: ProviderId,
    /// The model.
    pub model: String,
    /// From when on.
    pub from: Timestamp,
    /// Read and not cached.
    pub input: i64,
    /// Written, thoughts included.
    pub output: i64,
    /// Taken from the provider's cache; as `input` when absent.
    pub cache_read: Option<i64>,
    /// Put into it; as `input` when absent.
    pub cache_write: Option<i64>,
    /// Put into it for an hour; as `cache_write` when absent.
    pub cache_write_hour: Option<i64>,
}

/// A line of the price table to add. A line of the same model and moment is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceDraft {
    /// The model, as the provider lists it.
    pub model: String,
    /// From when on; now when absent.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Millionths of a US dollar for a million tokens read and not cached: $3 are 3000000.
    pub input: i64,
    /// For a million tokens written.
    pub output: i64,
    /// For a million taken from the provider's cache; as `input` when absent.
    #[serde(default)]
    pub cache_read: Option<i64>,
    /// For a million put into it; as `input` when absent.
    #[serde(default)]
    pub cache_write: Option<i64>,
    /// For a million put into it for an hour; as `cache_write` when absent.
    #[serde(default)]
    pub cache_write_hour: Option<i64>,
}

impl PriceDraft {
    /// The most that a million tokens may cost: a hundred thousand dollars, so that sums stay far from the ends of an `i64`.
    pub const MAX: i64 = 100_000_000_000;
}

impl Price {
    /// What a call costs, in millionths of a US dollar, rounded half up once, at the end.
    pub fn cost_micros(&self, usage: Usage) -> i64 {
        let write = self.cache_write.unwrap_or(self.input);
        let lines = [
            (usage.input, self.input),
            (usage.cache_read, self.cache_read.unwrap_or(self.input)),
            (usage.cache_write, write),
            (usage.cache_write_hour, self.cache_write_hour.unwrap_or(write)),
            (usage.output, self.output),
        ];
        let sum: i128 = lines.iter().map(|(tokens, price)| i128::from(*tokens) * i128::from(*price)).sum();
        i64::try_from((sum + 500_000) / 1_000_000).unwrap_or(i64::MAX)
    }
}

/// Millionths of a dollar as dollars with six places, such as `0.001234`.
pub fn format_usd(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// The same without places that say nothing, but for the cents: `5.00`, `0.0012`.
pub fn short_usd(micros: i64) -> String {
    let text = format_usd(micros);
    let kept = text.trim_end_matches('0').len().max(text.len() - 4);
    text[..kept].to_owned()
}

/// Reads dollars such as `5`, `0.25` or `$1,000.50` into millionths; `None` for anything else, for less than a millionth, and
/// for what is below nothing. A comma parts thousands: where it stands elsewhere it may be meant as a point.
pub fn parse_usd(text: &str) -> Option<i64> {
    let bare = text.trim().trim_start_matches('$');
    let (whole, places) = bare.split_once('.').unwrap_or((bare, ""));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) {
            return None;
        }
        digits.push_str(group);
    }
    let is_number = (digits.len() + places.len() > 0) && places.len() <= 6;
    let all_digits = digits.bytes().chain(places.bytes()).all(|b| b.is_ascii_digit());
    if !is_number || !all_digits {
        return None;
    }
    format!("{digits}{places:0<6}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_written_as_short_as_they_are_true() {
        let written = [0, 5_000_000, 1_500_000, 1_234_567, 120].map(short_usd);
        assert_eq!(written, ["0.00", "5.00", "1.50", "1.234567", "0.00012"]);
    }

    #[test]
    fn dollars_are_read_as_people_write_them() {
        for (text, micros) in [
            ("5", 5_000_000),
            ("0.25", 250_000),
            (" $1,000.50 ", 1_000_500_000),
            (".000001", 1),
            ("7.", 7_000_000),
            ("$12,345,678", 12_345_678_000_000),
        ] {
            assert_eq!(parse_usd(text), Some(micros), "{text}");
        }
        for text in [
            "",
            "$",
            ".",
            "-1",
            "1.2.3",
            "1e3",
            "0.0000001",
            "five",
            "1,5",
            "1,0000",
            "1234,567",
            ",5",
            "1,000,",
            "0,25",
            "99999999999999999999",
        ] {
            assert_eq!(parse_usd(text), None, "{text}");
        }
        assert_eq!(parse_usd(&format_usd(1_234_567)), Some(1_234_567));
    }
}
