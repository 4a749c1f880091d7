//! What a workspace wants masked, ready to be looked for.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use regex::{Regex, RegexBuilder};

use super::detect::{Detector, detectors};
use crate::db;
use crate::gateway::store;
use crate::model::WorkspaceId;
use crate::model::gateway::{Keeping, Redaction, RedactionDraft};
use crate::runtime::Ctx;

/// Bytes that a compiled pattern may have; a counted repetition of a large class has megabytes.
const MOST_COMPILED: usize = 1 << 20;

/// Something to mask, at these bytes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Find<'a> {
    pub at: Range<usize>,
    pub what: &'a str,
}

/// What is looked for.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Rules {
    /// What is kept of what was asked and answered.
    pub keep: Keeping,
    usual: Vec<&'static Detector>,
    own: Vec<(String, Regex)>,
}

impl Rules {
    /// Those of a draft that was checked; a pattern that does not compile is left out.
    pub fn new(draft: &RedactionDraft) -> Self {
        let usual = detectors().iter().filter(|detector| draft.kinds.contains(&detector.kind)).collect();
        let own = draft.patterns.iter().filter_map(|own| Some((own.name.clone(), compile(&own.pattern).ok()?)));
        Self { keep: draft.keep, usual, own: own.collect() }
    }

    /// Those that hold in the workspace of whoever asks.
    ///
    /// # Errors
    /// The database's: then it is not known what to mask, and nothing may leave.
    pub async fn of(ctx: &Ctx) -> db::Result<Arc<Self>> {
        let found = store::redaction::find(&ctx.db, ctx.workspace()).await?;
        let compiled: Arc<Compiled> = ctx.shared();
        Ok(compiled.get(ctx.workspace(), &found))
    }

    pub fn is_empty(&self) -> bool {
        self.usual.is_empty() && self.own.is_empty()
    }

    /// Everything in a text, in order and without overlaps: of two that overlap the one that begins first, and of those the
    /// longer one.
    pub(super) fn find<'a>(&'a self, text: &str) -> Vec<Find<'a>> {
        let mut found: Vec<Find<'a>> = Vec::new();
        for detector in &self.usual {
            look(&detector.regex, text, |at| {
                if let Some(length) = (detector.fits)(&text[at.clone()]) {
                    found.push(Find { at: at.start..at.start + length, what: detector.what });
                }
            });
        }
        for (name, regex) in &self.own {
            look(regex, text, |at| {
                if !at.is_empty() {
                    found.push(Find { at, what: name });
                }
            });
        }
        found.sort_by_key(|one| (one.at.start, std::cmp::Reverse(one.at.end)));
        let mut end = 0;
        found.retain(|one| {
            let is_free = one.at.start >= end;
            if is_free {
                end = one.at.end;
            }
            is_free
        });
        found
    }
}

/// The first group of each place that fits, or the whole where there is none.
fn look(regex: &Regex, text: &str, mut found: impl FnMut(Range<usize>)) {
    if regex.captures_len() == 1 {
        return regex.find_iter(text).for_each(|place| found(place.range()));
    }
    for captures in regex.captures_iter(text) {
        if let Some(place) = captures.get(1).or_else(|| captures.get(0)) {
            found(place.range());
        }
    }
}

/// Compiles a pattern of a workspace.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(in crate::gateway) fn compile(pattern: &str) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(pattern).size_limit(MOST_COMPILED).build();
    let regex = compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "expected a smaller pattern: this one has too large repetitions".to_owned(),
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("expected a regular expression: {reason}")
        }
    })?;
    if regex.is_match("") {
        return Err("expected a pattern that finds something: this one fits nothing at all, everywhere".to_owned());
    }
    Ok(regex)
}

/// The rules of each workspace, compiled once for each revision.
#[derive(Debug, Default)]
struct Compiled(Mutex<HashMap<WorkspaceId, (i64, Arc<Rules>)>>);

/// Workspaces whose rules are kept compiled.
const MOST_WORKSPACES: usize = 1_000;

impl Compiled {
    fn get(&self, workspace: WorkspaceId, wanted: &Redaction) -> Arc<Rules> {
        let mut kept = self.0.lock().expect("no code panics while it holds this lock");
        if let Some((own, rules)) = kept.get(&workspace)
            && *own == wanted.revision
        {
            return Arc::clone(rules);
        }
        if kept.len() >= MOST_WORKSPACES {
            kept.clear();
        }
        let rules = Arc::new(Rules::new(&wanted.draft()));
        kept.insert(workspace, (wanted.revision, Arc::clone(&rules)));
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{MaskKind, MaskPattern};

    fn rules(kinds: &[MaskKind], patterns: &[(&str, &str)]) -> Rules {
        let pattern = |(name, pattern): &(&str, &str)| MaskPattern { name: (*name).into(), pattern: (*pattern).into() };
        let patterns = patterns.iter().map(pattern).collect();
        Rules::new(&RedactionDraft { kinds: kinds.to_vec(), patterns, ..RedactionDraft::default() })
    }

    fn found(rules: &Rules, text: &str) -> Vec<(String, String)> {
        rules.find(text).into_iter().map(|one| (one.what.to_owned(), text[one.at].to_owned())).collect()
    }

    #[test]
    fn of_two_that_overlap_the_first_and_longer_is_taken() {
        let rules = rules(&[MaskKind::Email], &[("ticket", "T-[0-9]+"), ("long", "T-[0-9]+ of [a-z]+")]);
        let found = found(&rules, "T-17 of ada@example.org, T-18");
        let expected = [("long", "T-17 of ada"), ("ticket", "T-18")];
        assert_eq!(found, expected.map(|(what, text)| (what.to_owned(), text.to_owned())));
    }

    #[test]
    fn of_a_pattern_with_a_group_the_group_is_masked() {
        let rules = rules(&[], &[("patient", "patient: ([A-Z][a-z]+)")]);
        assert_eq!(found(&rules, "patient: Ada, patient: Grace").len(), 2);
        assert_eq!(found(&rules, "patient: Ada")[0].1, "Ada");
    }

    #[test]
    fn a_pattern_that_can_do_harm_is_refused_with_its_reason() {
        assert!(compile("a*").unwrap_err().contains("fits nothing"));
        assert!(compile("(").unwrap_err().contains("unclosed group"), "{:?}", compile("("));
        assert!(compile(r"\w{1000}{1000}").is_err());
        assert!(compile("[0-9]{3}").is_ok());
    }

    #[test]
    fn nothing_is_looked_for_where_nothing_is_wanted() {
        assert!(rules(&[], &[]).is_empty());
        assert!(!rules(&[MaskKind::Ip], &[]).is_empty());
    }
}
