//! Adds the files up, in the order of their names, into one report whose lists are bounded.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::analysis::{Function, Report};

use super::complexity::percentile;
use super::duplicates::Comparison;
use super::file::{Counted, Outcome, Skip};
use super::findings::Lists;
use super::tree::Facts;
use super::{
    MAX_COMPARED_BYTES, MAX_DUPLICATE_BLOCKS, MAX_FUNCTIONS, MAX_MANIFESTS, MAX_SYNTAX_ERRORS, MAX_TESTS, Options,
};

/// A report in the making.
pub struct Fold<'a> {
    options: &'a Options,
    report: Report,
    /// Functions by complexity.
    complexities: BTreeMap<u32, u64>,
    findings: Lists,
    comparison: Comparison,
    compared_bytes: u64,
}

impl<'a> Fold<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            report: Report::default(),
            complexities: BTreeMap::new(),
            findings: Default::default(),
            comparison: Comparison::default(),
            compared_bytes: 0,
        }
    }

    /// Adds what the listing already left out.
    pub fn skip(&mut self, too_large: u32, unreadable: u32, over_file_limit: u32) {
        let skipped = &mut self.report.skipped;
        skipped.too_large += too_large;
        skipped.unreadable += unreadable;
        skipped.over_file_limit += over_file_limit;
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, outcome: Outcome) {
        let skipped = &mut self.report.skipped;
        match outcome {
            Outcome::Counted(counted) => self.add_counted(name, *counted),
            Outcome::Skipped(Skip::TooLarge) => skipped.too_large += 1,
            Outcome::Skipped(Skip::Binary) => skipped.binary += 1,
            Outcome::Skipped(Skip::Unreadable) => skipped.unreadable += 1,
            Outcome::Skipped(Skip::Unrecognised) => skipped.unrecognised += 1,
            Outcome::Skipped(Skip::Minified) => skipped.minified += 1,
            Outcome::Cancelled => {}
        }
    }

    fn add_counted(&mut self, name: &str, counted: Counted) {
        self.add_lines(&counted);
        let mut findings = counted.findings;
        self.report.findings += findings.total();
        for (rule, times) in &findings.by_rule {
            *self.report.findings_by_rule.entry((*rule).to_owned()).or_default() += times;
        }
        let (sum, of_file) = (&mut self.report.findings_by_severity, findings.by_severity);
        sum.high += of_file.high;
        sum.medium += of_file.medium;
        sum.low += of_file.low;
        sum.info += of_file.info;
        for (list, of_file) in self.findings.iter_mut().zip(findings.finish()) {
            extend_to(list, of_file, self.options.max_findings as usize);
        }
        self.report.skipped.unparsed += u32::from(counted.unparsed);
        self.report.tests.files += u32::from(counted.named_like_test);
        if let Some(manifest) = counted.manifest
            && self.report.manifests.len() < MAX_MANIFESTS
        {
            self.report.manifests.push(manifest);
        }
        if let Some(facts) = counted.facts {
            self.add_facts(name, counted.bytes, facts);
        }
    }

    fn add_lines(&mut self, counted: &Counted) {
        let (report, lines) = (&mut self.report, counted.lines);
        report.files += 1;
        report.lines += lines.total();
        report.code_lines += lines.code;
        report.comment_lines += lines.comment;
        report.blank_lines += lines.blank;
        report.bytes += counted.bytes;
        let language = report.languages.entry(counted.language.name.to_owned()).or_default();
        language.files += 1;
        language.lines += lines.total();
        language.code += lines.code;
        language.comment += lines.comment;
        language.blank += lines.blank;
        language.bytes += counted.bytes;
        language.deep = counted.language.grammar.is_some();
    }

    fn add_facts(&mut self, name: &str, bytes: u64, facts: Facts) {
        let report = &mut self.report;
        report.syntax_errors += facts.syntax_errors;
        extend_to(&mut report.syntax_error_list, facts.syntax_error_list, MAX_SYNTAX_ERRORS);
        report.tests.files += u32::from(!facts.tests.is_empty());
        report.tests.test_functions += facts.tests.len() as u32;
        extend_to(&mut report.tests.list, facts.tests, MAX_TESTS);
        self.compared_bytes += bytes;
        if self.compared_bytes <= MAX_COMPARED_BYTES {
            self.comparison.add(name, facts.shingles);
        } else {
            report.skipped.not_compared += 1;
        }
        for function in facts.functions {
            self.add_function(function);
        }
    }

    fn add_function(&mut self, function: Function) {
        let functions = &mut self.report.functions;
        functions.count += 1;
        *self.complexities.entry(function.complexity).or_default() += 1;
        keep_top(&mut functions.most_complex, &function, |f| (Reverse(f.complexity), Reverse(f.lines)));
        keep_top(&mut functions.longest, &function, |f| (Reverse(f.lines), Reverse(f.complexity)));
    }

    /// Compares the files with each other and ends the report.
    pub fn finish(mut self) -> Report {
        let duplicates = self.comparison.finish(MAX_DUPLICATE_BLOCKS);
        let mut report = self.report;
        report.duplicates = duplicates.blocks;
        report.duplicated_lines = duplicates.repeated_lines;
        report.duplicate_blocks = duplicates.list;
        for list in &mut self.findings {
            let room = self.options.max_findings as usize - report.finding_list.len();
            report.finding_list.extend(list.drain(..).take(room));
        }
        let sum: u64 = self.complexities.iter().map(|(complexity, times)| u64::from(*complexity) * times).sum();
        let functions = &mut report.functions;
        if functions.count > 0 {
            functions.mean_complexity = (sum as f64 / f64::from(functions.count) * 100.0).round() / 100.0;
        }
        functions.p90_complexity = percentile(&self.complexities, 90);
        functions.max_complexity = self.complexities.keys().next_back().copied().unwrap_or(0);
        report
    }
}

fn extend_to<T>(list: &mut Vec<T>, more: Vec<T>, cap: usize) {
    let room = cap.saturating_sub(list.len());
    list.extend(more.into_iter().take(room));
}

/// Keeps the first [`MAX_FUNCTIONS`] by `key`, then by place.
fn keep_top<K: Ord>(list: &mut Vec<Function>, function: &Function, key: impl Fn(&Function) -> K) {
    let full = list.len() >= MAX_FUNCTIONS;
    let place = |f: &Function| (key(f), f.path.clone(), f.line, f.name.clone());
    if full && list.last().is_some_and(|last| key(last) < key(function)) {
        return;
    }
    let at = list.partition_point(|other| place(other) <= place(function));
    if at < MAX_FUNCTIONS {
        list.insert(at, function.clone());
        list.truncate(MAX_FUNCTIONS);
    }
}
