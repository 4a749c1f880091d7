//! Code analysis: what a directory of source code holds, and what a reviewer should look at.
//!
//! Owns the rules of counting, of McCabe's complexity, of duplicates, of risky calls and credentials, of what is a test
//! and what is a dependency manifest. Rust, Python, JavaScript, TypeScript and Go are read with their tree-sitter
//! grammars; some sixty other languages are counted.
//!
//! Promises: the same files give the same report, byte for byte (no time, no absolute path, no order of threads in it);
//! totals are exact while every list is capped by a constant below; memory is bounded whatever the tree holds; a file
//! that is broken, hostile or not text costs its own result and nothing else; credentials are masked in everything
//! that a report shows.
//!
//! Refuses: to follow symbolic links, to read above a size, to run or resolve anything that it reads, and to grade:
//! there are counts and places, no score.
//!
//! The parser is bounded by a number of steps instead of a time, because a time would make the report depend on the
//! machine. Files are read in batches of bounded size by all cores, and added up in the order of their names.

mod complexity;
mod count;
mod credentials;
mod duplicates;
mod error;
mod file;
mod findings;
mod fold;
mod grammar;
mod language;
mod literals;
mod manifests;
mod notes;
mod risks;
mod source;
mod summary;
mod symbols;
#[cfg(test)]
mod tests;
mod tests_found;
mod tree;
mod walk;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rayon::prelude::*;
use tree_sitter::Parser;

use crate::model::analysis::Report;

pub use error::Error;
pub use summary::{grouped, summary};
pub use symbols::{Place, Symbol, find, outline};

use file::Outcome;
use fold::Fold;
use walk::Entry;

/// Functions in each of the lists of the most complex and the longest.
pub const MAX_FUNCTIONS: usize = 20;
pub const MAX_SYNTAX_ERRORS: usize = 200;
pub const MAX_DUPLICATE_BLOCKS: usize = 100;
pub const MAX_TESTS: usize = 500;
pub const MAX_MANIFESTS: usize = 500;
/// Deeply analysed text, in bytes, that is compared for duplicates; in the order of names.
pub const MAX_COMPARED_BYTES: u64 = 256 * 1024 * 1024;
/// A batch ends after so many files or bytes: what is held at once is bounded by it.
const BATCH_FILES: usize = 512;
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// What to analyse, and how far.
#[derive(Debug, Clone)]
pub struct Options {
    /// Patterns as in `.gitignore`; empty means every file.
    pub include: Vec<String>,
    /// Patterns as in `.gitignore`; what they match is not entered.
    pub exclude: Vec<String>,
    /// Larger files are skipped.
    pub max_file_bytes: u64,
    /// Further files are skipped.
    pub max_files: u32,
    /// Findings listed; all are counted.
    pub max_findings: u32,
    /// Whether the ignore files of the folders around the root count, too, where it lies in a git checkout.
    pub rules_around: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            max_file_bytes: 1024 * 1024,
            max_files: 50_000,
            max_findings: 500,
            rules_around: true,
        }
    }
}

/// How far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Listing { found: u32 },
    Analyzing { done: u32, total: u32 },
    Comparing,
}

/// Analyses the directory `root`.
///
/// Blocks, and uses all cores; callers on an async thread hand it to a blocking one. `progress` is called from several
/// threads, at most once for each file and stage. Setting `cancelled` ends the work soon.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotADirectory`] and [`Error::Unreadable`] for `root`, [`Error::Glob`] for a pattern,
/// [`Error::Cancelled`]. What is wrong with a single file is counted in the report instead.
pub fn analyze(
    root: &Path,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    cancelled: &AtomicBool,
) -> Result<Report, Error> {
    let real = walk::open_root(root)?;
    let listing = walk::list(&real, options, |found| {
        progress(Progress::Listing { found });
        !cancelled.load(Ordering::Relaxed)
    })?;
    let mut fold = Fold::new(options);
    fold.skip(listing.too_large, listing.unreadable, listing.over_file_limit);
    let total = listing.entries.len() as u32;
    let done = AtomicU32::new(0);
    let one = |parser: &mut Parser, entry: &Entry| {
        if cancelled.load(Ordering::Relaxed) {
            return Outcome::Cancelled;
        }
        let outcome = file::analyze(entry, options, parser, cancelled);
        progress(Progress::Analyzing { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        outcome
    };
    for batch in batches(&listing.entries) {
        let outcomes: Vec<Outcome> = batch.par_iter().map_init(Parser::new, one).collect();
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        for (entry, outcome) in batch.iter().zip(outcomes) {
            fold.add(&entry.name, outcome);
        }
    }
    progress(Progress::Comparing);
    Ok(fold.finish())
}

/// Cuts the list into batches of at most [`BATCH_FILES`] files and, beyond one file, [`BATCH_BYTES`].
fn batches(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(BATCH_FILES).take_while(|entry| {
            bytes += entry.size;
            bytes <= BATCH_BYTES
        });
        let length = fits.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(length);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}
