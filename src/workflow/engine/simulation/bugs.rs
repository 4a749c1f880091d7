//! Bugs that can be planted into the model, to see that the simulation would find them in the original.

use super::more::MORE;
use super::undone::{check_undone, unmarked};
use super::world::Sim;
use crate::model::workflow::{Ending, Event, Fact, UNDO};

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
    /// A sub-run is not told that the run which waits for it goes on again.
    SubRunsStayHeld,
    /// That a run has taken an event is not noted.
    EventTakenAgain,
    /// What was being undone when a process died is not gone on with.
    UndoNotGoneOn,
    /// A page that was asked for when a process died is not asked for again.
    PageNotAskedAgain,
    /// The row does not say which version a run was moved to.
    MoveNotNoted,
    /// A command is said to be withdrawn although its owner has taken it.
    WithdrawnThoughTaken,
}

/// Which of five thousand seeds is the first that finds it.
fn first_to_find(bug: Bug, from: u64) -> Option<u64> {
    (from..from + 5_000).find(|&seed| {
        let mut sim = Sim::new(seed);
        sim.plant(bug);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sim.run())).is_err()
    })
}

#[test]
fn planted_bugs_are_found() {
    let old = [
        Bug::FenceIgnored,
        Bug::SignalsForgottenAtTakeOver,
        Bug::ToldBeforeStored,
        Bug::PerformedBeforeStored,
        Bug::AnotherKeyForRepeat,
        Bug::LostTakenForStored,
        Bug::ReleaseForgetsSignals,
        Bug::ParentNotTold,
        Bug::SubRunsNotAbandoned,
        Bug::SubRunsStayHeld,
        Bug::EventTakenAgain,
    ];
    let new = [Bug::UndoNotGoneOn, Bug::PageNotAskedAgain, Bug::MoveNotNoted, Bug::WithdrawnThoughTaken];
    let bugs = old.map(|bug| (bug, 0)).into_iter().chain(new.map(|bug| (bug, MORE)));
    let mut report = String::new();
    for (bug, from) in bugs {
        let seed = first_to_find(bug, from).unwrap_or_else(|| panic!("{bug:?} is not found by 5000 seeds"));
        report += &format!("{bug:?}: found by seed {seed}\n");
    }
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("standard output");
}

/// The numbers of the events by which compensations begin, each step's first.
fn undone(history: &[Event]) -> Vec<usize> {
    let begins = |(_, event): &(usize, &Event)| {
        let undoes = event.step.as_deref().is_some_and(|path| path.starts_with(UNDO));
        undoes && matches!(event.fact, Fact::StepStarted { attempt: 1, .. })
    };
    history.iter().enumerate().filter(begins).map(|(at, _)| at).collect()
}

#[test]
fn what_the_seeds_with_more_are_about_happens_in_them() {
    let (mut pages, mut moves, mut forwarded, mut withdrawn, mut undid, mut let_go) = (0, 0, 0, 0, 0, 0);
    for seed in MORE..MORE + 200 {
        let mut sim = Sim::new(seed);
        sim.run();
        withdrawn += sim.withdrawn.len();
        forwarded += sim.served;
        for row in sim.tables.runs.values() {
            let count = |is: fn(&Fact) -> bool| row.history.iter().filter(|event| is(&event.fact)).count();
            pages += count(|fact| matches!(fact, Fact::PageCame { page: 1.., .. }));
            moves += count(|fact| matches!(fact, Fact::RunMigrated(_)));
            // A person cancelled it while it was paused.
            let went_on = |two: &&[Event]| {
                let turned = matches!(&two[0].fact, Fact::CompensationStarted { ending: Ending::Cancelled {} });
                turned && matches!(two[1].fact, Fact::RunResumed { by: None })
            };
            let_go += row.history.windows(2).filter(went_on).count();
            let begun = undone(&row.history);
            let path = |at: usize| unmarked(row.history[at].step.as_deref().unwrap_or_default());
            // Between two of one name there is no telling.
            let pair = begun.windows(2).find(|two| path(two[0]) != path(two[1]));
            let Some(&[first, second]) = pair else { continue };
            undid += 1;
            // In another order it is found out.
            let policy = sim.graphs[row.workflow].definition().compensation.unwrap_or_default();
            let mut tampered = row.history.clone();
            let path = tampered[first].step.clone();
            tampered[first].step = tampered[second].step.clone();
            tampered[second].step = path;
            let found = std::panic::catch_unwind(|| check_undone(&tampered, policy));
            assert!(
                found.is_err() || !row.is_ended,
                "two compensations of seed {seed} in another order are not noticed"
            );
        }
    }
    let found = [pages, moves, forwarded, withdrawn, undid, let_go];
    assert!(found.iter().all(|count| *count > 0), "pages, moves, forwarded, withdrawn, undone, let go: {found:?}");
}
