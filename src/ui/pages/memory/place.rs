//! Where the page stands: everything that its URL says.

use leptos_router::params::ParamsMap;

use crate::model::memory::EntryOrder;
use crate::model::{EntryId, Timestamp};

/// The page's state as its URL keeps it, so that a link leads to exactly this view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// What is searched; empty lists everything.
    pub query: String,
    /// The chosen namespace and all below it; empty means all.
    pub namespace: String,
    /// Entries with this tag; empty means all.
    pub tag: String,
    /// Entries whose words came from there, as a label; empty means all.
    pub from: String,
    /// Whether those in quarantine are shown, in place of all others.
    pub is_quarantine: bool,
    /// The moment as of which all is shown; now when none is chosen.
    pub then: Option<Timestamp>,
    /// Entries that a search leaves out.
    pub without: Vec<EntryId>,
    /// In which order the table stands.
    pub order: EntryOrder,
    /// The open entry's namespace.
    pub at: String,
    /// The open entry's key; empty when none is open.
    pub key: String,
}

impl Place {
    /// Reads a URL's query. A link may leave out `at` when the entry stands in the chosen namespace itself.
    pub fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default();
        let namespace = text("ns");
        let at = params.get("at").unwrap_or_else(|| namespace.clone());
        let is_quarantine = text("quarantine") == "1";
        let then = Timestamp::parse(&text("then"));
        let without = text("without").split(',').filter_map(|id| id.parse().ok()).collect();
        // An order that is none is that of every day.
        let order = EntryOrder::parse(&text("sort")).unwrap_or_default();
        Self {
            query: text("q"),
            tag: text("tag"),
            from: text("from"),
            key: text("key"),
            is_quarantine,
            then,
            without,
            order,
            namespace,
            at,
        }
    }

    /// The URL of this view.
    pub fn href(&self) -> String {
        format!("/memory{}", self.params())
    }

    /// The same part of the memory as a timeline.
    pub fn timeline_href(&self) -> String {
        let order = EntryOrder::default();
        let listed = Self { query: String::new(), without: Vec::new(), order, ..self.closing() };
        format!("/memory/timeline{}", listed.params())
    }

    /// The same namespace as a map.
    pub fn map_href(&self) -> String {
        format!("/memory/map{}", Self { namespace: self.namespace.clone(), ..Self::default() }.params())
    }

    fn params(&self) -> String {
        let mut params = ParamsMap::new();
        let at = if self.key.is_empty() || self.at == self.namespace { "" } else { &self.at };
        let quarantine = if self.is_quarantine { "1" } else { "" };
        let then = self.then.map(|then| then.to_string()).unwrap_or_default();
        let without: Vec<String> = self.without.iter().map(ToString::to_string).collect();
        let without = without.join(",");
        let sort = if self.order == EntryOrder::default() { String::new() } else { self.order.text() };
        let parts = [
            ("q", &*self.query),
            ("ns", &self.namespace),
            ("tag", &self.tag),
            ("from", &self.from),
            ("quarantine", quarantine),
            ("then", &then),
            ("without", &without),
            ("sort", &sort),
            ("at", at),
            ("key", &self.key),
        ];
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            params.insert(name, value.to_owned());
        }
        params.to_query_string()
    }

    /// The same view with an entry open.
    pub fn opening(&self, at: &str, key: &str) -> Self {
        Self { at: at.to_owned(), key: key.to_owned(), ..self.clone() }
    }

    /// Whether this entry is the open one.
    pub fn is_open(&self, namespace: &str, key: &str) -> bool {
        self.at == namespace && self.key == key
    }

    /// The same view without an open entry.
    pub fn closing(&self) -> Self {
        Self { at: String::new(), key: String::new(), ..self.clone() }
    }

    /// What is in quarantine, or, from there, everything else; without an open entry.
    pub fn turning_to_quarantine(&self) -> Self {
        Self { query: String::new(), is_quarantine: !self.is_quarantine, ..self.closing() }
    }

    /// What stands in the list, apart from which entry is open.
    pub fn listed(&self) -> Self {
        self.closing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_reads_back_from_its_url() {
        let place = Place {
            query: "pool \"size\" & more".to_owned(),
            namespace: "code".to_owned(),
            tag: "a+b".to_owned(),
            from: "web".to_owned(),
            is_quarantine: true,
            then: Timestamp::parse("2026-11-21T08:31:00Z"),
            without: vec![EntryId(uuid::Uuid::from_u128(1)), EntryId(uuid::Uuid::from_u128(2))],
            order: EntryOrder { by: crate::model::memory::EntrySort::Reads, descending: false },
            at: "code/decisions".to_owned(),
            key: "what, why?".to_owned(),
        };
        let href = place.href();
        let query = href.split_once('?').expect("a query").1;
        let mut params = ParamsMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').expect("a pair");
            params.insert(name.to_owned(), leptos_router::location::Url::unescape(value));
        }
        assert_eq!(Place::read(&params), place);
        assert_eq!(Place::default().href(), "/memory");
        let within = Place { namespace: "code".to_owned(), ..Place::default() };
        assert_eq!(within.opening("code", "k").timeline_href(), "/memory/timeline?ns=code");
    }
}
