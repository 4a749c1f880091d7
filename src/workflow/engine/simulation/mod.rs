//! The engine simulated: a seed decides workflows, faults, the clock and the order in which everything happens.
//!
//! **The product's own code:** the machine and the fold, and what an owner makes of them (`owner::mind`, `owner::signals`):
//! decisions, signals to take in, to put off and to send, approvals and events asked for and closed, what tells a parent and
//! its sub-runs, when a run rests.
//!
//! **Modelled, step by step, in the order of the original:** the loop of an owner (`owner.rs`: load, think, flush under a
//! fence, then acknowledge, tell and perform; let go), the writer that looks for a change before it repeats it
//! (`faults.rs`), a process with its alarm, claims, strays and leases (`process.rs`), and the tables (`tables.rs`), whose
//! transactions are those of `workflow::store`. A change there belongs here too.
//!
//! **What goes wrong:** a transaction is lost; it is applied and the answer is lost; it is applied after its caller gave up.
//! A repeat is thus a duplicate. It is never half applied, for that is what the databases promise. Reads fail. Processes
//! crash with transactions on their way, and others take over; they freeze past their leases and go on as zombies. The
//! clock jumps forward. Attempts end in any order; people command, vote, delegate, send events and fork at any moment.
//! From a certain seed on some steps are agents, whose pieces end as pieces do; from another on steps undo, maps have pages,
//! runs are moved to newer versions, and commands are forwarded between processes (`more.rs`); from a third on people give
//! steps that failed their outputs by hand (`given.rs`).
//! A seed has one process that is alone with its file, as on SQLite, where nothing is lost on the way; or two on one database.
//!
//! **Not modelled:** flow control (a queued run is let in at some moment), keys of steps, logs, payloads, the queue for
//! slots, time limits of attempts (they are one of the ways in which an attempt fails), presence and hints between processes,
//! grace at shutdown, and SQL.
//!
//! **Promised after each seed** (`check.rs`): no event that was acknowledged is lost, no vote either; an attempt begins only
//! after that is stored and never after its result is; each key names one attempt and is applied once; histories are
//! ones that a run can have and fold to the state that their owners had; approvals, events and signals in the tables are those
//! of the histories; with the faults turned off every run comes to rest and says for whom it waits, and its end when people
//! do what it waits for; sub-runs and those who wait for them hear of each other's end, and none is held because of a run
//! that goes on; what a run that ended badly did is
//! undone, the newest first, once, and a pause from before it was cancelled does not hold that; pages are asked for in their
//! order, and what came counts; a command is obeyed once at most, once if that was answered, and never if it was withdrawn;
//! the row says which version a run was moved to; each event is taken by each run once at most, the oldest first, and by
//! every run that waits for it.

mod bugs;
mod check;
mod corpus;
mod events;
mod faults;
mod generate;
mod given;
mod more;
mod owner;
mod people;
mod process;
mod rng;
mod tables;
mod undone;
mod work;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rng::Rng;
use world::Sim;

/// Seeds that failed once: a sub-run that was being started when its parent ended in a crash went on; a flush that only says
/// what was taken in was applied twice, once late; what came of an attempt inside of a container was taken for that of the
/// same number after the container was begun anew.
const REGRESSIONS: &[u64] =
    &[39_305, 39_394, 45_330, 49_645, 50_616, 58_370, 64_100, 71_915, 88_588, 89_069, 93_460, 182_596, 339_500];

/// A number from the environment of `make simulate`.
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found {text:?}")))
}

/// Runs the seeds of a range on every core; panics with those that failed.
fn simulate(seeds: std::ops::Range<u64>) {
    let began = Instant::now();
    let (next, turns, events) = (AtomicU64::new(seeds.start), AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || failed.lock().expect("no panic under this lock").len() >= 10 {
                return;
            }
            let mut sim = Sim::new(seed);
            match catch_unwind(AssertUnwindSafe(|| sim.run())) {
                Ok(()) => {
                    let stored: usize = sim.tables.runs.values().map(|row| row.history.len()).sum();
                    events.fetch_add(stored as u64, Ordering::Relaxed);
                    turns.fetch_add(sim.turns, Ordering::Relaxed);
                }
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    failed.lock().expect("no panic under this lock").push((seed, text.unwrap_or_default()));
                }
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let (seconds, count) = (began.elapsed().as_secs_f64(), seeds.end - seeds.start);
    let failed = failed.into_inner().expect("no panic under this lock");
    let list: Vec<String> =
        failed.iter().map(|(seed, text)| format!("make simulate SEED={seed}    # {text}")).collect();
    assert!(failed.is_empty(), "{} seeds failed; each again with:\n{}", failed.len(), list.join("\n"));
    let report = format!(
        "{count} seeds clean in {seconds:.1} s ({:.0} a second): {} turns, {} events stored",
        count as f64 / seconds,
        turns.into_inner(),
        events.into_inner(),
    );
    tracing::info!(report);
    std::io::Write::write_all(&mut std::io::stdout(), format!("{report}\n").as_bytes()).expect("standard output");
}

/// Runs one seed; where it fails, its histories are printed.
fn show(seed: u64) {
    let mut sim = Sim::new(seed);
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| sim.run())) else { return };
    let mut text = format!("{} processes, {} % of transactions fail\n", sim.processes.len(), sim.faults.percent);
    for (run, row) in &sim.tables.runs {
        let definition = serde_json::to_string(sim.graphs[row.workflow].definition()).expect("plain data");
        text += &format!("run {run}: {:?}, parent {:?}\n  {definition}\n", row.status, row.parent);
        for event in &row.history {
            text += &format!("  {}\n", serde_json::to_string(event).expect("plain data"));
        }
    }
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("standard output");
    std::panic::resume_unwind(panic);
}

#[test]
fn ten_thousand_seeds_keep_every_promise() {
    match (setting("WEFT_SIMULATE_SEED"), setting("WEFT_SIMULATE_SEEDS")) {
        (Some(seed), _) => show(seed),
        (None, count) => {
            let first = setting("WEFT_SIMULATE_FROM").unwrap_or(0);
            simulate(first..first + count.unwrap_or(10_000));
        }
    }
}

/// Agents do their work piece by piece: none is left out, and none is done again once it is stored.
#[test]
fn agents_keep_every_promise_too() {
    simulate(generate::AGENTS..generate::AGENTS + 3_000);
}

#[test]
fn seeds_that_failed_once_are_clean() {
    for &seed in REGRESSIONS {
        Sim::new(seed).run();
    }
}

#[test]
fn a_seed_is_the_same_each_time() {
    let histories = |seed| {
        let mut sim = Sim::new(seed);
        sim.run();
        sim.tables.runs.into_values().map(|row| row.history).collect::<Vec<_>>()
    };
    for seed in 0..50 {
        assert_eq!(histories(seed), histories(seed), "seed {seed}");
    }
}

#[test]
fn generated_workflows_are_ones_that_the_checker_accepts() {
    for seed in 0..300 {
        let rng = Rng::new(seed);
        for number in 0..generate::WORKFLOWS {
            let definition = generate::workflow(&rng, number);
            let problems = crate::model::workflow::check::check(&definition);
            let errors = crate::model::workflow::check::has_errors(&problems);
            assert!(!errors, "seed {seed}: {problems:#?}\n{definition:#?}");
        }
    }
}
