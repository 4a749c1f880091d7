//! What the analysis of a directory of source code found: plain data, the same on the wire, in a run's output and in
//! `weft analyze --json`.
//!
//! Totals are exact; lists are capped (the caps are constants of `analysis`), so a total can be larger than the list
//! beside it. Paths are relative to the analysed directory and use `/`. Lines and columns count from 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything that one analysis found. The same files give the same report, byte for byte: it holds no time and no
/// absolute path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Files that were recognised, read and counted.
    pub files: u32,
    /// All lines of these files: code, comment and blank.
    pub lines: u64,
    pub code_lines: u64,
    /// Lines that hold nothing but a comment; all text of prose formats such as Markdown.
    pub comment_lines: u64,
    pub blank_lines: u64,
    pub bytes: u64,
    /// Totals by language name.
    pub languages: BTreeMap<String, LanguageTotals>,
    pub functions: Functions,
    /// Places where a parser had to skip or invent text, over all files of the deeply analysed languages.
    pub syntax_errors: u32,
    pub syntax_error_list: Vec<SyntaxError>,
    /// Blocks of code that occur at two or more places.
    pub duplicates: u32,
    /// Lines that repeat a block found earlier (each line is counted once).
    pub duplicated_lines: u64,
    pub duplicate_blocks: Vec<DuplicateBlock>,
    /// Everything in `finding_list`, before capping.
    pub findings: u32,
    pub findings_by_severity: SeverityCounts,
    /// Exact number of findings by rule.
    pub findings_by_rule: BTreeMap<String, u32>,
    /// Findings, the most severe first, then by path and line; unsafe blocks at the end.
    pub finding_list: Vec<Finding>,
    pub tests: Tests,
    /// Dependency manifests, by path.
    pub manifests: Vec<Manifest>,
    pub skipped: Skipped,
}

/// Totals of one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LanguageTotals {
    pub files: u32,
    pub lines: u64,
    pub code: u64,
    pub comment: u64,
    pub blank: u64,
    pub bytes: u64,
    /// True where functions, syntax errors, risky calls and tests were looked for in a syntax tree.
    pub deep: bool,
}

/// Named functions and methods, with McCabe's cyclomatic complexity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Functions {
    pub count: u32,
    /// Mean complexity, rounded to two decimals; 0 without functions.
    pub mean_complexity: f64,
    /// Nearest-rank 90th percentile of the complexity; 0 without functions.
    pub p90_complexity: u32,
    pub max_complexity: u32,
    /// The most complex functions, most complex first.
    pub most_complex: Vec<Function>,
    /// The longest functions, longest first.
    pub longest: Vec<Function>,
}

/// One named function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Function {
    /// With the type or class it belongs to, in the language's own spelling: `Store::get`, `Store.get`.
    pub name: String,
    pub path: String,
    pub line: u32,
    /// McCabe's cyclomatic complexity: decisions plus one.
    pub complexity: u32,
    pub lines: u32,
}

/// A place that the parser could not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyntaxError {
    pub path: String,
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    pub excerpt: String,
}

/// The same tokens at several places; comments and white space are not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateBlock {
    /// Length at the first location.
    pub lines: u32,
    pub tokens: u32,
    /// All locations before capping, the first included.
    pub copies: u32,
    pub locations: Vec<Location>,
}

/// A range of lines, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    pub path: String,
    pub start_line: u32,
    pub end_line: u32,
}

/// How much a finding matters, most severe first.
// Its name in the OpenAPI document is another: `Severity` is there how bad a problem of a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingSeverity)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    High,
    Medium,
    Low,
    Info,
}

impl Severity {
    /// Every severity, most severe first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word that the wire and the screen use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// Exact number of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeverityCounts {
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub info: u32,
}

impl SeverityCounts {
    /// The number of findings of `severity`.
    pub const fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    /// Counts one more finding of `severity`.
    pub const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::High => self.high += 1,
            Severity::Medium => self.medium += 1,
            Severity::Low => self.low += 1,
            Severity::Info => self.info += 1,
        }
    }
}

/// Something that a reviewer should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// A stable name such as `shell_injection`.
    pub rule: String,
    pub severity: Severity,
    pub path: String,
    pub line: u32,
    pub message: String,
    /// The line, shortened; what looks like a credential is masked.
    pub excerpt: String,
}

/// Tests that were found; nothing was run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tests {
    /// Files with a test function, or named like a test in languages that are not analysed deeply.
    pub files: u32,
    pub test_functions: u32,
    pub list: Vec<Test>,
}

/// One test function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Test {
    pub name: String,
    pub path: String,
    pub line: u32,
}

/// A file that declares dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    pub path: String,
    /// `cargo`, `npm`, `python`, `go`, `maven`, `bundler`, …
    pub kind: String,
    /// Direct dependencies, development ones included; absent where the file cannot be counted without running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<u32>,
    /// Why the dependencies of a file that should be countable were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Files that were found and not counted (the first six), or counted and not fully analysed (the last two).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// Larger than the size limit.
    pub too_large: u32,
    pub binary: u32,
    /// Not permitted to read, or gone while reading.
    pub unreadable: u32,
    /// Text of no known language.
    pub unrecognised: u32,
    /// Generated to be small, not to be read.
    pub minified: u32,
    /// Beyond the limit on the number of files.
    pub over_file_limit: u32,
    /// Counted, but the parser gave up within its budget.
    pub unparsed: u32,
    /// Counted, but beyond the limit of what is compared for duplicates.
    pub not_compared: u32,
}

impl Skipped {
    /// How many files were found and left out of the counts.
    pub const fn uncounted(&self) -> u32 {
        self.too_large + self.binary + self.unreadable + self.unrecognised + self.minified + self.over_file_limit
    }
}
