//! `weft analyze`: what a directory of source code holds, as tables or as JSON.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt::Interrupt;
use super::table::{Column, Paint, table};
use super::{Failure, Global, out};
use crate::analysis::{self, Error, Options, Progress, grouped};
use crate::model::analysis::{Finding, Report, Severity};

/// Rows in a table of functions, blocks or errors.
const MOST: usize = 10;
/// Findings shown; `--json` has more.
const MOST_FINDINGS: usize = 25;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The directory to analyse.
    path: PathBuf,
    /// Analyse only what matches this pattern, as in .gitignore (repeatable).
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what matches this pattern, as in .gitignore (repeatable).
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen();
    let cancelled = Arc::new(AtomicBool::new(false));
    let bar = Bar::new();
    let progress = bar.clone();
    let stop = cancelled.clone();
    let options = Options { include: arguments.include, exclude: arguments.exclude, ..Options::default() };
    let mut work = tokio::task::spawn_blocking(move || {
        analysis::analyze(&arguments.path, &options, &|now| progress.show(now), &stop)
    });
    let done = tokio::select! {
        done = &mut work => done,
        () = interrupt.asked() => {
            cancelled.store(true, Ordering::Relaxed);
            work.await
        }
    };
    bar.end();
    let report = done.expect("the analysis does not panic")?;
    if global.json {
        out::json(&report);
    } else {
        out::line(page(&report, Paint::of_stdout()).trim_end());
    }
    Ok(())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::NotFound(_) => 4,
            Error::NotADirectory(_) | Error::Glob { .. } => 2,
            Error::Unreadable { .. } => 3,
            Error::Cancelled => 1,
        };
        // A pattern is an option here; the words of the analysis name it as a field.
        let dashes = if matches!(error, Error::Glob { .. }) { "--" } else { "" };
        Self { code, message: format!("{dashes}{error}") }
    }
}

/// A progress bar on standard error if that is a terminal, else nothing.
#[derive(Clone)]
struct Bar(Arc<Mutex<ProgressBar>>);

impl Bar {
    fn new() -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Arc::new(Mutex::new(bar)))
    }

    fn show(&self, now: Progress) {
        let bar = self.0.lock().expect("nothing panics while it holds the bar");
        match now {
            Progress::Listing { found } => bar.set_message(format!("{found} files found")),
            Progress::Analyzing { done, total } => {
                if bar.length().is_none() {
                    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} files  {per_sec}  {eta} left");
                    bar.set_style(style.expect("the template is valid"));
                    bar.set_length(total.into());
                }
                bar.set_position(bar.position().max(done.into()));
            }
            Progress::Comparing => bar.set_message("comparing"),
        }
    }

    fn end(&self) {
        self.0.lock().expect("nothing panics while it holds the bar").finish_and_clear();
    }
}

/// The whole answer for a person.
fn page(report: &Report, paint: Paint) -> String {
    let mut parts = vec![headline(report, paint), languages(report, paint)];
    parts.extend([functions(report, paint), errors(report, paint), findings(report, paint), duplicates(report, paint)]);
    parts.push(manifests(report, paint));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn headline(report: &Report, paint: Paint) -> String {
    let skipped = report.skipped.uncounted();
    let skipped = if skipped > 0 { format!("  ({skipped} skipped)") } else { String::new() };
    let functions = &report.functions;
    format!(
        "{}\n  files       {}{skipped}\n  lines       {}  ({} code, {} comment, {} blank)\n  functions   {}  (complexity: mean {:.2}, 90th percentile {}, highest {})\n  tests       {} in {} files\n  problems    {} syntax errors, {} high, {} medium, {} low, {} info\n  duplicates  {} blocks, {} repeated lines\n",
        paint.bold("Code analysis"),
        grouped(report.files.into()),
        grouped(report.lines),
        grouped(report.code_lines),
        grouped(report.comment_lines),
        grouped(report.blank_lines),
        grouped(functions.count.into()),
        functions.mean_complexity,
        functions.p90_complexity,
        functions.max_complexity,
        grouped(report.tests.test_functions.into()),
        grouped(report.tests.files.into()),
        grouped(report.syntax_errors.into()),
        grouped(report.findings_by_severity.high.into()),
        grouped(report.findings_by_severity.medium.into()),
        grouped(report.findings_by_severity.low.into()),
        grouped(report.findings_by_severity.info.into()),
        grouped(report.duplicates.into()),
        grouped(report.duplicated_lines),
    )
}

fn languages(report: &Report, paint: Paint) -> String {
    let mut languages: Vec<_> = report.languages.iter().collect();
    languages.sort_by_key(|(name, totals)| (std::cmp::Reverse(totals.lines), *name));
    let row = |(name, totals): &(&String, &crate::model::analysis::LanguageTotals)| {
        let numbers = [u64::from(totals.files), totals.lines, totals.code, totals.comment, totals.blank];
        std::iter::once((*name).clone()).chain(numbers.map(grouped)).collect()
    };
    let columns = [
        Column::left("Language"),
        Column::right("Files"),
        Column::right("Lines"),
        Column::right("Code"),
        Column::right("Comment"),
        Column::right("Blank"),
    ];
    table(paint, &columns, languages.iter().map(row).collect())
}

fn functions(report: &Report, paint: Paint) -> String {
    let row = |function: &crate::model::analysis::Function| {
        let place = format!("{}:{}", function.path, function.line);
        vec![function.name.clone(), function.complexity.to_string(), function.lines.to_string(), place]
    };
    let columns = [
        Column::left("Most complex functions"),
        Column::right("Complexity"),
        Column::right("Lines"),
        Column::left("Place"),
    ];
    table(paint, &columns, report.functions.most_complex.iter().take(MOST).map(row).collect())
}

fn errors(report: &Report, paint: Paint) -> String {
    let list = report.syntax_error_list.iter().take(MOST);
    let rows: Vec<Vec<String>> = list
        .map(|error| vec![format!("{}:{}:{}", error.path, error.line, error.column), error.excerpt.clone()])
        .collect();
    let rest = more(report.syntax_errors, rows.len());
    table(paint, &[Column::left("Syntax errors"), Column::left("Text")], rows) + &rest
}

fn findings(report: &Report, paint: Paint) -> String {
    let row = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::High => paint.red("high"),
            Severity::Medium => paint.yellow("medium"),
            Severity::Low | Severity::Info => finding.severity.word().to_owned(),
        };
        vec![severity, finding.message.clone(), format!("{}:{}", finding.path, finding.line)]
    };
    let rows: Vec<Vec<String>> = report.finding_list.iter().take(MOST_FINDINGS).map(row).collect();
    let rest = more(report.findings, rows.len());
    table(paint, &[Column::left("Findings"), Column::left("Message"), Column::left("Place")], rows) + &rest
}

fn duplicates(report: &Report, paint: Paint) -> String {
    let row = |block: &crate::model::analysis::DuplicateBlock| {
        let place = |at: &crate::model::analysis::Location| format!("{}:{}-{}", at.path, at.start_line, at.end_line);
        let places: Vec<String> = block.locations.iter().take(2).map(place).collect();
        let others = block.copies as usize - places.len();
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        vec![block.lines.to_string(), block.copies.to_string(), places.join(", ") + &others]
    };
    let columns = [Column::right("Duplicated lines"), Column::right("Copies"), Column::left("Places")];
    let rows: Vec<Vec<String>> = report.duplicate_blocks.iter().take(MOST).map(row).collect();
    let rest = more(report.duplicates, rows.len());
    table(paint, &columns, rows) + &rest
}

fn manifests(report: &Report, paint: Paint) -> String {
    let row = |manifest: &crate::model::analysis::Manifest| {
        let count = manifest.dependencies.map_or_else(|| "-".to_owned(), |count| count.to_string());
        vec![manifest.path.clone(), manifest.kind.clone(), count, manifest.problem.clone().unwrap_or_default()]
    };
    let columns =
        [Column::left("Manifests"), Column::left("Kind"), Column::right("Direct dependencies"), Column::left("")];
    let rows: Vec<Vec<String>> = report.manifests.iter().take(MOST).map(row).collect();
    let rest = more(report.manifests.len() as u32, rows.len());
    table(paint, &columns, rows) + &rest
}

fn more(total: u32, shown: usize) -> String {
    let rest = u64::from(total).saturating_sub(shown as u64);
    if rest > 0 { format!("{} more; --json lists more of them\n", grouped(rest)) } else { String::new() }
}
