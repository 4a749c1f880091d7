//! Agents: named configurations of a model that works with tools, their versions, the list of what they did, the queue of what
//! waits for one of them, the leases by which they keep out of each other's way, what they write to each other ([`bus`]), and the
//! trial of hooks ([`hooks`]).
//!
//! Owns agents, what each was at every version, whether one is stopped, and a row for each task. Promises: each change makes a new
//! version; a change that began at an older one is refused; who stopped an agent is kept, and an agent that is stopped or deleted
//! may do nothing from then on, in whatever process it works ([`is_stopped`]). What does not fit is refused with the field's place.
//!
//! Refuses to be the truth about work: what an agent did and what it cost stands in the history of its run and in the log of
//! calls. A task's row is a note of the step that works, written over by its next one, and kept for 90 days.
//!
//! The design: a run keeps the agent that it began with, so that nothing here changes what is under way; only stopping does. What
//! fits is decided purely (`validate`), so is which agent a task is given ([`assign`]), and who gets a lease ([`leases`]).

pub mod assign;
pub mod bus;
pub mod comparisons;
mod error;
pub mod hooks;
pub mod leases;
mod manage;
pub mod queue;
mod retention;
mod store;
mod tasks;
mod validate;

pub use error::{Error, Result};
pub use manage::{
    create, delete, find_by_name, get, get_version, halt, is_stopped, list, list_templates, list_versions, update,
};
pub use retention::{boot, forget};
pub use tasks::{
    Note, Spent, close_task, has_task, list_above, list_paused_runs, note_given, note_task, sum_spent, tell_of_run,
};
