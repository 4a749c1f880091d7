//! Operators in the search field: `tag:`, `in:`, `from:`, `by:`, `group:`, `before:` and `after:` narrow a search beside its words. Pure.

use crate::model::memory::{EntryFilter, Search, Trust};
use crate::model::{ApiError, Timestamp};

/// What the operators are for, shown under the field.
pub(super) const HELP: &str =
    "Narrow it with tag:, in:, from:, by:, group:, before: and after:, such as tag:loom before:2026-11-01.";
/// Tags that a search asks for; the server takes no more of an entry.
const MOST_TAGS: usize = 32;

/// What was typed: words, and what narrows them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Typed {
    /// Everything that is no operator.
    pub words: String,
    pub tags: Vec<String>,
    /// A namespace and all below it.
    pub namespace: Option<String>,
    pub trust: Vec<Trust>,
    /// As the server takes it: `user:NAME`, `run:ID`, `cli`.
    pub source: Option<String>,
    pub group: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Operators whose value does not fit, each with what was expected; they narrow nothing.
    pub wrong: Vec<String>,
}

impl Typed {
    /// Reads what was typed. In quotes it is words, whatever it looks like, but for the value of an operator: `tag:"two words"`.
    pub fn read(text: &str) -> Self {
        let mut typed = Self::default();
        let mut words: Vec<&str> = Vec::new();
        for part in parts(text) {
            if !typed.take(part) {
                words.push(part);
            }
        }
        typed.words = words.join(" ");
        typed
    }

    /// Takes a part if it is an operator; one without a value yet is being typed, and narrows nothing.
    fn take(&mut self, part: &str) -> bool {
        let Some((name, value)) = part.split_once(':') else { return false };
        let value = value.trim_matches('"').trim();
        let name = name.to_ascii_lowercase();
        if !matches!(&*name, "tag" | "in" | "from" | "by" | "source" | "group" | "before" | "after") {
            return false;
        }
        if value.is_empty() {
            return true;
        }
        match &*name {
            "tag" if self.tags.len() < MOST_TAGS => self.tags.push(value.to_owned()),
            "tag" => self.wrong.push(format!("tag: expected at most {MOST_TAGS}")),
            "in" => self.namespace = Some(value.trim_matches('/').to_owned()),
            "from" => match Trust::parse(value) {
                Some(trust) => self.trust.push(trust),
                None => self.wrong.push("from: expected user, tool, model or web".to_owned()),
            },
            "by" | "source" => self.source = Some(source_of(value)),
            "group" => self.group = Some(value.to_owned()),
            "before" => self.until = self.moment("before", value),
            _ => self.since = self.moment("after", value),
        }
        true
    }

    /// A day, which begins at midnight in UTC, or a moment.
    fn moment(&mut self, name: &str, value: &str) -> Option<Timestamp> {
        let found = Timestamp::parse(value).or_else(|| Timestamp::parse(&format!("{value}T00:00:00Z")));
        if found.is_none() {
            self.wrong
                .push(format!("{name}: expected a day such as 2026-11-01, or a time such as 2026-11-01T08:30:00Z"));
        }
        found
    }

    /// Narrows a list, where no words are typed.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for what narrows a search alone.
    pub fn narrow_list(self, filter: &mut EntryFilter) -> Result<(), ApiError> {
        let only_searched =
            self.source.is_some() || self.group.is_some() || self.since.is_some() || self.until.is_some();
        let mut tags = self.tags;
        tags.extend((!filter.tag.is_empty()).then(|| filter.tag.clone()));
        tags.sort();
        tags.dedup();
        if only_searched || tags.len() > 1 {
            let expected = "expected a word to search for beside by:, group:, before:, after: and several tags";
            return Err(ApiError::invalid("query", expected));
        }
        filter.tag = tags.pop().unwrap_or_default();
        if let Some(namespace) = self.namespace {
            filter.namespace = within(&filter.namespace, namespace);
        }
        if !self.trust.is_empty() {
            filter.trust = self.trust;
            filter.trust.sort();
            filter.trust.dedup();
        }
        Ok(())
    }

    /// Narrows a search; what the page's chips say is narrowed further, never widened.
    pub fn narrow(self, search: &mut Search) {
        search.tags.extend(self.tags);
        search.tags.sort();
        search.tags.dedup();
        if let Some(namespace) = self.namespace {
            let chosen = search.namespace.take().unwrap_or_default();
            search.namespace = Some(within(&chosen, namespace));
        }
        if !self.trust.is_empty() {
            // A label that the chips leave out stays out: with none in common nothing fits but what was typed last.
            let both: Vec<Trust> = self
                .trust
                .iter()
                .copied()
                .filter(|trust| search.trust.is_empty() || search.trust.contains(trust))
                .collect();
            search.trust = if both.is_empty() { self.trust } else { both };
            search.trust.sort();
            search.trust.dedup();
        }
        search.source = self.source;
        search.group = self.group;
        search.since = self.since;
        search.until = self.until;
    }
}

/// The namespace that was typed: from the top, or, where that is not below the chosen one, within it.
fn within(chosen: &str, typed: String) -> String {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    if chosen.is_empty() || typed.strip_prefix(chosen).is_some_and(is_below) {
        typed
    } else {
        format!("{chosen}/{typed}")
    }
}

/// Who wrote it, as the server takes it: a name alone is a person's.
fn source_of(value: &str) -> String {
    match value {
        "user" | "run" | "import" | "cli" => value.to_owned(),
        "me" | "people" => "user".to_owned(),
        _ if ["user:", "run:", "import:"].iter().any(|kind| value.starts_with(kind)) => value.replace('"', ""),
        name => format!("user:{name}"),
    }
}

/// The parts between spaces; what stands in quotes is one.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted) = (Vec::new(), None, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => {
                quoted = !quoted;
                begin.get_or_insert(at);
            }
            c if c.is_whitespace() && !quoted => parts.extend(begin.take().map(|begin: usize| &text[begin..at])),
            _ => {
                begin.get_or_insert(at);
            }
        }
    }
    parts.extend(begin.map(|begin| &text[begin..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether anything narrows the search.
    fn narrows(typed: &Typed) -> bool {
        *typed != Typed { words: typed.words.clone(), wrong: typed.wrong.clone(), ..Typed::default() }
    }

    #[test]
    fn operators_are_taken_out_of_the_words() {
        let typed = Typed::read("loom tag:red  in:code/decisions by:Mara before:2026-11-02 thread from:web");
        assert_eq!(typed.words, "loom thread");
        assert_eq!((typed.tags.join(","), typed.namespace.as_deref()), ("red".to_owned(), Some("code/decisions")));
        assert_eq!((typed.source.as_deref(), typed.trust.as_slice()), (Some("user:Mara"), [Trust::Web].as_slice()));
        assert_eq!((typed.until, typed.since), (Timestamp::parse("2026-11-02T00:00:00Z"), None));
        assert!(narrows(&typed) && typed.wrong.is_empty());
    }

    #[test]
    fn what_is_quoted_stays_words_and_a_value_may_be() {
        let typed = Typed::read(r#""tag:red is no tag" tag:"two words" http://a.example:80 x:y"#);
        assert_eq!(typed.words, r#""tag:red is no tag" http://a.example:80 x:y"#);
        assert_eq!(typed.tags, ["two words"]);
        let typed = Typed::read("日本 \"open quote tag:a");
        assert_eq!((typed.words.as_str(), narrows(&typed)), ("日本 \"open quote tag:a", false));
    }

    #[test]
    fn what_does_not_fit_is_told_and_narrows_nothing() {
        let typed = Typed::read("before:soon from:moon tag:");
        assert_eq!((typed.wrong.len(), narrows(&typed), typed.words.as_str()), (2, false, ""));
    }

    #[test]
    fn what_is_typed_narrows_what_is_chosen() {
        let mut search = Search { namespace: Some("code".to_owned()), tags: vec!["a".to_owned()], ..Search::text("x") };
        Typed::read("tag:b tag:a in:decisions").narrow(&mut search);
        assert_eq!((search.namespace.as_deref(), search.tags.join(",")), (Some("code/decisions"), "a,b".to_owned()));
        let mut filter = EntryFilter::default();
        assert!(Typed::read("tag:b in:x").narrow_list(&mut filter).is_ok());
        assert_eq!((filter.tag.as_str(), filter.namespace.as_str()), ("b", "x"));
        assert!(Typed::read("before:2026-01-01").narrow_list(&mut filter).is_err());
        assert_eq!(within("code", "code/x".to_owned()), "code/x");
        assert_eq!(within("code", "codes".to_owned()), "code/codes");
        assert_eq!(within("", "x".to_owned()), "x");
    }
}
