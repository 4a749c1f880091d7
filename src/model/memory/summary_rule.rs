//! Rules by which a model summarizes entries: which ones, how often, for how much, what would be done, and what was done.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EntryName, MAX_EMBEDDER_MODEL_CHARS, MAX_SUMMARY_SOURCES};
use crate::model::{FieldError, SummaryRuleId, Timestamp};

/// Rules of a workspace.
pub const MAX_SUMMARY_RULES: usize = 50;
/// Summaries that one firing makes at most.
pub const MAX_FIRING_SUMMARIES: usize = 10;
/// Firings of a rule that are kept.
pub const KEPT_FIRINGS: i64 = 50;
/// The largest budget of a firing: 1,000 dollars.
const MAX_BUDGET_MICROS: i64 = 1_000_000_000;

/// When a model is to summarize entries by itself. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryRuleDraft {
    /// The entries of this namespace and all below it. Those of one group are summarized together, and those of a namespace that
    /// belong to no group; a summary stands in the namespace of its entries.
    pub namespace: String,
    /// Only what was not changed for so many days, 0..=3650.
    #[serde(default)]
    pub older_than_days: u32,
    /// Only where so many entries have no summary yet, 2..=200.
    #[serde(default = "few")]
    pub at_least: u32,
    /// How often it is looked whether there is something to do, 1..=720 hours.
    #[serde(default = "day")]
    pub every_hours: u32,
    /// A route or `provider/model` that has a price; empty means the default route.
    #[serde(default)]
    pub model: String,
    /// Millionths of a US dollar that one firing may cost, 1..=1000000000.
    pub budget_micros: i64,
    /// Whether it does anything by itself.
    #[serde(default)]
    pub enabled: bool,
}

const fn few() -> u32 {
    20
}

const fn day() -> u32 {
    24
}

impl SummaryRuleDraft {
    /// What does not fit, but for the namespace.
    pub fn check(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, expected: String| wrong.push(FieldError::new(field, expected));
        if self.older_than_days > 3650 {
            refuse("/older_than_days", "expected 0 to 3650 days".to_owned());
        }
        if !(2..=MAX_SUMMARY_SOURCES as u32).contains(&self.at_least) {
            refuse("/at_least", format!("expected 2 to {MAX_SUMMARY_SOURCES} entries"));
        }
        if !(1..=720).contains(&self.every_hours) {
            refuse("/every_hours", "expected 1 to 720 hours".to_owned());
        }
        if self.model.chars().count() > MAX_EMBEDDER_MODEL_CHARS || self.model.contains(char::is_control) {
            refuse("/model", format!("expected a line of at most {MAX_EMBEDDER_MODEL_CHARS} characters"));
        }
        if !(1..=MAX_BUDGET_MICROS).contains(&self.budget_micros) {
            refuse("/budget_micros", format!("expected 1 to {MAX_BUDGET_MICROS} millionths of a dollar"));
        }
        wrong
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryRule {
    /// Which one.
    pub id: SummaryRuleId,
    /// What it says.
    pub spec: SummaryRuleDraft,
    /// Who wrote it last: models are asked in their name, with their rights and from their budgets. Absent: the program itself.
    pub made_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it looks next, if it is switched on.
    pub next_at: Timestamp,
    /// What came of it, the last first; at most 10 of the 50 that are kept.
    pub firings: Vec<SummaryFiring>,
}

/// What came of a rule at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryFiring {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: SummaryOutcome,
    /// The summaries that were made.
    pub made: Vec<EntryName>,
    /// Groups that could be summarized and were not; of very many, those that were counted.
    pub left: u32,
    /// What it cost, in millionths of a US dollar.
    pub cost_micros: i64,
    /// Why it did not do all of it, in words; empty when it did.
    pub reason: String,
}

/// How a firing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SummaryOutcome {
    /// There was nothing to summarize.
    Nothing,
    /// Summaries were made; the next firing goes on with what is left.
    Done,
    /// Some or all did not fit into the budget of the firing.
    Budget,
    /// Nobody could be asked, or the rule may not any more.
    Refused,
}

/// What a rule would do now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct SummaryPlan {
    /// The summaries in the order in which they would be made, at most 10.
    pub sets: Vec<SummarySet>,
    /// Groups that the firings after that would go on with; of very many, those that were counted.
    pub left: u32,
    /// Who would be asked, as `provider/model`.
    pub model: Option<String>,
    /// What all of `sets` that fit into the budget would cost at most, in millionths of a US dollar.
    pub cost_micros: i64,
    /// Why nobody would be asked.
    pub refused: Option<String>,
}

/// Entries that would be summarized together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummarySet {
    /// Where they stand, and the summary.
    pub namespace: String,
    /// Their group; absent for those without.
    pub group: Option<String>,
    /// The summary's key.
    pub key: String,
    /// How many they are.
    pub entries: u32,
    /// Characters that would be read.
    pub chars: u64,
    /// What it would cost at most, in millionths of a US dollar; absent when the model has no price.
    pub cost_micros: Option<i64>,
    /// Whether it fits into what the budget has left.
    pub fits: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let draft: SummaryRuleDraft =
            serde_json::from_str(r#"{"namespace": "talks", "budget_micros": 10000}"#).expect("it fits");
        assert_eq!((draft.at_least, draft.every_hours, draft.enabled), (20, 24, false));
        assert_eq!(draft.check(), []);
        let pointers =
            |draft: SummaryRuleDraft| -> Vec<String> { draft.check().into_iter().map(|field| field.pointer).collect() };
        assert_eq!(pointers(SummaryRuleDraft { at_least: 1, ..draft.clone() }), ["/at_least"]);
        assert_eq!(
            pointers(SummaryRuleDraft { every_hours: 0, budget_micros: 0, ..draft.clone() }),
            ["/every_hours", "/budget_micros"]
        );
        assert_eq!(
            pointers(SummaryRuleDraft { older_than_days: 4000, model: "a\nb".to_owned(), ..draft }),
            ["/older_than_days", "/model"]
        );
    }
}
