//! Who is given which task: the makespan of the score against first come, first served, and chance; and what a decision costs.
//!
//! The agents are simulated, the rule is the product's. Nothing is asked of a model, and no database is needed.

mod simulate;
mod world;

use clap::Args;

use self::simulate::{Rule, simulate};
use self::world::World;
use super::{Bar, Figure, Report, report};
use crate::cli::Failure;

/// What a decision may cost, in milliseconds: 99 of 100.
const COST_BAR_MS: f64 = 1.0;

#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {
    /// Tasks.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    tasks: u32,
    /// Agents.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    agents: u32,
    /// Milliseconds from one task to the next on average, where they come as a stream.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    gap_ms: u32,
    /// Where chance begins; each round has a seed of its own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often each figure is taken, each time with other tasks and agents.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
}

/// How tasks come, and the names and titles of what is measured for each rule: makespan and wait.
struct Coming {
    is_stream: bool,
    names: [[(&'static str, &'static str); 2]; 3],
    gain: (&'static str, &'static str),
}

const RULES: [Rule; 3] = [Rule::Score, Rule::FirstCome, Rule::Random];

const COMINGS: [Coming; 2] = [
    Coming {
        is_stream: false,
        names: [
            [("makespan", "all at once, by score: makespan"), ("wait", "… a task waits on average")],
            [("makespan_first", "… first come, first served: makespan"), ("wait_first", "… a task waits on average")],
            [("makespan_random", "… by chance: makespan"), ("wait_random", "… a task waits on average")],
        ],
        gain: ("gain", "… the score's makespan against first come"),
    },
    Coming {
        is_stream: true,
        names: [
            [("stream", "as a stream, by score: makespan"), ("stream_wait", "… a task waits on average")],
            [
                ("stream_first", "… first come, first served: makespan"),
                ("stream_wait_first", "… a task waits on average"),
            ],
            [("stream_random", "… by chance: makespan"), ("stream_wait_random", "… a task waits on average")],
        ],
        gain: ("stream_gain", "… the score's makespan against first come"),
    },
];

pub(super) fn measure(options: &Arguments) -> Result<Report, Failure> {
    let mut figures = Vec::new();
    let (mut medians, mut slowest) = (Vec::new(), Vec::new());
    for coming in &COMINGS {
        let mut taken: [[Vec<f64>; 2]; 3] = Default::default();
        for round in 0..u64::from(options.rounds) {
            let seed = options.seed.wrapping_add(round);
            let gap_ms = if coming.is_stream { f64::from(options.gap_ms) } else { 0.0 };
            for (rule, [makespans, waits]) in RULES.into_iter().zip(&mut taken) {
                let world = World::new(seed, options.tasks, options.agents, gap_ms);
                let mut result = simulate(world, rule, seed)?;
                makespans.push(result.makespan_s);
                waits.push(result.wait_s);
                if rule == Rule::Score {
                    result.costs_ms.sort_by(f64::total_cmp);
                    medians.extend(place(&result.costs_ms, 50));
                    slowest.extend(place(&result.costs_ms, 99));
                }
            }
        }
        let gains = taken[0][0].iter().zip(&taken[1][0]).map(|(score, first)| score / first.max(1e-9)).collect();
        let (name, title) = coming.gain;
        for (of_rule, values) in coming.names.iter().zip(taken) {
            for ((name, title), values) in of_rule.iter().zip(values) {
                figures.push(Figure::of(name, title, "s", Bar::None, values));
            }
        }
        figures.push(Figure::of(name, title, "times", Bar::None, gains));
    }
    figures.push(Figure::of("cost_p50", "a decision, the median", "ms", Bar::None, medians));
    figures.push(Figure::of("cost_p99", "… 99 of 100 within", "ms", Bar::AtMost(COST_BAR_MS), slowest));
    Ok(report("Weft", "", figures))
}

/// The value that so many of a hundred are not above, of values in order.
fn place(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makespan and wait, where agents who know what they do have four fifths of their time full.
    fn played(rule: Rule, seed: u64) -> (i64, i64) {
        let Ok(result) = simulate(World::new(seed, 200, 10, 5_000.0), rule, seed) else {
            panic!("is played to its end")
        };
        ((result.makespan_s * 1_000.0).round() as i64, (result.wait_s * 1_000.0).round() as i64)
    }

    #[test]
    fn the_same_seed_plays_the_same_and_another_one_does_not() {
        for rule in RULES {
            assert_eq!(played(rule, 7), played(rule, 7), "{rule:?}");
            assert_ne!(played(rule, 7), played(rule, 8), "{rule:?}");
        }
    }

    #[test]
    fn tasks_that_come_as_a_stream_wait_less_and_are_over_sooner_by_score() {
        let sums = |rule| {
            let played = (1..=5).map(|seed| played(rule, seed));
            played.fold((0, 0), |(makespan, wait), (one, other)| (makespan + one, wait + other))
        };
        let (score, first, chance) = (sums(Rule::Score), sums(Rule::FirstCome), sums(Rule::Random));
        assert!(score.0 < first.0 && score.0 < chance.0, "makespan: {score:?} {first:?} {chance:?}");
        assert!(score.1 < first.1 && score.1 < chance.1, "wait: {score:?} {first:?} {chance:?}");
    }
}
