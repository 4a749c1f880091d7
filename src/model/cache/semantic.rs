//! The semantic tier: answers that are given to questions that say the same in other words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Sharing;
use crate::model::{CacheEntryId, FieldError, SemanticHitId, Timestamp};

/// The smallest and the largest error budget.
pub const ERROR_BUDGETS: (f64, f64) = (0.001, 0.2);

/// What a workspace wants of the semantic tier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SemanticSettings {
    /// Whether answers are given to questions that only mean the same. Needs the workspace's embedder.
    pub enabled: bool,
    /// The share of wrong answers that may be, of all questions for which there was one that means the same; 0.001..=0.2.
    #[schema(minimum = 0.001, maximum = 0.2)]
    pub error_budget: f64,
    /// Of 100 answers that were given so, how many are asked of the model too, to measure how many are wrong; 0..=100.
    #[schema(minimum = 0, maximum = 100)]
    pub shadow_percent: u32,
}

impl Default for SemanticSettings {
    fn default() -> Self {
        Self { enabled: false, error_budget: 0.01, shadow_percent: 5 }
    }
}

impl SemanticSettings {
    /// What does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let (least, most) = ERROR_BUDGETS;
        if !(least..=most).contains(&self.error_budget) {
            faults.push(FieldError::new("/semantic/error_budget", format!("expected {least} to {most}")));
        }
        if self.shadow_percent > 100 {
            faults.push(FieldError::new("/semantic/shadow_percent", "expected 0 to 100"));
        }
        faults
    }
}

/// An answer that was given to a question that only means the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SemanticHit {
    /// Its id.
    pub id: SemanticHitId,
    /// When it was given.
    pub at: Timestamp,
    /// What was given; it may be gone.
    pub entry_id: CacheEntryId,
    /// Who answered then.
    pub provider: String,
    /// The model.
    pub model: String,
    /// To whom it belongs.
    pub sharing: Sharing,
    /// The last words that were asked. Absent where they belong to somebody else, or can't be decrypted.
    pub asked: Option<String>,
    /// Those that the answer was made for; absent as `asked`.
    pub kept: Option<String>,
    /// How like both are: the cosine of their vectors.
    pub similarity: f64,
    /// How likely the answer was taken to be wrong, at most; 0 to 1.
    pub doubt: f64,
    /// Whether the model said the same when it was asked afterwards; absent while it was not.
    pub same: Option<bool>,
    /// When somebody said that the answer is wrong for this question: it is not given to it again.
    pub wrong_at: Option<Timestamp>,
    /// The name of who said so.
    pub wrong_by: Option<String>,
}

/// What the semantic tier did in a span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SemanticReport {
    /// Answers that it gave.
    pub hits: i64,
    /// Questions with one like them, of which the model was asked to learn whether its answer is the same.
    pub explored: i64,
    /// Of those, how often it was.
    pub explored_same: i64,
    /// Answers that were given and that the model was asked for too.
    pub checked: i64,
    /// Of those, how many were wrong.
    pub wrong: i64,
    /// Wrong by checked; absent where nothing was checked.
    pub false_hit_rate: Option<f64>,
    /// The rate is at least this, in 95 of 100 such measurements; 0 where nothing was checked.
    pub false_hit_low: f64,
    /// It is at most this; 1 where nothing was checked.
    pub false_hit_high: f64,
    /// Answers that somebody called wrong.
    pub called_wrong: i64,
}

/// Between what a share lies of which `hits` in `of` were seen, in 95 of 100 cases; 0 to 1 where nothing was.
///
/// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
pub fn wilson(hits: i64, of: i64) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    if of <= 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wide_for_few_and_holds_the_share() {
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        // Wilson's interval for 1 of 10, by hand: 0.018 to 0.404.
        let (low, high) = wilson(1, 10);
        assert!((low - 0.0179).abs() < 1e-3 && (high - 0.4042).abs() < 1e-3, "{low} {high}");
        let (low, high) = wilson(0, 400);
        assert!(low < 1e-9 && high < 0.01, "{low} {high}");
        assert!(wilson(5, 5).1 > 0.999_999);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let of = |error_budget, shadow_percent| {
            let settings = SemanticSettings { enabled: true, error_budget, shadow_percent };
            settings.check().into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert!(of(0.001, 0).is_empty() && of(0.2, 100).is_empty());
        assert_eq!(of(0.0, 5), ["/semantic/error_budget"]);
        assert_eq!(of(f64::NAN, 101), ["/semantic/error_budget", "/semantic/shadow_percent"]);
    }
}
