//! The rules that findings are named after, and the bounded list that they are collected in.

use std::collections::BTreeMap;

use crate::model::analysis::{Finding, Severity, SeverityCounts};

use super::source::{Source, presentable};

/// A named rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    pub severity: Severity,
}

const fn rule(name: &'static str, severity: Severity) -> Rule {
    Rule { name, severity }
}

pub const CREDENTIAL: Rule = rule("hard_coded_credential", Severity::High);
/// The same in a test, where it is most often made up.
pub const CREDENTIAL_IN_TEST: Rule = rule("hard_coded_credential", Severity::Low);
pub const SHELL: Rule = rule("shell_injection", Severity::High);
pub const EVAL: Rule = rule("dynamic_code", Severity::High);
/// Code from a constant text: odd, but nobody else chooses what runs.
pub const EVAL_CONSTANT: Rule = rule("dynamic_code", Severity::Low);
pub const DESERIALIZE: Rule = rule("unsafe_deserialization", Severity::Medium);
pub const HTML: Rule = rule("html_injection", Severity::Medium);
pub const UNSAFE: Rule = rule("unsafe_block", Severity::Info);
pub const FIXME: Rule = rule("fixme", Severity::Low);
pub const TODO: Rule = rule("todo", Severity::Info);

/// Every rule; those of one name stand together.
pub const ALL: [Rule; 10] =
    [CREDENTIAL, CREDENTIAL_IN_TEST, SHELL, EVAL, EVAL_CONSTANT, DESERIALIZE, HTML, UNSAFE, FIXME, TODO];

/// Findings by severity; the last list holds unsafe blocks, which are many and would crowd out the notes.
pub type Lists = [Vec<Finding>; 5];

/// Findings of one file: exact counts, and the first of each severity up to a cap.
#[derive(Debug, Default)]
pub struct Findings {
    cap: usize,
    pub by_rule: BTreeMap<&'static str, u32>,
    pub by_severity: SeverityCounts,
    lists: Lists,
    /// Values that must not be shown anywhere.
    secrets: Vec<String>,
}

/// Longest message, in characters.
const MAX_MESSAGE_CHARS: usize = 240;

impl Findings {
    /// `cap` is the number of findings kept for each severity.
    pub fn new(cap: u32) -> Self {
        Self { cap: cap as usize, ..Self::default() }
    }

    pub fn total(&self) -> u32 {
        self.by_rule.values().sum()
    }

    /// Notes that `rule` holds at a row (from 0).
    pub fn add(&mut self, rule: Rule, source: &Source<'_>, row: usize, message: impl Into<String>) {
        *self.by_rule.entry(rule.name).or_default() += 1;
        self.by_severity.add(rule.severity);
        let list = &mut self.lists[if rule == UNSAFE { 4 } else { rule.severity as usize }];
        if list.len() < self.cap {
            list.push(Finding {
                rule: rule.name.to_owned(),
                severity: rule.severity,
                path: source.path.to_owned(),
                line: row as u32 + 1,
                message: message.into().chars().take(MAX_MESSAGE_CHARS).collect(),
                excerpt: source.excerpt(row),
            });
        }
    }

    /// Remembers a value that no excerpt of this file may show.
    pub fn hide(&mut self, value: &str) {
        const MOST: usize = 1_000;
        if self.secrets.len() < MOST && !self.secrets.iter().any(|known| known == value) {
            self.secrets.push(value.to_owned());
        }
    }

    /// Replaces every hidden value in a text.
    pub fn masked(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| {
            // An excerpt may end in the middle of a secret.
            let shown = presentable(secret);
            let cut = text.strip_suffix('…').and_then(|start| {
                (8..shown.len()).rev().filter_map(|n| shown.get(..n)).find(|part| start.ends_with(part)).map(|part| {
                    let kept = &start[..start.len() - part.len()];
                    format!("{kept}{}", super::credentials::mask(secret))
                })
            });
            let text = cut.unwrap_or(text);
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), &super::credentials::mask(secret))
            } else {
                text
            }
        })
    }

    /// Ends the collection: the kept findings by severity, each list in the order of lines, with every hidden value
    /// masked.
    pub fn finish(&mut self) -> Lists {
        let mut lists = std::mem::take(&mut self.lists);
        for finding in lists.iter_mut().flatten() {
            finding.excerpt = self.masked(std::mem::take(&mut finding.excerpt));
            finding.message = self.masked(std::mem::take(&mut finding.message));
        }
        for list in &mut lists {
            list.sort_by(|a, b| (a.line, &a.rule, &a.message).cmp(&(b.line, &b.rule, &b.message)));
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Severity};

    #[test]
    fn a_rule_has_at_most_one_severity_below_medium() {
        let mut names: Vec<_> = ALL.iter().filter(|rule| rule.severity > Severity::Medium).map(|r| r.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "the summary tells from the name how severe a lesser finding is");
    }
}
