//! `weft bench memory`: what is found, and how fast, through the same face that everybody uses.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::super::table::{Column, Paint, table};
use super::super::{Failure, Global, out};
use super::vectors::Vectors;
use super::{Bar, Figure};
use crate::memory::measure::{DEPTH, Quality, Ranking, Set, Textbook, percentile, quality};
use crate::memory::{self, Expect};
use crate::model::memory::{EmbedderDraft, EmbedderState, EntryDraft, Search, SearchMode};
use crate::runtime::Ctx;

/// Where the entries stand.
const NAMESPACE: &str = "bench";
/// Bars of the project: 100,000 entries are searched in so many milliseconds, 95 of 100 times; the median of a write.
const SEARCH_P95_MS: f64 = 15.0;
const INSERT_P50_MS: f64 = 1.0;
/// Questions of the speed measurement.
const QUESTIONS: usize = 500;
/// Words of a made-up entry, and different words of all.
const WORDS: usize = 80;
const VOCABULARY: usize = 60_000;
/// The most frequent made-up words stand for stop words: entries hold them, questions don't ask for them.
const STOP_WORDS: usize = 60;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folders in the format of BEIR: corpus.jsonl, queries.jsonl, qrels/*.tsv. None: the sets that are shipped.
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Also measure the speed among so many made-up entries.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    entries: Option<u32>,
    /// Also measure how the nearest of so many made-up vectors of 384 numbers are found: by a scan and by a graph.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    vectors: Option<u32>,
    /// Also measure vectors, made by the model in this folder, such as weft-data/embedders/all-MiniLM-L6-v2, or by --model behind
    /// this address, such as http://127.0.0.1:8080/v1 (as OpenAI's).
    #[arg(long, value_name = "FOLDER|URL")]
    pub(super) embedder: Option<String>,
    /// The model that makes them behind an address.
    #[arg(long, value_name = "NAME", requires = "embedder")]
    pub(super) model: Option<String>,
}

/// Milliseconds at three shares.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Latency {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Latency {
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self { p50: percentile(&times, 0.5), p95: percentile(&times, 0.95), p99: percentile(&times, 0.99) }
    }
}

/// The best score of each question, at shares of the questions.
#[derive(Debug, Clone, Copy, Serialize)]
struct Scores {
    answered_p10: f64,
    answered_p50: f64,
    unanswered_p50: f64,
    unanswered_p90: f64,
}

/// One set.
#[derive(Debug, Serialize)]
struct Measured {
    set: String,
    entries: usize,
    questions: usize,
    unanswerable: usize,
    /// By words alone.
    weft: Quality,
    /// By vectors alone, and by both; absent without `--embedder`.
    vector: Option<Quality>,
    hybrid: Option<Quality>,
    textbook: Quality,
    /// Absent without questions that have no answer.
    scores: Option<Scores>,
    search_ms: Latency,
    insert_ms: Latency,
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    engine: &'static str,
    version: &'static str,
    database: &'static str,
    cores: u32,
    sets: Vec<Measured>,
    /// With `--entries`.
    figures: Vec<Figure>,
}

/// The sets to measure.
pub(super) fn sets(arguments: &Arguments) -> Result<Vec<Set>, Failure> {
    if arguments.folders.is_empty() {
        return Ok(Set::shipped().into());
    }
    arguments.folders.iter().map(|folder| Set::read(folder).map_err(Failure::usage)).collect()
}

pub(super) async fn measure(
    ctx: &Ctx,
    arguments: &Arguments,
    sets: Vec<Set>,
    vectors: Option<&Vectors>,
) -> Result<Report, Failure> {
    let mut measured = Vec::new();
    if let Some(vectors) = vectors {
        let model = Some(vectors.provide(ctx).await?);
        memory::set_embedder(ctx, EmbedderDraft { model, anew: false }).await?;
    }
    for set in &sets {
        measured.push(measure_set(ctx, set, vectors.is_some()).await?);
        // Words of one set would count in the rarities of the next.
        for document in &set.documents {
            memory::delete(ctx, NAMESPACE, &document.id, Expect::Any).await?;
        }
    }
    let mut figures = match arguments.entries {
        Some(entries) => measure_speed(ctx, entries).await?,
        None => Vec::new(),
    };
    if let Some(count) = arguments.vectors {
        figures.extend(super::nearest::measure(ctx, count).await?);
    }
    Ok(Report {
        engine: "Weft",
        version: env!("CARGO_PKG_VERSION"),
        database: ctx.db.engine(),
        cores: super::cores(),
        sets: measured,
        figures,
    })
}

/// Waits until every entry has its vector.
async fn embed(ctx: &Ctx) -> Result<(), Failure> {
    memory::embed_pending(ctx.runtime()).await?;
    let serving = memory::get_embedder(ctx).await?.serving;
    match serving {
        Some(serving) if serving.state == EmbedderState::Whole && serving.given_up == 0 => Ok(()),
        Some(serving) => Err(Failure::failed(format!(
            "only {} entries could be embedded: {}",
            serving.embedded,
            serving.paused.as_deref().unwrap_or("the model refused some")
        ))),
        None => Err(Failure::failed("no embedder is set")),
    }
}

/// Asks every question of a set; also says how long each took.
async fn ask_all(ctx: &Ctx, set: &Set, mode: SearchMode) -> Result<(Vec<f64>, Vec<Ranking>), Failure> {
    let (mut searches, mut rankings) = (Vec::new(), Vec::new());
    for question in &set.questions {
        let (took, ranking) = ask(ctx, &question.text, mode).await?;
        searches.push(took);
        rankings.push(ranking);
    }
    Ok((searches, rankings))
}

async fn measure_set(ctx: &Ctx, set: &Set, vectors: bool) -> Result<Measured, Failure> {
    let mut inserts = Vec::with_capacity(set.documents.len());
    for document in &set.documents {
        inserts.push(put(ctx, &document.id, document.draft.clone()).await?);
    }
    let (searches, rankings) = ask_all(ctx, set, SearchMode::Text).await?;
    let (mut vector, mut hybrid) = (None, None);
    if vectors {
        embed(ctx).await?;
        vector = Some(quality(set, &ask_all(ctx, set, SearchMode::Vector).await?.1));
        hybrid = Some(quality(set, &ask_all(ctx, set, SearchMode::Hybrid).await?.1));
    }
    let book = Textbook::new(set);
    let baseline: Vec<Ranking> = set.questions.iter().map(|question| book.rank(&question.text)).collect();
    let unanswerable = set.questions.iter().filter(|question| question.answers.is_empty()).count();
    Ok(Measured {
        set: set.name.clone(),
        entries: set.documents.len(),
        questions: set.questions.len() - unanswerable,
        unanswerable,
        weft: quality(set, &rankings),
        vector,
        hybrid,
        textbook: quality(set, &baseline),
        scores: scores(set, &rankings),
        search_ms: Latency::of(searches),
        insert_ms: Latency::of(inserts),
    })
}

fn scores(set: &Set, rankings: &[Ranking]) -> Option<Scores> {
    let of = |answerable: bool| {
        let mut scores: Vec<f64> = set
            .questions
            .iter()
            .zip(rankings)
            .filter(|(question, _)| question.answers.is_empty() != answerable)
            .map(|(_, ranking)| ranking.top_score)
            .collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let (answered, unanswered) = (of(true), of(false));
    (!unanswered.is_empty()).then(|| Scores {
        answered_p10: percentile(&answered, 0.1),
        answered_p50: percentile(&answered, 0.5),
        unanswered_p50: percentile(&unanswered, 0.5),
        unanswered_p90: percentile(&unanswered, 0.9),
    })
}

/// Writes an entry; returns how long it took, in milliseconds.
async fn put(ctx: &Ctx, key: &str, draft: EntryDraft) -> Result<f64, Failure> {
    let began = Instant::now();
    memory::put(ctx, NAMESPACE, key, draft, Expect::Any, memory::source(ctx)).await?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

async fn ask(ctx: &Ctx, question: &str, mode: SearchMode) -> Result<(f64, Ranking), Failure> {
    // More than the face takes at once is cut, alike for every question of that length.
    let query: String = question.chars().take(1000).collect();
    let began = Instant::now();
    let found = memory::search(ctx, &Search { limit: DEPTH as u32, mode, ..Search::text(&query) }).await?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    if let Some(why) = found.degraded {
        return Err(Failure::failed(format!("a search had to do without vectors: {why}")));
    }
    let top_score = found.hits.first().map_or(0.0, |hit| hit.score);
    Ok((took, Ranking { ids: found.hits.into_iter().map(|hit| hit.entry.key).collect(), top_score }))
}

/// Numbers that look random and are the same each time.
///
/// Source: Marsaglia 2003, "Xorshift RNGs".
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A word's number: few words are frequent, most are rare.
    fn word(&mut self) -> usize {
        let uniform = (self.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        (uniform.powi(4) * VOCABULARY as f64) as usize
    }
}

/// A made-up word for a number; no two alike.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za"];
    let mut rest = number + 16;
    let mut text = String::new();
    while rest > 0 {
        text.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    text
}

async fn measure_speed(ctx: &Ctx, entries: u32) -> Result<Vec<Figure>, Failure> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    // The index is there from the beginning, so that each write also goes into it.
    ask(ctx, &word(0), SearchMode::Text).await?;
    let mut inserts = Vec::with_capacity(entries as usize);
    for number in 0..entries {
        let words: Vec<String> = (0..WORDS).map(|_| word(dice.word())).collect();
        // Half of them belong to conversations of 50.
        let group = (number % 2 == 0).then(|| format!("talk {}", number / 100));
        let position = group.is_some().then_some(i64::from(number));
        let draft = EntryDraft { content: words.join(" "), group, position, ..EntryDraft::default() };
        inserts.push(put(ctx, &format!("k{number}"), draft).await?);
    }
    let mut searches = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let words = 2 + dice.roll() as usize % 6;
        let asked: Vec<String> = (0..words).map(|_| word(dice.word().max(STOP_WORDS))).collect();
        searches.push(ask(ctx, &format!("{}?", asked.join(" ")), SearchMode::Text).await?.0);
    }
    let (insert, search) = (Latency::of(inserts), Latency::of(searches));
    let figure = |name, title, bar, value| Figure::of(name, title, "ms", bar, vec![value]);
    Ok(vec![
        figure("insert_p50", "a write, half of them", Bar::AtMost(INSERT_P50_MS), insert.p50),
        figure("insert_p95", "a write, 95 of 100", Bar::None, insert.p95),
        figure("search_p50", "a search, half of them", Bar::None, search.p50),
        figure("search_p95", "a search, 95 of 100", Bar::AtMost(SEARCH_P95_MS), search.p95),
        figure("search_p99", "a search, 99 of 100", Bar::None, search.p99),
    ])
}

pub(super) fn show(global: &Global, report: &Report) {
    if global.json {
        return out::json(report);
    }
    let columns = [
        Column::left("Set"),
        Column::left("Ranking"),
        Column::right("Recall@5"),
        Column::right("Recall@10"),
        Column::right("nDCG@10"),
        Column::right("Separation"),
        Column::right("Search p50"),
        Column::right("p95"),
        Column::right("p99 ms"),
        Column::right("Insert p50 ms"),
    ];
    let mut rows = Vec::new();
    for set in &report.sets {
        let figures = |quality: &Quality| {
            let separation = quality.separation.map(|value| format!("{value:.2}")).unwrap_or_default();
            [quality.recall_5, quality.recall_10, quality.ndcg_10]
                .map(|value| format!("{value:.3}"))
                .into_iter()
                .chain([separation])
        };
        let times = [set.search_ms.p50, set.search_ms.p95, set.search_ms.p99, set.insert_ms.p50];
        let name = format!("{} ({} entries, {} questions)", set.set, set.entries, set.questions + set.unanswerable);
        let ours = [name, "weft".to_owned()].into_iter().chain(figures(&set.weft));
        rows.push(ours.chain(times.map(|time| format!("{time:.2}"))).collect::<Vec<_>>());
        for (name, quality) in [("weft, vectors alone", set.vector), ("weft, hybrid", set.hybrid)] {
            let Some(quality) = quality else { continue };
            let row = [String::new(), name.to_owned()].into_iter().chain(figures(&quality));
            rows.push(row.chain(std::iter::repeat_n(String::new(), 4)).collect());
        }
        let theirs = [String::new(), "textbook BM25".to_owned()].into_iter().chain(figures(&set.textbook));
        rows.push(theirs.chain(std::iter::repeat_n(String::new(), 4)).collect());
    }
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    for (set, scores) in report.sets.iter().filter_map(|set| Some((&set.set, set.scores?))) {
        out::line(format_args!(
            "{set}: best scores with an answer {:.2} (10 of 100 lower), {:.2} (half); without one {:.2} (half), {:.2} (90 of 100 lower)",
            scores.answered_p10, scores.answered_p50, scores.unanswered_p50, scores.unanswered_p90
        ));
    }
    for figure in &report.figures {
        let met = match (figure.bar, figure.met) {
            (Some(bar), Some(true)) => format!(", at most {bar} asked for: met"),
            (Some(bar), _) => format!(", at most {bar} asked for: missed"),
            (None, _) => String::new(),
        };
        out::line(format_args!("{}: {:.2} {}{met}", figure.title, figure.median, figure.unit));
    }
}
