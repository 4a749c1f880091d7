//! `weft bench cache`: what answers given by meaning would save, and how many of them would be wrong, on labelled pairs of questions.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::super::table::{Column, Paint, table};
use super::super::{Failure, Global, out};
use super::vectors;
use crate::cache::replay::{self, Gated, Options, Pairs, Played, Rule, Vectors, Wrong};
use crate::memory::measure::percentile;
use crate::model::cache::{ERROR_BUDGETS, SemanticSettings, wilson};
use crate::runtime::Ctx;

/// Texts that are sent to the embedder at once.
const BATCH: usize = 64;
/// Thresholds below this are not played: what is less like is not looked at.
const LEAST_THRESHOLD: f64 = 0.7;
/// Wrong answers that are shown without `--json`.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files with lines such as {"a": "…", "b": "…", "same": true}, one set together. None: the set that is shipped.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What makes vectors: the folder of a model, such as weft-data/embedders/all-MiniLM-L6-v2, or --model behind this address, such
    /// as http://127.0.0.1:8080/v1 (as OpenAI's). Without it only the token gate is measured.
    #[arg(long, value_name = "FOLDER|URL")]
    embedder: Option<String>,
    /// The model that makes them behind an address.
    #[arg(long, value_name = "NAME", requires = "embedder")]
    model: Option<String>,
    /// Error budgets to play, with commas between: 0.001 to 0.2.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.005,0.01,0.02,0.05,0.1", value_parser = budget)]
    budgets: Vec<f64>,
    /// Single thresholds for all questions to play beside them, as cosines, with commas between: 0.7 to 1.
    #[arg(long, value_name = "COSINES", value_delimiter = ',', default_value = "0.8,0.85,0.9,0.95", value_parser = threshold)]
    thresholds: Vec<f64>,
    /// Days: each asks every question of the set once more.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Of 100 answers that are given, so many are checked.
    #[arg(long, default_value_t = SemanticSettings::default().shadow_percent, value_parser = clap::value_parser!(u32).range(0..=100))]
    shadow_percent: u32,
    /// The same seed asks in the same order and draws the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn budget(text: &str) -> Result<f64, String> {
    let (low, high) = ERROR_BUDGETS;
    let fits = |share: &f64| (low..=high).contains(share);
    text.trim().parse::<f64>().ok().filter(fits).ok_or_else(|| format!("expected a number from {low} to {high}"))
}

fn threshold(text: &str) -> Result<f64, String> {
    let fits = |cosine: &f64| (LEAST_THRESHOLD..=1.0).contains(cosine);
    text.trim().parse::<f64>().ok().filter(fits).ok_or_else(|| format!("expected a number from {LEAST_THRESHOLD} to 1"))
}

/// What one rule came to. Shares are from 0 to 1, and absent where there is nothing to share.
#[derive(Debug, Serialize)]
struct Measured {
    /// `learned` or `fixed`.
    rule: &'static str,
    /// The error budget, or the threshold.
    at: f64,
    questions: u64,
    exact: u64,
    unfit: u64,
    alone: u64,
    refused: u64,
    candidates: u64,
    explored: u64,
    hits: u64,
    checked: u64,
    /// Questions whose answer was kept for other words.
    possible: u64,
    /// Hits among the questions that were not there word for word; on the last day alone; among those that were possible.
    hit_rate: Option<f64>,
    hit_rate_last_day: Option<f64>,
    found: Option<f64>,
    wrong: u64,
    /// Of the wrong ones, those of which no line says so.
    wrong_unlabelled: u64,
    /// Wrong among the candidates: what the budget is promised for; with Wilson's interval.
    wrong_of_candidates: Option<f64>,
    wrong_low: f64,
    wrong_high: f64,
    /// Wrong among the hits.
    wrong_of_hits: Option<f64>,
    /// Wrong among the questions that were not there word for word: the same for every rule.
    wrong_of_asked: Option<f64>,
    /// Of the decision alone, without the database and the embedder.
    decision_us_p50: f64,
    decision_us_p99: f64,
    errors: Vec<Wrong>,
}

impl Measured {
    fn of(rule: Rule, mut played: Played) -> Self {
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let (wrong_low, wrong_high) = wilson(played.wrong as i64, played.candidates as i64);
        played.took_us.sort_by(f64::total_cmp);
        let asked = played.asked();
        let (rule, at) = match rule {
            Rule::Learned(budget) => ("learned", budget),
            Rule::Fixed(cosine) => ("fixed", cosine),
        };
        Self {
            rule,
            at,
            questions: played.questions,
            exact: played.exact,
            unfit: played.unfit,
            alone: played.alone,
            refused: played.refused,
            candidates: played.candidates,
            explored: played.explored,
            hits: played.given,
            checked: played.checked,
            possible: played.possible,
            hit_rate: share(played.given, asked),
            hit_rate_last_day: share(played.last_day.1, played.last_day.0),
            found: share(played.given - played.wrong, played.possible),
            wrong: played.wrong,
            wrong_unlabelled: played.unlabelled,
            wrong_of_candidates: share(played.wrong, played.candidates),
            wrong_low,
            wrong_high,
            wrong_of_hits: share(played.wrong, played.given),
            wrong_of_asked: share(played.wrong, asked),
            decision_us_p50: percentile(&played.took_us, 0.5),
            decision_us_p99: percentile(&played.took_us, 0.99),
            errors: played.errors,
        }
    }
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    engine: &'static str,
    version: &'static str,
    cores: u32,
    files: Vec<String>,
    pairs: usize,
    same: usize,
    texts: usize,
    rounds: u32,
    seed: u64,
    shadow_percent: u32,
    gate: Vec<Gated>,
    /// Without `--embedder` nothing of what follows is measured.
    model: Option<String>,
    dims: Option<usize>,
    played: Vec<Measured>,
}

/// The pairs, with the names of their files.
pub(super) fn pairs(arguments: &Arguments) -> Result<(Vec<String>, Pairs), Failure> {
    if arguments.files.is_empty() {
        return Ok((vec!["questions.jsonl (shipped)".to_owned()], Pairs::shipped()));
    }
    let mut read = Vec::new();
    for file in &arguments.files {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))?;
        read.push((file.display().to_string(), text));
    }
    let files: Vec<(&str, &str)> = read.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let pairs = Pairs::parse(&files).map_err(Failure::usage)?;
    Ok((read.into_iter().map(|(name, _)| name).collect(), pairs))
}

/// What can be told without vectors.
pub(super) fn measure_gate(arguments: &Arguments, (files, set): (Vec<String>, &Pairs)) -> Report {
    Report {
        engine: "Weft",
        version: env!("CARGO_PKG_VERSION"),
        cores: super::cores(),
        files,
        pairs: set.pairs.len(),
        same: set.pairs.iter().filter(|pair| pair.same).count(),
        texts: set.texts.len(),
        rounds: arguments.rounds,
        seed: arguments.seed,
        shadow_percent: arguments.shadow_percent,
        gate: replay::gate(set),
        model: None,
        dims: None,
        played: Vec::new(),
    }
}

/// What makes vectors, if anything.
pub(super) fn vectors(arguments: &Arguments) -> Result<Option<vectors::Vectors>, Failure> {
    vectors::Vectors::of(arguments.embedder.as_deref(), arguments.model.as_deref())
}

/// The rest, with these vectors.
pub(super) async fn measure(
    ctx: &Ctx,
    arguments: &Arguments,
    set: &Pairs,
    by: &vectors::Vectors,
    report: Report,
) -> Result<Report, Failure> {
    let asked = by.provide(ctx).await?;
    let mut made = Vec::with_capacity(set.texts.len());
    for texts in set.texts.chunks(BATCH) {
        // As in use: white space around a question says nothing.
        let texts = texts.iter().map(|text| text.trim().to_owned()).collect();
        made.extend(by.make(ctx, &asked, texts).await?);
    }
    let vectors = Vectors::new(set, made).map_err(Failure::failed)?;
    let Arguments { rounds, seed, shadow_percent, .. } = *arguments;
    let options = Options { rounds, seed, shadow_percent };
    let learned = arguments.budgets.iter().map(|budget| Rule::Learned(*budget));
    let fixed = arguments.thresholds.iter().map(|cosine| Rule::Fixed(*cosine));
    let played = learned.chain(fixed).map(|rule| Measured::of(rule, replay::play(set, &vectors, rule, options)));
    Ok(Report { model: Some(by.name().to_owned()), dims: Some(vectors.dims()), played: played.collect(), ..report })
}

pub(super) fn show(global: &Global, report: &Report) {
    if global.json {
        return out::json(report);
    }
    out::line(format_args!(
        "{}: {} pairs, {} with the same answer and {} with another, {} questions",
        report.files.join(", "),
        report.pairs,
        report.same,
        report.pairs - report.same,
        report.texts
    ));
    show_gate(&report.gate);
    let (Some(model), Some(dims)) = (&report.model, report.dims) else {
        out::line("\nOnly the token gate was measured: hits and errors take vectors, made by --embedder.");
        return;
    };
    out::line(format_args!(
        "\n{model} ({dims} numbers), {} days, {} of 100 hits checked, seed {}",
        report.rounds, report.shadow_percent, report.seed
    ));
    show_played(&report.played);
    let widest = |rule: &str| report.played.iter().rfind(|one| one.rule == rule);
    if let Some(measured) = widest("learned") {
        show_errors(measured);
    }
}

fn show_gate(kinds: &[Gated]) {
    let columns = [
        Column::left("Token gate"),
        Column::right("Same"),
        Column::right("let pass"),
        Column::right("Another"),
        Column::right("stopped"),
    ];
    let row = |name: &str, [same, passed, different, stopped]: [usize; 4]| {
        let of = |part: usize, of: usize| {
            (part * 100).checked_div(of).map_or(String::new(), |share| format!("{part} ({share} %)"))
        };
        let count = |of: usize| if of == 0 { String::new() } else { of.to_string() };
        vec![name.to_owned(), count(same), of(passed, same), count(different), of(stopped, different)]
    };
    let mut sums = [0; 4];
    let mut rows = Vec::new();
    for kind in kinds {
        let counts = [kind.same, kind.passed, kind.different, kind.stopped];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        rows.push(row(if kind.kind.is_empty() { "(no kind)" } else { &kind.kind }, counts));
    }
    rows.push(row("all", sums));
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
}

fn show_played(played: &[Measured]) {
    let columns = [
        Column::left("Given"),
        Column::right("Asked"),
        Column::right("Exact"),
        Column::right("Refused"),
        Column::right("Alike"),
        Column::right("Explored"),
        Column::right("Hits"),
        Column::right("Hit rate"),
        Column::right("last day"),
        Column::right("Found"),
        Column::right("Wrong"),
        Column::right("of alike (95 %)"),
        Column::right("of hits"),
        Column::right("of asked"),
        Column::right("p50 µs"),
        Column::right("p99 µs"),
    ];
    let percent = |share: Option<f64>| share.map(|share| format!("{:.2} %", share * 100.0)).unwrap_or_default();
    let row = |one: &Measured| {
        let name = match one.rule {
            "learned" => format!("budget {}", one.at),
            _ => format!("cosine {}", one.at),
        };
        let interval = format!("({:.2}–{:.2})", one.wrong_low * 100.0, one.wrong_high * 100.0);
        vec![
            name,
            one.questions.to_string(),
            one.exact.to_string(),
            one.refused.to_string(),
            one.candidates.to_string(),
            one.explored.to_string(),
            one.hits.to_string(),
            percent(one.hit_rate),
            percent(one.hit_rate_last_day),
            percent(one.found),
            one.wrong.to_string(),
            format!("{} {interval}", percent(one.wrong_of_candidates)),
            percent(one.wrong_of_hits),
            percent(one.wrong_of_asked),
            format!("{:.0}", one.decision_us_p50),
            format!("{:.0}", one.decision_us_p99),
        ]
    };
    out::line(table(Paint::of_stdout(), &columns, played.iter().map(row).collect()).trim_end());
}

fn show_errors(measured: &Measured) {
    out::line(format_args!("\nWrong at a budget of {}: {} pairs of questions", measured.at, measured.errors.len()));
    for one in measured.errors.iter().take(SHOWN) {
        let known = if one.labelled { "" } else { ", of which no line says so" };
        out::line(format_args!(
            "{:>4} times, likeness {:.3}: {:?} got the answer of {:?}{known}",
            one.times, one.similarity, one.asked, one.kept
        ));
    }
    if measured.errors.len() > SHOWN {
        out::line(format_args!("     and {} more: --json has all", measured.errors.len() - SHOWN));
    }
}
