//! What part of the calls is looked at: everything that the URL of the page says.

use leptos_router::params::ParamsMap;

use crate::model::dashboard::Period;
use crate::model::gateway::{CallFilter, CallOutcome, SumBy};

/// What usage can be summed by on the page.
pub(super) const SUMS: [SumBy; 7] =
    [SumBy::Model, SumBy::Provider, SumBy::User, SumBy::Agent, SumBy::Key, SumBy::Session, SumBy::Run];

/// A sum as in the URL.
pub(super) const fn by_name(by: SumBy) -> &'static str {
    match by {
        SumBy::Model => "model",
        SumBy::Provider => "provider",
        SumBy::User => "user",
        SumBy::Key => "key",
        SumBy::Agent => "agent",
        SumBy::Session => "session",
        SumBy::Run | SumBy::Step => "run",
    }
}

/// A period as a person reads it.
pub(in crate::ui::pages) const fn period_label(period: Period) -> &'static str {
    match period {
        Period::Day => "24 h",
        Period::Week => "7 days",
        Period::Month => "30 days",
    }
}

/// An outcome as a person reads it.
pub(super) const fn outcome_label(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Complete => "Complete",
        CallOutcome::Partial => "Partial",
        CallOutcome::Failed => "Failed",
        CallOutcome::Cancelled => "Dropped",
    }
}

/// The page's state. An unknown word of the URL counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub period: Period,
    pub by: SumBy,
    pub filter: CallFilter,
}

impl Place {
    /// Reads the query of a URL.
    pub fn read(query: &ParamsMap) -> Self {
        let text = |name: &str| query.get(name).filter(|text| !text.is_empty());
        let by = text("by").and_then(|word| SUMS.into_iter().find(|by| by_name(*by) == word));
        Self {
            period: text("period").and_then(|word| Period::parse(&word)).unwrap_or_default(),
            by: by.unwrap_or_default(),
            filter: CallFilter {
                run_id: text("run").and_then(|id| id.parse().ok()),
                key_id: text("key").and_then(|id| id.parse().ok()),
                agent_id: text("agent").and_then(|id| id.parse().ok()),
                session: text("session"),
                model: text("model"),
                provider: text("provider"),
                outcome: text("outcome").and_then(|word| CallOutcome::parse(&word)),
                since: None,
                until: None,
            },
        }
    }

    /// The path with its query.
    pub fn href(&self) -> String {
        let mut query = ParamsMap::new();
        let mut put = |name: &'static str, value: Option<String>| {
            if let Some(value) = value {
                query.insert(name, value);
            }
        };
        put("period", (self.period != Period::default()).then(|| self.period.as_str().to_owned()));
        put("by", (self.by != SumBy::default()).then(|| by_name(self.by).to_owned()));
        put("run", self.filter.run_id.map(|id| id.to_string()));
        put("key", self.filter.key_id.map(|id| id.to_string()));
        put("agent", self.filter.agent_id.map(|id| id.to_string()));
        put("session", self.filter.session.clone());
        put("model", self.filter.model.clone());
        put("provider", self.filter.provider.clone());
        put("outcome", self.filter.outcome.map(|outcome| outcome.as_str().to_owned()));
        format!("/gateway/calls{}", query.to_query_string())
    }

    /// The same with everything listed.
    pub fn unfiltered(&self) -> Self {
        Self { filter: CallFilter::default(), ..self.clone() }
    }

    /// Whether calls are left out of the list.
    pub fn is_filtered(&self) -> bool {
        self.filter != CallFilter::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &[(&str, &str)]) -> Place {
        let mut map = ParamsMap::new();
        for (name, value) in query {
            map.insert((*name).to_owned(), (*value).to_owned());
        }
        Place::read(&map)
    }

    #[test]
    fn words_that_mean_nothing_are_passed_over() {
        let place = parse(&[("period", "age"), ("by", "moon"), ("outcome", "odd"), ("run", "x"), ("model", "")]);
        assert_eq!(place, Place::default());
        assert_eq!(place.href(), "/gateway/calls");
    }

    #[test]
    fn what_is_asked_for_stands_in_the_address() {
        let place = parse(&[("period", "week"), ("by", "run"), ("outcome", "failed"), ("provider", "acme")]);
        assert_eq!((place.period, place.by), (Period::Week, SumBy::Run));
        assert!(place.is_filtered());
        let href = place.href();
        for part in ["period=week", "by=run", "outcome=failed", "provider=acme"] {
            assert!(href.contains(part), "{href}");
        }
        assert_eq!(place.unfiltered().filter, CallFilter::default());
    }
}
