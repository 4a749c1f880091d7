//! What part of the runs is wanted, as a URL.

use leptos_router::params::ParamsMap;

use crate::model::workflow::{RunStatus, RunSummary, TriggerKind};
use crate::model::{Timestamp, WorkflowId};

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Hour,
    Day,
    Week,
    Month,
}

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// As in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hour => "Last hour",
            Self::Day => "Last 24 hours",
            Self::Week => "Last 7 days",
            Self::Month => "Last 30 days",
        }
    }

    /// When it began, seen from `now_ms`.
    pub const fn since(self, now_ms: i64) -> Timestamp {
        const HOUR_MS: i64 = 3_600_000;
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        };
        Timestamp((now_ms - hours * HOUR_MS) * 1000)
    }
}

/// A trigger as a person reads it.
pub const fn trigger_label(trigger: TriggerKind) -> &'static str {
    match trigger {
        TriggerKind::Manual => "Manual",
        TriggerKind::Test => "Test",
        TriggerKind::Cli => "Command line",
        TriggerKind::Workflow => "Workflow",
        TriggerKind::Schedule => "Schedule",
        TriggerKind::Webhook => "Webhook",
        TriggerKind::Event => "Event",
        TriggerKind::Failure => "Failed run",
    }
}

/// The triggers that one can filter by.
pub const TRIGGERS: [TriggerKind; 8] = TriggerKind::ALL;

/// A group of statuses that one presses together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusGroup {
    /// As a person reads it.
    pub label: &'static str,
    /// What it holds.
    pub statuses: &'static [RunStatus],
}

/// What stands in the toolbar.
pub const STATUS_GROUPS: [StatusGroup; 4] = [
    StatusGroup {
        label: "Active",
        statuses: &[RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Paused],
    },
    StatusGroup { label: "Succeeded", statuses: &[RunStatus::Succeeded] },
    StatusGroup { label: "Failed", statuses: &[RunStatus::Failed] },
    StatusGroup { label: "Cancelled", statuses: &[RunStatus::Cancelled] },
];

/// What part of the runs is wanted. An unknown word of the URL counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters {
    /// With one of these; empty means any.
    pub statuses: Vec<RunStatus>,
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// No older than this.
    pub period: Option<Period>,
    /// Set off so.
    pub trigger: Option<TriggerKind>,
    /// A part of the workflow's name; empty means any.
    pub words: String,
}

impl Filters {
    /// Reads the query of a URL.
    pub fn read(query: &ParamsMap) -> Self {
        let statuses = query.get("status").unwrap_or_default();
        let period = query.get("since").unwrap_or_default();
        Self {
            statuses: statuses.split(',').filter_map(RunStatus::parse).collect(),
            workflow: query.get("workflow").and_then(|id| id.parse().ok()),
            period: Period::ALL.into_iter().find(|known| known.as_str() == period),
            trigger: query.get("trigger").and_then(|word| TriggerKind::parse(&word)),
            words: query.get("q").unwrap_or_default(),
        }
    }

    /// The path with its query.
    pub fn href(&self) -> String {
        let mut query = ParamsMap::new();
        if !self.statuses.is_empty() {
            let words: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
            query.insert("status", words.join(","));
        }
        if let Some(workflow) = self.workflow {
            query.insert("workflow", workflow.to_string());
        }
        if let Some(period) = self.period {
            query.insert("since", period.as_str().to_owned());
        }
        if let Some(trigger) = self.trigger {
            query.insert("trigger", trigger.as_str().to_owned());
        }
        if !self.words.is_empty() {
            query.insert("q", self.words.clone());
        }
        format!("/runs{}", query.to_query_string())
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a group is pressed: `Some(true)` wholly, `None` in part.
    pub fn has(&self, group: &StatusGroup) -> Option<bool> {
        let count = group.statuses.iter().filter(|status| self.statuses.contains(status)).count();
        if count == group.statuses.len() { Some(true) } else { (count == 0).then_some(false) }
    }

    /// With a group pressed, or no longer.
    #[must_use]
    pub fn toggled(&self, group: &StatusGroup) -> Self {
        let mut filters = self.clone();
        filters.statuses.retain(|status| !group.statuses.contains(status));
        if self.has(group) != Some(true) {
            filters.statuses.extend(group.statuses);
        }
        filters
    }

    /// Whether a run that is told live belongs here.
    pub fn wants(&self, run: &RunSummary) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && self.workflow.is_none_or(|id| run.workflow_id == Some(id))
            && self.trigger.is_none_or(|trigger| run.trigger == trigger)
            && run.workflow_name.to_lowercase().contains(&self.words.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &[(&str, &str)]) -> Filters {
        let mut map = ParamsMap::new();
        for (key, value) in query {
            map.insert((*key).to_owned(), (*value).to_owned());
        }
        Filters::read(&map)
    }

    #[test]
    fn words_that_mean_nothing_are_passed_over() {
        assert!(parse(&[("status", "lost,"), ("since", "2y"), ("workflow", "x"), ("trigger", "moon")]).is_empty());
    }

    #[test]
    fn a_group_is_pressed_as_one() {
        let some = parse(&[("status", "failed,running")]);
        assert_eq!(some.has(&STATUS_GROUPS[0]), None);
        assert_eq!(some.has(&STATUS_GROUPS[2]), Some(true));
        let all = some.toggled(&STATUS_GROUPS[0]);
        assert_eq!(all.has(&STATUS_GROUPS[0]), Some(true));
        assert_eq!(all.toggled(&STATUS_GROUPS[0]).statuses, [RunStatus::Failed]);
    }

    #[test]
    fn a_period_counts_back_from_now() {
        assert_eq!(Period::Day.since(86_400_000), Timestamp(0));
    }
}
