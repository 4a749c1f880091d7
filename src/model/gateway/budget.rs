//! Budgets: how much calls may cost, of whom and in which time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::price::short_usd;
use crate::model::{BudgetId, Timestamp};

/// Whose calls count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetScope {
    /// All of the workspace.
    Workspace,
    /// One person's, or each person's on their own; those that a run makes are of who started it.
    User,
    /// One key's, or each key's on its own.
    Key,
    /// Each run's on its own.
    Run,
}

impl BudgetScope {
    /// Every scope, for lists and tests.
    pub const ALL: [Self; 4] = [Self::Workspace, Self::User, Self::Key, Self::Run];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User => "user",
            Self::Key => "key",
            Self::Run => "run",
        }
    }

    /// Reads [`BudgetScope::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// In which time calls count together. Days and months are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// From midnight to midnight.
    Day,
    /// From the first to the first.
    Month,
    /// As long as the run takes; with the scope `run`, and only with that.
    Run,
}

impl BudgetPeriod {
    /// Every period, for lists and tests.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Run];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Run => "run",
        }
    }

    /// Reads [`BudgetPeriod::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// The first and the last day of the period around a moment, as `2026-11-21`; a month ends with a 31st, which sorts after
    /// every day of it. A run's calls may be of any day.
    pub fn days(self, at: Timestamp) -> (String, String) {
        let day: String = at.to_string().chars().take(10).collect();
        match self {
            Self::Day => (day.clone(), day),
            Self::Month => (format!("{}-01", &day[..7]), format!("{}-31", &day[..7])),
            Self::Run => ("0000-01-01".to_owned(), "9999-12-31".to_owned()),
        }
    }

    /// When it begins anew, in words.
    pub const fn ends(self) -> &'static str {
        match self {
            Self::Day => "it begins anew at midnight (UTC)",
            Self::Month => "it begins anew on the first of the next month (UTC)",
            Self::Run => "it holds for the whole run",
        }
    }
}

/// A budget to add or to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetDraft {
    /// 1..=60 characters, unique in the workspace.
    pub name: String,
    /// Whose calls count together.
    pub scope: BudgetScope,
    /// The person or the key, with the scope `user` or `key`; absent for each of them on their own.
    #[serde(default)]
    pub of: Option<Uuid>,
    /// In which time.
    pub period: BudgetPeriod,
    /// Millionths of a US dollar, from 1: $5 are 5000000.
    pub limit_micros: i64,
    /// From how many hundredths of the limit on callers are warned, 1..=100.
    #[serde(default = "BudgetDraft::warn_percent")]
    pub warn_percent: u32,
    /// Whether calls beyond the limit are refused; otherwise they are only warned about.
    #[serde(default = "BudgetDraft::stops")]
    pub stops: bool,
}

impl BudgetDraft {
    /// The largest limit: a billion dollars, so that sums stay far from the ends of an `i64`.
    pub const MAX_MICROS: i64 = 1_000_000_000_000_000;

    const fn warn_percent() -> u32 {
        80
    }

    const fn stops() -> bool {
        true
    }
}

/// A limit of what calls may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// Its id.
    pub id: BudgetId,
    /// Its name.
    pub name: String,
    /// Whose calls count together.
    pub scope: BudgetScope,
    /// The person or the key; absent for all of the scope.
    pub of: Option<Uuid>,
    /// In which time.
    pub period: BudgetPeriod,
    /// Millionths of a US dollar.
    pub limit_micros: i64,
    /// From how many hundredths of the limit on callers are warned.
    pub warn_percent: u32,
    /// Whether calls beyond the limit are refused.
    pub stops: bool,
    /// The value for `If-Match`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Who spends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spender {
    /// The person, the key or the run; the workspace itself for a budget of all.
    pub of: Uuid,
    /// What people read; empty for what has no name, or none any more.
    pub name: String,
    /// Millionths of a US dollar of calls that have ended, in the period.
    pub spent_micros: i64,
    /// How many calls.
    pub calls: i64,
    /// How many of them have no price and count nothing.
    pub unpriced: i64,
}

/// A budget with what is spent of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetState {
    /// The budget.
    pub budget: Budget,
    /// Who spent most in the period now, at most five; of runs, those with calls in the last 24 hours.
    pub spenders: Vec<Spender>,
}

/// What a budget says to a call that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowance {
    /// Nothing.
    Free,
    /// It may be made; this is to be told.
    Warned(String),
    /// It may not.
    Refused(String),
}

impl Budget {
    /// Weighs a call: `spent` by calls that have ended, `underway` by those that have not, `expected` by this one, all in
    /// millionths of a US dollar. A call that would go beyond the limit is one too many; once the limit is reached, any is.
    pub fn weigh(&self, spent: i64, underway: i64, expected: i64) -> Allowance {
        let taken = spent.saturating_add(underway);
        let then = taken.saturating_add(expected);
        let limit = self.limit_micros;
        if self.stops && (taken >= limit || then > limit) {
            let coming = underway.saturating_add(expected);
            return Allowance::Refused(format!(
                "the budget {:?} is used up: ${} of ${} spent and ${} about to be; {}, or an admin raises it",
                self.name,
                short_usd(spent),
                short_usd(limit),
                short_usd(coming),
                self.period.ends(),
            ));
        }
        if i128::from(then) * 100 >= i128::from(limit) * i128::from(self.warn_percent) {
            let percent = i128::from(then) * 100 / i128::from(limit.max(1));
            return Allowance::Warned(format!("{}: {percent} % of ${}", self.name, short_usd(limit)));
        }
        Allowance::Free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(stops: bool) -> Budget {
        Budget {
            id: BudgetId(Uuid::nil()),
            name: "Team".into(),
            scope: BudgetScope::Workspace,
            of: None,
            period: BudgetPeriod::Month,
            limit_micros: 10_000_000,
            warn_percent: 80,
            stops,
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn a_call_that_would_go_beyond_the_limit_is_refused_before_it_is_made() {
        let team = budget(true);
        assert_eq!(team.weigh(0, 0, 1_000), Allowance::Free);
        assert_eq!(team.weigh(7_000_000, 0, 999_999), Allowance::Free);
        assert_eq!(team.weigh(7_000_000, 500_000, 500_000), Allowance::Warned("Team: 80 % of $10.00".into()));
        assert_eq!(team.weigh(9_999_999, 0, 1), Allowance::Warned("Team: 100 % of $10.00".into()));
        assert!(matches!(team.weigh(9_999_999, 0, 2), Allowance::Refused(_)));
        assert!(matches!(team.weigh(5_000_000, 4_000_000, 2_000_000), Allowance::Refused(_)));
        // Once the limit is reached, even a call that is expected to cost nothing is one too many.
        let Allowance::Refused(why) = team.weigh(10_000_000, 0, 0) else { panic!("it is refused") };
        assert_eq!(
            why,
            "the budget \"Team\" is used up: $10.00 of $10.00 spent and $0.00 about to be; it begins anew on the first of \
             the next month (UTC), or an admin raises it"
        );
    }

    #[test]
    fn a_budget_that_stops_nothing_only_warns() {
        assert_eq!(budget(false).weigh(20_000_000, 0, 1), Allowance::Warned("Team: 200 % of $10.00".into()));
        assert_eq!(
            budget(false).weigh(i64::MAX, i64::MAX, i64::MAX),
            Allowance::Warned("Team: 92233720368547 % of $10.00".into())
        );
    }

    #[test]
    fn a_period_has_its_days() {
        let at = Timestamp::parse("2026-02-28T23:59:59Z").unwrap();
        assert_eq!(BudgetPeriod::Day.days(at), ("2026-02-28".into(), "2026-02-28".into()));
        assert_eq!(BudgetPeriod::Month.days(at), ("2026-02-01".into(), "2026-02-31".into()));
    }
}
