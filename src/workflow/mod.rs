//! Workflows that run durably.
//!
//! Owns definitions, runs and their histories. Promises that a run's state is always the fold of its history, that nothing
//! with an effect starts before what led to it is durable, that a finished step is never run again, and that a run goes on
//! after its process died. Refuses definitions with problems, inputs that don't fit their schema, and commands that the
//! run's status does not allow.
//!
//! The design: `machine` decides, purely; `engine` owns runs in motion and performs what was decided; `flow` lets runs begin;
//! `steps` is the work; `store` the tables. `runs`, `approvals`, `events`, `travel`, `assign`, `leases` and this file
//! are the face.

pub mod approvals;
pub mod assign;
mod bodies;
pub mod compare;
pub mod definitions;
mod engine;
mod error;
mod estimate;
pub mod events;
mod flow;
mod give;
mod give_task;
mod hand;
mod inputs;
pub mod leases;
mod machine;
mod prepared;
mod quotas;
mod reads;
mod retention;
mod runs;
mod start;
pub mod steps;
mod store;
mod team;
pub mod travel;
mod versions;
mod waiting;

use std::sync::Arc;

use crate::runtime::Runtime;

pub use bodies::{get_body, list_bodies};
pub use definitions::templates;
pub use engine::{Hearing, LogSink, Rounds, Stream};
pub use error::Error;
pub use estimate::estimate_cost;
pub use flow::why_waiting;
pub use give::give_output;
pub use give_task::{change_agent, give_task, let_work};
pub use quotas::{get_quotas, set_quotas};
pub use reads::list_memory_reads;
pub use retention::{get_retention, set_retention};
pub use runs::{NewRun, Origin, Source, control, get_run, list_events, list_logs, list_runs, wait_for_end};
pub use start::{start, start_fired};
pub use store::Occasion;
pub use team::{get_team, list_messages};
pub use versions::{check_migration, list_movable, migrate, migrate_all};
pub use waiting::{Answered, endings, get_status, get_workflow, wait_for_answer};

/// When to look for what other processes left behind in the database.
pub fn rounds(runtime: &Runtime) -> Rounds {
    engine::Engine::of(runtime).rounds(&runtime.db)
}

/// Starts what the engine does by itself: takes over what a dead process left, wakes what is due, forgets what is old.
///
/// Without it runs can be started and end, as a headless `weft run` does.
///
/// # Errors
/// The database's.
pub async fn boot(runtime: &Runtime) -> Result<(), Error> {
    let engine: Arc<engine::Engine> = engine::Engine::of(runtime);
    engine.boot(runtime).await?;
    leases::boot(runtime);
    runtime.tasks.spawn("folders of agents", steps::watch_folders(runtime.clone()));
    Ok(())
}
