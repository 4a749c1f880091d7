//! The report as a page of Markdown for people: what is wrong first.

use std::fmt::Write;

use super::findings::ALL;
use crate::model::analysis::{Finding, Report, Severity};

/// Lines in each list of the summary; the report holds more.
const MOST: usize = 10;

/// Writes the report as Markdown: headline counts, problems, languages, complex functions, duplicates, notes.
///
/// Counts only, no grades. At most some 100 lines. Nothing in it depends on anything but the report.
pub fn summary(report: &Report) -> String {
    let mut page = String::new();
    headline(&mut page, report);
    problems(&mut page, report);
    languages(&mut page, report);
    functions(&mut page, report);
    duplicates(&mut page, report);
    notes(&mut page, report);
    manifests(&mut page, report);
    skipped(&mut page, report);
    page
}

/// Writing to a string cannot fail.
macro_rules! line {
    ($page:expr) => { $page.push('\n') };
    ($page:expr, $($format:tt)+) => {{ writeln!($page, $($format)+).expect("a string takes all text") }};
}

fn headline(page: &mut String, report: &Report) {
    let functions = &report.functions;
    line!(page, "# Code analysis");
    line!(page);
    if report.files == 0 {
        line!(page, "No source files were found.");
        return;
    }
    line!(
        page,
        "{} with {} lines ({} code, {} comment, {} blank) in {}.",
        counted(report.files, "file"),
        grouped(report.lines),
        grouped(report.code_lines),
        grouped(report.comment_lines),
        grouped(report.blank_lines),
        counted(report.languages.len() as u32, "language"),
    );
    line!(
        page,
        "{}, {}, {}, {}, {}.",
        counted(functions.count, "function"),
        counted(report.syntax_errors, "syntax error"),
        counted(report.findings, "finding"),
        counted(report.duplicates, "duplicated block"),
        counted(report.tests.test_functions, "test"),
    );
}

fn problems(page: &mut String, report: &Report) {
    let pressing = |finding: &&Finding| finding.severity <= Severity::Medium;
    let total = report.findings_by_severity.high + report.findings_by_severity.medium;
    if report.syntax_errors > 0 {
        line!(page, "\n## Syntax errors\n");
        for error in report.syntax_error_list.iter().take(MOST) {
            line!(page, "- `{}:{}:{}` {}", error.path, error.line, error.column, code(&error.excerpt));
        }
        more(page, report.syntax_errors, report.syntax_error_list.len());
    }
    let lesser = lesser(report);
    if total > 0 || !lesser.is_empty() {
        line!(page, "\n## Problems\n");
    }
    if total > 0 {
        let list: Vec<&Finding> = report.finding_list.iter().filter(pressing).collect();
        for finding in list.iter().take(MOST) {
            line!(
                page,
                "- **{}** `{}:{}` {}",
                finding.severity.word(),
                finding.path,
                finding.line,
                plain(&finding.message)
            );
        }
        more(page, total, list.len());
    }
    if !lesser.is_empty() {
        let also = if total > 0 { "\nAlso found: " } else { "" };
        line!(page, "{also}{}.", lesser.join(", "));
    }
}

/// What weighs less than [`problems`] lists, summed up: "3 `hard_coded_credential` (low)"; low before info, then by
/// rule. The sums are exact: where the list of findings was capped amid the severe ones, so that a rule's lesser
/// findings can't be told from them, there are sums by severity alone.
fn lesser(report: &Report) -> Vec<String> {
    let severities = &report.findings_by_severity;
    let pressing: Vec<&Finding> =
        report.finding_list.iter().filter(|finding| finding.severity <= Severity::Medium).collect();
    if pressing.len() as u64 != u64::from(severities.high) + u64::from(severities.medium) {
        let sums = [Severity::Low, Severity::Info].map(|severity| (severities.of(severity), severity.word()));
        let sums = sums.into_iter().filter(|(sum, _)| *sum > 0);
        return sums.map(|(sum, word)| format!("{} {word}", grouped(sum.into()))).collect();
    }
    let mut rules: Vec<_> = ALL.iter().filter(|rule| rule.severity > Severity::Medium).collect();
    rules.sort_by_key(|rule| (rule.severity, rule.name));
    let sum = |name: &str| {
        let all = report.findings_by_rule.get(name).copied().unwrap_or_default();
        all.saturating_sub(pressing.iter().filter(|finding| finding.rule == name).count() as u32)
    };
    let sums = rules.into_iter().map(|rule| (sum(rule.name), rule)).filter(|(sum, _)| *sum > 0);
    sums.map(|(sum, rule)| format!("{} {} ({})", grouped(sum.into()), code(rule.name), rule.severity.word())).collect()
}

fn languages(page: &mut String, report: &Report) {
    if report.languages.is_empty() {
        return;
    }
    let mut languages: Vec<_> = report.languages.iter().collect();
    languages.sort_by_key(|(name, totals)| (std::cmp::Reverse(totals.lines), *name));
    line!(page, "\n## Languages\n");
    line!(page, "| Language | Files | Lines | Code |");
    line!(page, "|---|---:|---:|---:|");
    for (name, totals) in languages.iter().take(MOST) {
        let (files, lines, code) = (grouped(totals.files.into()), grouped(totals.lines), grouped(totals.code));
        line!(page, "| {name} | {files} | {lines} | {code} |");
    }
    more(page, languages.len() as u32, languages.len());
}

fn functions(page: &mut String, report: &Report) {
    let functions = &report.functions;
    if functions.count == 0 {
        return;
    }
    line!(page, "\n## Most complex functions\n");
    line!(
        page,
        "Cyclomatic complexity: mean {:.2}, 90th percentile {}, highest {}.\n",
        functions.mean_complexity,
        functions.p90_complexity,
        functions.max_complexity,
    );
    line!(page, "| Function | Place | Complexity | Lines |");
    line!(page, "|---|---|---:|---:|");
    for function in functions.most_complex.iter().take(MOST) {
        let name = code(&function.name).replace('|', "\\|");
        line!(
            page,
            "| {name} | `{}:{}` | {} | {} |",
            function.path,
            function.line,
            function.complexity,
            function.lines
        );
    }
}

fn duplicates(page: &mut String, report: &Report) {
    if report.duplicates == 0 {
        return;
    }
    line!(page, "\n## Duplicates\n");
    line!(
        page,
        "{} repeated in {}.\n",
        counted_long(report.duplicated_lines, "line"),
        counted(report.duplicates, "block")
    );
    for block in report.duplicate_blocks.iter().take(MOST) {
        let places: Vec<String> = block
            .locations
            .iter()
            .take(3)
            .map(|at| format!("`{}:{}-{}`", at.path, at.start_line, at.end_line))
            .collect();
        let others = block.copies as usize - places.len();
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        line!(page, "- {}: {}{others}", counted(block.lines, "line"), places.join(", "));
    }
    more(page, report.duplicates, report.duplicate_blocks.len());
}

fn notes(page: &mut String, report: &Report) {
    let total: u32 = ["fixme", "todo"].iter().filter_map(|rule| report.findings_by_rule.get(*rule)).sum();
    if total == 0 {
        return;
    }
    line!(page, "\n## Left to do\n");
    let is_note = |finding: &&Finding| matches!(finding.rule.as_str(), "fixme" | "todo");
    let list: Vec<&Finding> = report.finding_list.iter().filter(is_note).collect();
    for finding in list.iter().take(MOST) {
        line!(page, "- `{}:{}` {}", finding.path, finding.line, plain(&finding.message));
    }
    more(page, total, list.len());
}

fn manifests(page: &mut String, report: &Report) {
    if report.manifests.is_empty() {
        return;
    }
    line!(page, "\n## Dependencies\n");
    for manifest in report.manifests.iter().take(MOST) {
        let detail = match (manifest.dependencies, &manifest.problem) {
            (Some(count), _) => format!("{count} direct"),
            (None, Some(problem)) => plain(problem),
            (None, None) => "not counted, it is a program".to_owned(),
        };
        line!(page, "- `{}` ({}): {detail}", manifest.path, manifest.kind);
    }
    more(page, report.manifests.len() as u32, report.manifests.len());
}

fn skipped(page: &mut String, report: &Report) {
    let skipped = &report.skipped;
    let reasons = [
        (skipped.too_large, "too large"),
        (skipped.binary, "binary"),
        (skipped.unreadable, "unreadable"),
        (skipped.unrecognised, "of no known language"),
        (skipped.minified, "minified"),
        (skipped.over_file_limit, "beyond the limit of files"),
        (skipped.unparsed, "counted but not parsed"),
        (skipped.not_compared, "not compared for duplicates"),
    ];
    let reasons: Vec<String> = reasons.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    if !reasons.is_empty() {
        line!(page, "\nSkipped files: {}.", reasons.join(", "));
    }
}

/// Says how many are not shown. `listed` is what the report lists, of which [`MOST`] are shown.
fn more(page: &mut String, total: u32, listed: usize) {
    let shown = listed.min(MOST) as u32;
    if total > shown {
        line!(page, "\n{} more.", grouped((total - shown).into()));
    }
}

/// Text as Markdown code; a back quote in it is shown as an apostrophe.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('`', "'")) }
}

/// Text of a file as plain Markdown: what would be markup is escaped.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '_' | '<' | '>' | '[' | ']' | '|' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn counted(number: u32, noun: &str) -> String {
    counted_long(number.into(), noun)
}

fn counted_long(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with its thousands apart: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
