//! Bugs that can be planted into the model, to see that the simulation would find them in the original.

use super::world::Sim;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A process that has lost a run still writes.
    FenceIgnored,
    /// Whoever takes a run over does not look for signals.
    SignalsForgottenAtTakeOver,
    /// People are told of a change before it is stored.
    ToldBeforeStored,
    /// Attempts begin before what led to them is stored.
    PerformedBeforeStored,
    /// An attempt that is begun anew gets a key of its own.
    AnotherKeyForRepeat,
    /// A change whose answer was lost is taken for stored.
    LostTakenForStored,
    /// A run that is given back does not wake for what has reached it.
    ReleaseForgetsSignals,
    /// Who waits for a sub-run is not told of its end.
    ParentNotTold,
    /// A sub-run goes on when nobody waits for it any more.
    SubRunsNotAbandoned,
}

/// In how many seeds the first is that finds it.
fn first_to_find(bug: Bug) -> Option<u64> {
    (0..5_000).find(|&seed| {
        let mut sim = Sim::new(seed);
        sim.plant(bug);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sim.run())).is_err()
    })
}

#[test]
fn planted_bugs_are_found() {
    let bugs = [
        Bug::FenceIgnored,
        Bug::SignalsForgottenAtTakeOver,
        Bug::ToldBeforeStored,
        Bug::PerformedBeforeStored,
        Bug::AnotherKeyForRepeat,
        Bug::LostTakenForStored,
        Bug::ReleaseForgetsSignals,
        Bug::ParentNotTold,
        Bug::SubRunsNotAbandoned,
    ];
    let mut report = String::new();
    for bug in bugs {
        let seed = first_to_find(bug).unwrap_or_else(|| panic!("{bug:?} is not found by 5000 seeds"));
        report += &format!("{bug:?}: found by seed {seed}\n");
    }
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("standard output");
}
