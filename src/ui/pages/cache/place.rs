//! What of the cache is looked at: everything that the URL of the page says.

use leptos_router::params::ParamsMap;

use crate::model::cache::KeptFilter;
use crate::model::dashboard::Period;

/// Which answers are listed by when they were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Age {
    /// All.
    #[default]
    Any,
    /// Of the last hour.
    Hour,
    /// Of the last day.
    Day,
}

impl Age {
    pub const ALL: [Self; 3] = [Self::Any, Self::Hour, Self::Day];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Any => "Kept at any time",
            Self::Hour => "In the last hour",
            Self::Day => "In the last 24 h",
        }
    }

    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|age| age.as_str() == text).unwrap_or_default()
    }

    /// How many hours back; `None` for any.
    pub const fn hours(self) -> Option<u32> {
        match self {
            Self::Any => None,
            Self::Hour => Some(1),
            Self::Day => Some(24),
        }
    }
}

/// The page's state. An unknown word of the URL counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub period: Period,
    /// A part of the model's name; empty for any.
    pub model: String,
    pub age: Age,
    /// Only those that are called wrong.
    pub wrong: bool,
}

impl Place {
    /// Reads the query of a URL.
    pub fn read(query: &ParamsMap) -> Self {
        let text = |name: &str| query.get(name).unwrap_or_default();
        Self {
            period: Period::parse(&text("period")).unwrap_or_default(),
            model: text("model"),
            age: Age::parse(&text("kept")),
            wrong: text("wrong") == "yes",
        }
    }

    /// The path with its query.
    pub fn href(&self) -> String {
        let mut query = ParamsMap::new();
        let mut put = |name: &'static str, value: &str| {
            if !value.is_empty() {
                query.insert(name, value.to_owned());
            }
        };
        put("period", if self.period == Period::default() { "" } else { self.period.as_str() });
        put("model", &self.model);
        put("kept", self.age.as_str());
        put("wrong", if self.wrong { "yes" } else { "" });
        format!("/gateway/cache{}", query.to_query_string())
    }

    /// What is listed, besides by when it was kept.
    pub fn filter(&self) -> KeptFilter {
        KeptFilter {
            model: Some(self.model.trim().to_owned()).filter(|model| !model.is_empty()),
            wrong: self.wrong.then_some(true),
            ..KeptFilter::default()
        }
    }

    /// Whether answers are left out of the list.
    pub fn is_filtered(&self) -> bool {
        self.wrong || self.age != Age::Any || !self.model.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_at_stands_in_the_address() {
        let place = Place { period: Period::Week, model: "a b".to_owned(), age: Age::Hour, wrong: true };
        let href = place.href();
        for part in ["period=week", "model=a%20b", "kept=hour", "wrong=yes"] {
            assert!(href.contains(part), "{href}");
        }
        assert!(place.is_filtered());
        assert_eq!((place.age.hours(), place.filter().wrong), (Some(1), Some(true)));
        assert_eq!(Place::default().href(), "/gateway/cache");
        assert_eq!(Place::default().filter(), KeptFilter::default());
    }
}
