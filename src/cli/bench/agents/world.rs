//! Tasks and agents to be simulated, all of them from a seed: the same numbers on every machine.

use crate::agents::assign::{Candidate, History, Ties};
use crate::model::AgentId;

/// What tasks ask for and agents know.
const WORDS: [&str; 8] = ["rust", "sql", "css", "law", "tests", "docs", "data", "ops"];
/// How much longer a task takes whoever does not know what it asks for.
const UNSKILLED: f64 = 2.5;
/// Tasks that each agent did before the first that is measured, and how many of a hundred were of what it knows.
const EARLIER: u32 = 20;
const EARLIER_KNOWN: u64 = 60;
/// Times that a task is given before it is left.
pub(super) const ATTEMPTS: u32 = 3;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// 0 to below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// From `low` to below `high`, evenly.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * unit(self.next())
    }
}

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 0.0 to below 1.0.
fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// One of the tasks.
pub(super) struct Job {
    /// When it is given, in milliseconds.
    pub at_ms: i64,
    /// What it asks for.
    pub asks: Vec<String>,
    /// What it takes somebody of usual pace who knows that, in milliseconds.
    usual_ms: f64,
}

/// One of the agents, as it is and as nobody but the simulation knows it.
struct Worker {
    /// Times the usual; less is faster.
    pace: f64,
    /// Of a hundred tasks that it knows, those that it gets done; half as many again fail of those that it does not.
    reliable: u64,
}

/// What there is to do, and who may do it.
pub(super) struct World {
    pub jobs: Vec<Job>,
    /// As assignment sees them: with what each knows and did before.
    pub candidates: Vec<Candidate>,
    workers: Vec<Worker>,
    seed: u64,
}

/// What comes of a task that an agent works at.
pub(super) struct Outcome {
    pub takes_ms: i64,
    pub is_done: bool,
}

impl World {
    /// So many tasks and agents; `gap_ms` on average from one task to the next, 0 for all at once.
    pub(super) fn new(seed: u64, tasks: u32, agents: u32, gap_ms: f64) -> Self {
        let mut rng = Rng::new(mix(seed));
        let usual: Vec<f64> = WORDS.iter().map(|_| rng.between(20_000.0, 120_000.0)).collect();
        let mut at_ms = 0.0;
        let jobs = (0..tasks).map(|_| {
            // Exponential gaps: tasks come independently of each other.
            at_ms -= gap_ms * (1.0 - rng.between(0.0, 1.0)).ln();
            let word = rng.below(WORDS.len());
            let usual_ms = usual[word] * rng.between(0.5, 1.5);
            Job { at_ms: at_ms as i64, asks: vec![WORDS[word].to_owned()], usual_ms }
        });
        let jobs: Vec<Job> = jobs.collect();
        let mut world = Self { jobs, candidates: Vec::new(), workers: Vec::new(), seed };
        for number in 0..agents {
            world.hire(number, &usual, &mut rng);
        }
        world
    }

    /// Adds an agent that has worked before.
    fn hire(&mut self, number: u32, usual: &[f64], rng: &mut Rng) {
        let mut known: Vec<usize> = (0..WORDS.len()).collect();
        let words = 1 + rng.below(3);
        while known.len() > words {
            known.swap_remove(rng.below(known.len()));
        }
        let parallel = 1 + rng.below(3) as u32;
        self.workers.push(Worker { pace: rng.between(0.6, 1.8), reliable: 85 + rng.below(15) as u64 });
        self.candidates.push(Candidate {
            agent: AgentId(uuid::Uuid::from_u128(u128::from(number))),
            name: format!("agent-{number:02}"),
            kept_out: None,
            expertise: known.iter().map(|word| WORDS[*word].to_owned()).collect(),
            parallel: Some(parallel),
            open: Vec::new(),
            history: History::default(),
            ties: Ties::default(),
        });
        let agent = self.workers.len() - 1;
        for _ in 0..EARLIER {
            let is_known = rng.below(100) < EARLIER_KNOWN as usize;
            let word = if is_known { known[rng.below(known.len())] } else { rng.below(WORDS.len()) };
            let usual_ms = usual[word] * rng.between(0.5, 1.5);
            let asks = [WORDS[word].to_owned()];
            let outcome = self.what_comes(agent, &asks, usual_ms, rng.next());
            self.note(agent, &asks, &outcome);
        }
    }

    /// What comes of a task with an agent at its attempt, from 0: the same whoever assigned it.
    pub(super) fn work(&self, job: usize, agent: usize, attempt: u32) -> Outcome {
        let Job { asks, usual_ms, .. } = &self.jobs[job];
        let place = ((job as u64) << 32) | ((agent as u64) << 8) | u64::from(attempt);
        self.what_comes(agent, asks, *usual_ms, mix(mix(self.seed) ^ place))
    }

    fn what_comes(&self, agent: usize, asks: &[String], usual_ms: f64, chance: u64) -> Outcome {
        let (worker, candidate) = (&self.workers[agent], &self.candidates[agent]);
        let knows = asks.iter().all(|word| candidate.expertise.contains(word));
        let reliable =
            if knows { worker.reliable } else { worker.reliable.saturating_sub((100 - worker.reliable) / 2) };
        let takes = usual_ms * worker.pace * if knows { 1.0 } else { UNSKILLED };
        Outcome { takes_ms: (takes as i64).max(1), is_done: chance % 100 < reliable }
    }

    /// Adds what came of a task to what is known of an agent.
    pub(super) fn note(&mut self, agent: usize, asks: &[String], outcome: &Outcome) {
        let history = &mut self.candidates[agent].history;
        if outcome.is_done {
            history.add_done(&crate::agents::assign::kind_of(asks), outcome.takes_ms);
        } else {
            history.add_failed();
        }
    }
}
