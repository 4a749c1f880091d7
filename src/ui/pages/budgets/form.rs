//! The form of a budget as text, and what it means.

use uuid::Uuid;

use crate::model::gateway::{Budget, BudgetDraft, BudgetPeriod, BudgetScope, parse_usd, short_usd};

/// What the controls hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub name: String,
    /// A scope, with `:` and an id for one of it.
    pub whose: String,
    pub monthly: bool,
    /// Dollars.
    pub limit: String,
    pub warn_percent: String,
    pub stops: bool,
}

impl Form {
    /// For a new budget.
    pub fn blank() -> Self {
        Self {
            name: String::new(),
            whose: BudgetScope::Workspace.as_str().to_owned(),
            monthly: true,
            limit: String::new(),
            warn_percent: "80".to_owned(),
            stops: true,
        }
    }

    /// Of a budget that there is.
    pub fn of(budget: &Budget) -> Self {
        Self {
            name: budget.name.clone(),
            whose: whose(budget.scope, budget.of),
            monthly: budget.period != BudgetPeriod::Day,
            limit: short_usd(budget.limit_micros),
            warn_percent: budget.warn_percent.to_string(),
            stops: budget.stops,
        }
    }

    /// Whether each run has it, whenever it runs.
    pub fn is_of_runs(&self) -> bool {
        self.whose == BudgetScope::Run.as_str()
    }

    /// What is sent; what can't be read is sent as what the server refuses by its field.
    pub fn draft(&self) -> BudgetDraft {
        let (scope, of) = self.whose.split_once(':').unwrap_or((&self.whose, ""));
        let scope = BudgetScope::parse(scope).unwrap_or(BudgetScope::Workspace);
        let period = match scope {
            BudgetScope::Run => BudgetPeriod::Run,
            _ if self.monthly => BudgetPeriod::Month,
            _ => BudgetPeriod::Day,
        };
        BudgetDraft {
            name: self.name.trim().to_owned(),
            scope,
            of: Uuid::parse_str(of).ok(),
            period,
            limit_micros: parse_usd(&self.limit).unwrap_or(0),
            warn_percent: self.warn_percent.trim().trim_end_matches('%').trim_end().parse().unwrap_or(0),
            stops: self.stops,
        }
    }
}

/// A choice of whose calls count together.
pub(super) fn whose(scope: BudgetScope, of: Option<Uuid>) -> String {
    of.map_or_else(|| scope.as_str().to_owned(), |of| format!("{}:{of}", scope.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BudgetId, Timestamp};

    #[test]
    fn a_budget_reads_back_as_it_was() {
        let budget = Budget {
            id: BudgetId(Uuid::nil()),
            name: "Ada".into(),
            scope: BudgetScope::User,
            of: Some(Uuid::from_u128(7)),
            period: BudgetPeriod::Day,
            limit_micros: 2_500_000,
            warn_percent: 70,
            stops: false,
            revision: 3,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let form = Form::of(&budget);
        assert_eq!(form.limit, "2.50");
        let draft = form.draft();
        assert_eq!((draft.scope, draft.of, draft.period), (budget.scope, budget.of, budget.period));
        assert_eq!((draft.limit_micros, draft.warn_percent, draft.stops), (2_500_000, 70, false));
    }

    #[test]
    fn what_can_t_be_read_is_left_to_the_server_to_refuse() {
        let form = Form { limit: "a lot".into(), warn_percent: "most".into(), whose: "run".into(), ..Form::blank() };
        let draft = form.draft();
        assert_eq!((draft.limit_micros, draft.warn_percent, draft.period), (0, 0, BudgetPeriod::Run));
    }
}
