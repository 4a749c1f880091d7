//! Which blocks of code occur at several places.
//!
//! Every line start begins a shingle: the hash of the next 30 tokens (comments and white space are no tokens). Two
//! shingles with the same hash are the same code; those that follow each other at the same distance in both files are
//! joined into one block. So a copy is found whatever its indentation and its comments, from 30 tokens on, wherever one
//! of its lines starts at the same token in both places; and one shingle for each line is all that is kept of a file.
//!
//! Source: fingerprints of k-grams as in S. Schleimer, D. S. Wilkerson and A. Aiken, "Winnowing: Local Algorithms for
//! Document Fingerprinting", SIGMOD 2003. The sample is taken at line starts instead of at local minima: people copy
//! whole lines, and a block then begins where the copy begins.

use std::collections::BTreeMap;

use crate::model::analysis::{DuplicateBlock, Location};

/// Tokens in a shingle, and so in the shortest block.
pub const MIN_TOKENS: usize = 30;
/// Lines in the shortest block.
pub const MIN_LINES: u32 = 6;
/// Different tokens in a shingle; fewer are a table of numbers or a row of brackets.
const MIN_DIFFERENT_TOKENS: usize = 8;
/// Locations listed for one block.
pub const MAX_LOCATIONS: usize = 20;
/// A file keeps at most one shingle for this many bytes, so that lines of two bytes cannot fill the memory.
const BYTES_PER_SHINGLE: usize = 16;

/// The tokens of one file, each as a hash and the rows (from 0) that it reaches over.
#[derive(Debug, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Debug, Clone, Copy)]
struct Token {
    hash: u64,
    start_row: u32,
    end_row: u32,
}

/// One shingle. `token` is the place of its first token in the file.
#[derive(Debug, Clone, Copy)]
pub struct Shingle {
    hash: u64,
    file: u32,
    token: u32,
    start_row: u32,
    end_row: u32,
}

impl Tokens {
    /// Adds a token. FNV-1a (Fowler, Noll, Vo), 64 bits.
    pub fn push(&mut self, text: &[u8], start_row: usize, end_row: usize) {
        let hash = text
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        self.0.push(Token { hash, start_row: start_row as u32, end_row: end_row as u32 });
    }

    /// The shingles at all line starts, in order. `bytes` is the size of the file.
    pub fn shingles(&self, bytes: usize) -> Vec<Shingle> {
        let starts = |at: &usize| *at == 0 || self.0[*at].start_row != self.0[*at - 1].start_row;
        let whole = (self.0.len() + 1).saturating_sub(MIN_TOKENS);
        (0..whole).filter(starts).filter_map(|at| self.shingle(at)).take(bytes / BYTES_PER_SHINGLE + 1).collect()
    }

    fn shingle(&self, at: usize) -> Option<Shingle> {
        let tokens = &self.0[at..at + MIN_TOKENS];
        let mut different = [0_u64; MIN_TOKENS];
        for (place, token) in different.iter_mut().zip(tokens) {
            *place = token.hash;
        }
        different.sort_unstable();
        let distinct = 1 + different.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let mixed = tokens
            .iter()
            .fold(0_u64, |hash, token| (hash.rotate_left(5) ^ token.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (first, last) = (tokens[0], tokens[MIN_TOKENS - 1]);
        (distinct >= MIN_DIFFERENT_TOKENS).then_some(Shingle {
            hash: mixed,
            file: 0,
            token: at as u32,
            start_row: first.start_row,
            end_row: last.end_row,
        })
    }
}

/// What the comparison of all files found.
#[derive(Debug, Default)]
pub struct Duplicates {
    /// The largest first: by repeated lines, then by place. Not capped.
    pub blocks: u32,
    pub repeated_lines: u64,
    pub list: Vec<DuplicateBlock>,
}

/// The shingles of all files, and the files' names.
#[derive(Debug, Default)]
pub struct Comparison {
    shingles: Vec<Shingle>,
    names: Vec<String>,
}

/// A shingle and an earlier one with the same hash.
#[derive(Debug, Clone, Copy)]
struct Pair {
    first: Shingle,
    again: Shingle,
}

/// A run of pairs: the same tokens here and there.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: Span,
    again: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    file: u32,
    start_token: u32,
    /// Not included.
    end_token: u32,
    start_row: u32,
    end_row: u32,
}

impl Comparison {
    pub fn add(&mut self, name: &str, shingles: Vec<Shingle>) {
        if !shingles.is_empty() {
            let file = self.names.len() as u32;
            self.names.push(name.to_owned());
            self.shingles.extend(shingles.into_iter().map(|shingle| Shingle { file, ..shingle }));
        }
    }

    /// Finds the repeated blocks, and lists the `cap` largest.
    pub fn finish(self, cap: usize) -> Duplicates {
        let Self { shingles, names } = self;
        let mut blocks: BTreeMap<Span, Vec<Span>> = BTreeMap::new();
        for run in runs(pairs(shingles)) {
            blocks.entry(run.first).or_default().push(run.again);
        }
        let blocks: Vec<Vec<Span>> =
            blocks.into_iter().filter_map(|(first, copies)| without_overlaps(first, copies)).collect();
        let repeated_lines = union_of_lines(blocks.iter().flat_map(|spans| &spans[1..]));
        let mut list: Vec<&Vec<Span>> = blocks.iter().collect();
        list.sort_by_key(|spans| (std::cmp::Reverse(u64::from(spans[0].lines()) * (spans.len() as u64 - 1)), spans[0]));
        let list = list.into_iter().take(cap).map(|spans| block(spans, &names)).collect();
        Duplicates { blocks: blocks.len() as u32, repeated_lines, list }
    }
}

/// Pairs every shingle with the first of the same hash, which keeps their number below that of the shingles.
fn pairs(mut shingles: Vec<Shingle>) -> Vec<Pair> {
    shingles.sort_unstable_by_key(|s| (s.hash, s.file, s.token));
    let groups = shingles.chunk_by(|a, b| a.hash == b.hash).filter(|group| group.len() > 1);
    let mut pairs: Vec<Pair> =
        groups.flat_map(|group| group[1..].iter().map(|again| Pair { first: group[0], again: *again })).collect();
    pairs.sort_unstable_by_key(|pair| (pair.first.file, pair.again.file, pair.distance(), pair.first.token));
    pairs
}

impl Pair {
    fn distance(&self) -> i64 {
        i64::from(self.again.token) - i64::from(self.first.token)
    }

    fn continues(&self, before: &Self) -> bool {
        self.first.file == before.first.file
            && self.again.file == before.again.file
            && self.distance() == before.distance()
            && self.first.token <= before.first.token + MIN_TOKENS as u32
    }
}

fn runs(pairs: Vec<Pair>) -> Vec<Run> {
    let run = |chain: &[Pair]| {
        let (begin, end) = (chain[0], chain[chain.len() - 1]);
        Run { first: Span::new(begin.first, end.first), again: Span::new(begin.again, end.again) }
    };
    let all = pairs.chunk_by(|before, after| after.continues(before)).map(run);
    all.filter(|run| run.first.lines() >= MIN_LINES && run.again.lines() >= MIN_LINES).collect()
}

impl Span {
    const fn new(begin: Shingle, end: Shingle) -> Self {
        Self {
            file: begin.file,
            start_token: begin.token,
            end_token: end.token + MIN_TOKENS as u32,
            start_row: begin.start_row,
            end_row: end.end_row,
        }
    }

    const fn lines(&self) -> u32 {
        self.end_row - self.start_row + 1
    }

    const fn overlaps(&self, other: &Self) -> bool {
        self.file == other.file && self.start_token < other.end_token && other.start_token < self.end_token
    }
}

/// The first place and its copies, without those that overlap an earlier one (a pattern that repeats at once overlaps
/// itself); `None` if nothing is left.
fn without_overlaps(first: Span, mut copies: Vec<Span>) -> Option<Vec<Span>> {
    copies.sort_unstable();
    let mut kept = vec![first];
    for copy in copies {
        // Sorted by file and place, so only the last one and the first can overlap.
        let last = kept[kept.len() - 1];
        if !copy.overlaps(&last) && !copy.overlaps(&first) {
            kept.push(copy);
        }
    }
    (kept.len() > 1).then_some(kept)
}

/// The number of lines that the spans cover together.
fn union_of_lines<'a>(spans: impl Iterator<Item = &'a Span>) -> u64 {
    let mut rows: Vec<(u32, u32, u32)> = spans.map(|span| (span.file, span.start_row, span.end_row)).collect();
    rows.sort_unstable();
    let mut total = 0;
    let mut open: Option<(u32, u32, u32)> = None;
    for (file, start, end) in rows {
        match &mut open {
            Some((of, _, until)) if *of == file && start <= *until => *until = (*until).max(end),
            _ => {
                total += open.map_or(0, |(_, start, end)| u64::from(end - start + 1));
                open = Some((file, start, end));
            }
        }
    }
    total + open.map_or(0, |(_, start, end)| u64::from(end - start + 1))
}

fn block(spans: &[Span], names: &[String]) -> DuplicateBlock {
    let location = |span: &Span| Location {
        path: names[span.file as usize].clone(),
        start_line: span.start_row + 1,
        end_line: span.end_row + 1,
    };
    DuplicateBlock {
        lines: spans[0].lines(),
        tokens: spans[0].end_token - spans[0].start_token,
        copies: spans.len() as u32,
        locations: spans.iter().take(MAX_LOCATIONS).map(location).collect(),
    }
}
