//! Time travel: forks of runs, what differs between two, and runs replayed as tests of another definition.
//!
//! Owns how a history is copied into a new run, which edits keep it true, and the regression tests of a workflow. Promises
//! that a fork never runs a step again whose result it kept, that what it kept fits the definition it goes on with, and
//! that a replay has no effect: it starts nothing, asks nobody and stores nothing. Refuses definitions that differ where
//! the run already was, naming the step.
//!
//! A fork copies facts instead of pointing at them: the source may be deleted when its time has come. Large values stand in
//! payloads under their hash and are kept once for all.

mod bulk;
mod compare;
mod fork;
mod inside;
mod prefix;
mod regression;
mod replay;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_inside;

pub use bulk::{MAX_RUNS, control_many};
pub use compare::compare;
pub(super) use fork::lineage;
pub use fork::{MAX_COPIED, fork};
pub(super) use regression::check_gate;
pub use regression::{MAX_RECORDING_BYTES, MAX_TESTS, delete_test, list_tests, replay, run_tests, save_test, set_gate};
