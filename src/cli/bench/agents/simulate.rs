//! A discrete simulation: tasks come, agents work at as many as they may, and a rule says who has which.
//!
//! Time is counted, not waited for. Every rule has the same tasks, the same agents and the same luck.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use super::world::{ATTEMPTS, Outcome, Rng, World};
use crate::agents::assign::{Open, Task, assign, kind_of};
use crate::cli::Failure;
use crate::model::Timestamp;
use crate::model::agent::Weights;

/// Who has the next task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The agent with the best score, whether it is busy or not; the task waits for it.
    Score,
    /// Tasks wait in one line; whoever has been free longest takes the first.
    FirstCome,
    /// Any agent; the task waits for it.
    Random,
}

/// What came of it.
pub(super) struct Played {
    /// From the first task to the end of the last, in seconds.
    pub makespan_s: f64,
    /// From when a task could begin to when it did, on average, in seconds.
    pub wait_s: f64,
    /// What each decision took by the clock of this machine, in milliseconds; only the score is measured.
    pub costs_ms: Vec<f64>,
}

/// What happens, in the order in which it does: the moment, then a number that keeps what is simultaneous in order.
type Event = Reverse<(i64, u64, What)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Comes { job: usize, attempt: u32 },
    Ends { job: usize, attempt: u32, agent: usize },
}

/// A task that waits.
#[derive(Clone, Copy)]
struct Waiting {
    job: usize,
    attempt: u32,
    since_ms: i64,
}

struct Simulation {
    world: World,
    rule: Rule,
    rng: Rng,
    events: BinaryHeap<Event>,
    count: u64,
    /// The one line of [`Rule::FirstCome`], and the places that are free, the longest first.
    line: VecDeque<Waiting>,
    free: VecDeque<usize>,
    /// What waits for each agent.
    queues: Vec<VecDeque<Waiting>>,
    /// What each works at, in the order of the `open` of its candidate, of which what waits comes last.
    working: Vec<Vec<usize>>,
    waited_ms: i64,
    begun: i64,
    costs_ms: Vec<f64>,
}

/// Plays a world to its end.
pub(super) fn simulate(world: World, rule: Rule, seed: u64) -> Result<Played, Failure> {
    let agents = world.candidates.len();
    let places: Vec<u32> = world.candidates.iter().map(|one| one.parallel.unwrap_or(1)).collect();
    let most = places.iter().copied().max().unwrap_or(0);
    // A place of each agent after a place of each other.
    let free = (0..most).flat_map(|round| (0..agents).map(move |agent| (round, agent)));
    let free = free.filter(|(round, agent)| *round < places[*agent]).map(|(_, agent)| agent).collect();
    let mut simulation = Simulation {
        rule,
        rng: Rng::new(seed),
        events: BinaryHeap::new(),
        count: 0,
        line: VecDeque::new(),
        free,
        queues: vec![VecDeque::new(); agents],
        working: vec![Vec::new(); agents],
        waited_ms: 0,
        begun: 0,
        costs_ms: Vec::new(),
        world,
    };
    for job in 0..simulation.world.jobs.len() {
        let at_ms = simulation.world.jobs[job].at_ms;
        simulation.plan(at_ms, What::Comes { job, attempt: 0 });
    }
    simulation.play()
}

impl Simulation {
    fn plan(&mut self, at_ms: i64, what: What) {
        self.count += 1;
        self.events.push(Reverse((at_ms, self.count, what)));
    }

    fn play(mut self) -> Result<Played, Failure> {
        let (mut first_ms, mut last_ms) = (None, 0);
        while let Some(Reverse((now_ms, _, what))) = self.events.pop() {
            first_ms.get_or_insert(now_ms);
            last_ms = now_ms;
            match what {
                What::Comes { job, attempt } => self.give(Waiting { job, attempt, since_ms: now_ms }, now_ms)?,
                What::Ends { job, attempt, agent } => self.end(job, attempt, agent, now_ms),
            }
        }
        Ok(Played {
            makespan_s: (last_ms - first_ms.unwrap_or(0)) as f64 / 1_000.0,
            wait_s: self.waited_ms as f64 / 1_000.0 / self.begun.max(1) as f64,
            costs_ms: self.costs_ms,
        })
    }

    /// Gives a task to whom the rule says.
    fn give(&mut self, waiting: Waiting, now_ms: i64) -> Result<(), Failure> {
        let agent = match self.rule {
            Rule::FirstCome => {
                self.line.push_back(waiting);
                self.serve(now_ms);
                return Ok(());
            }
            Rule::Random => self.rng.below(self.queues.len()),
            Rule::Score => self.choose(waiting.job, now_ms)?,
        };
        let kind = kind_of(&self.world.jobs[waiting.job].asks);
        self.world.candidates[agent].open.push(Open { kind, priority: 5, began_at: None });
        self.queues[agent].push_back(waiting);
        self.next_of(agent, now_ms);
        Ok(())
    }

    /// The agent that the product would choose, with what that takes.
    fn choose(&mut self, job: usize, now_ms: i64) -> Result<usize, Failure> {
        let (candidates, asks) = (&self.world.candidates, &self.world.jobs[job].asks);
        let began = Instant::now();
        let kind = kind_of(asks);
        let task = Task { expertise: asks, kind: &kind, priority: 5, after: 0 };
        let chosen = assign(&task, candidates, &Weights::default(), Timestamp(now_ms * 1_000));
        self.costs_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
        let chosen = chosen.map_err(|error| Failure::failed(error.to_string()))?;
        let place = candidates.iter().position(|one| one.agent == chosen.agent);
        place.ok_or_else(|| Failure::failed("an agent was chosen that there is not"))
    }

    /// Begins what waits in the one line for as long as a place is free.
    fn serve(&mut self, now_ms: i64) {
        while let (Some(agent), Some(waiting)) = (self.free.front().copied(), self.line.front().copied()) {
            self.free.pop_front();
            self.line.pop_front();
            self.begin(agent, waiting, now_ms);
        }
    }

    /// Begins what waits for an agent for as long as it has a place.
    fn next_of(&mut self, agent: usize, now_ms: i64) {
        let places = self.world.candidates[agent].parallel.unwrap_or(1) as usize;
        while self.working[agent].len() < places {
            let Some(waiting) = self.queues[agent].pop_front() else { return };
            let place = self.working[agent].len();
            self.world.candidates[agent].open[place].began_at = Some(Timestamp(now_ms * 1_000));
            self.begin(agent, waiting, now_ms);
        }
    }

    fn begin(&mut self, agent: usize, waiting: Waiting, now_ms: i64) {
        let Waiting { job, attempt, since_ms } = waiting;
        self.waited_ms += now_ms - since_ms;
        self.begun += 1;
        self.working[agent].push(job);
        let Outcome { takes_ms, .. } = self.world.work(job, agent, attempt);
        self.plan(now_ms + takes_ms, What::Ends { job, attempt, agent });
    }

    fn end(&mut self, job: usize, attempt: u32, agent: usize, now_ms: i64) {
        let place = self.working[agent].iter().position(|one| *one == job);
        if let Some(place) = place {
            self.working[agent].remove(place);
            if self.rule != Rule::FirstCome {
                self.world.candidates[agent].open.remove(place);
            }
        }
        let outcome = self.world.work(job, agent, attempt);
        let asks = self.world.jobs[job].asks.clone();
        self.world.note(agent, &asks, &outcome);
        // What failed so often is left, and counts as over.
        if !outcome.is_done && attempt + 1 < ATTEMPTS {
            self.plan(now_ms, What::Comes { job, attempt: attempt + 1 });
        }
        match self.rule {
            Rule::FirstCome => {
                self.free.push_back(agent);
                self.serve(now_ms);
            }
            Rule::Score | Rule::Random => self.next_of(agent, now_ms),
        }
    }
}
