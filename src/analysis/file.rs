//! Analyses one file: reads it, finds its language, and applies the rules that fit.

use std::sync::atomic::AtomicBool;

use tree_sitter::Parser;

use crate::model::analysis::{Manifest, Test};

use super::count::{self, Lines};
use super::findings::Findings;
use super::grammar::{self, Grammar, Parsed};
use super::language::{self, Kind, Language};
use super::source::Source;
use super::tests_found::{is_sample_path, is_test_name};
use super::tree::{self, Facts};
use super::walk::{self, Entry};
use super::{Options, literals, manifests, notes};

/// Why a file is not in the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    TooLarge,
    Binary,
    Unreadable,
    Unrecognised,
    Minified,
}

/// What one file holds.
pub struct Counted {
    pub language: &'static Language,
    pub lines: Lines,
    pub bytes: u64,
    pub findings: Findings,
    /// Present where a tree was built.
    pub facts: Option<Facts>,
    /// True if a tree should have been built, and the parser gave up.
    pub unparsed: bool,
    pub manifest: Option<Manifest>,
    /// Named like a test; whether it holds one is only known of deeply analysed languages.
    pub named_like_test: bool,
}

/// What became of one file.
pub enum Outcome {
    Counted(Box<Counted>),
    Skipped(Skip),
    Cancelled,
}

/// Reads and analyses one file.
pub fn analyze(entry: &Entry, options: &Options, parser: &mut Parser, cancelled: &AtomicBool) -> Outcome {
    let bytes = match walk::read(&entry.path, options.max_file_bytes) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Outcome::Skipped(Skip::TooLarge),
        Err(_) => return Outcome::Skipped(Skip::Unreadable),
    };
    analyze_bytes(&entry.name, &bytes, options, parser, cancelled)
}

/// Analyses the content of one file. Bytes that are not UTF-8 are replaced.
pub fn analyze_bytes(
    name: &str,
    bytes: &[u8],
    options: &Options,
    parser: &mut Parser,
    cancelled: &AtomicBool,
) -> Outcome {
    if language::is_binary(bytes) {
        return Outcome::Skipped(Skip::Binary);
    }
    let Some(language) = language::detect(name, bytes) else {
        return Outcome::Skipped(Skip::Unrecognised);
    };
    if language::is_minified(language, bytes) {
        return Outcome::Skipped(Skip::Minified);
    }
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text));
    let mut findings = Findings::new(options.max_findings);
    let (facts, unparsed) = match language.grammar {
        Some(grammar) => match parse(grammar, &source, &mut findings, parser, cancelled) {
            Some(Ok(facts)) => (Some(facts), false),
            Some(Err(())) => (None, true),
            None => return Outcome::Cancelled,
        },
        None => (None, false),
    };
    let lines = match &facts {
        Some(facts) => facts.lines,
        None => scan(language, &source, &mut findings),
    };
    let in_other_language = language.kind == Kind::Code && facts.is_none();
    Outcome::Counted(Box::new(Counted {
        language,
        lines,
        bytes: bytes.len() as u64,
        findings,
        facts,
        unparsed,
        manifest: manifests::read(name, source.text),
        named_like_test: in_other_language && is_test_name(name),
    }))
}

/// `None` if cancelled, `Err` if the parser gave up.
fn parse(
    grammar: Grammar,
    source: &Source<'_>,
    findings: &mut Findings,
    parser: &mut Parser,
    cancelled: &AtomicBool,
) -> Option<Result<Facts, ()>> {
    match grammar::parse(parser, grammar, source.text, cancelled) {
        Parsed::Tree(parsed) => {
            let mut facts = tree::read(&parsed, grammar, source, findings);
            for error in &mut facts.syntax_error_list {
                error.excerpt = findings.masked(std::mem::take(&mut error.excerpt));
            }
            for Test { name, .. } in &mut facts.tests {
                *name = findings.masked(std::mem::take(name));
            }
            Some(Ok(facts))
        }
        Parsed::GaveUp => Some(Err(())),
        Parsed::Cancelled => None,
    }
}

/// Counts a file without a tree, and looks for notes in its comments and for credentials in its lines.
fn scan(language: &Language, source: &Source<'_>, findings: &mut Findings) -> Lines {
    let in_test = is_sample_path(source.path);
    let lines = count::scan(language, source, |row, comment| {
        notes::check(comment, row, source, findings);
    });
    match language.kind {
        Kind::Data if !is_lock_file(source.path) => {
            (0..source.rows()).for_each(|row| literals::check_line(row, in_test, source, findings));
            // A private key reaches over several lines.
            if source.text.contains("PRIVATE KEY-----") {
                literals::check_text(source.text, 0, in_test, source, findings);
            }
        }
        Kind::Code => (0..source.rows()).for_each(|row| {
            literals::check_text(source.row(row), row, in_test, source, findings);
        }),
        Kind::Data | Kind::Prose => {}
    }
    lines
}

/// Lock files hold checksums that look like keys, and nothing that people write.
fn is_lock_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "lock" | "sum")
        || matches!(name, "package-lock.json" | "pnpm-lock.yaml" | "npm-shrinkwrap.json")
}
