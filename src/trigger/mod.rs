//! Triggers: schedules, webhooks, changes of memory and ends of runs, each of which starts runs of one workflow.
//!
//! Owns triggers, the keys of webhooks, and firings. Promises: a moment, a caller's id, a change and an end each fire a trigger
//! once, however many processes share the database and wherever one of them dies: the occasion is claimed as a row in one
//! transaction, and its run is started under the key `trigger:<id>:<occasion>`, by whoever finds the row, as often as needed.
//! A webhook's call is claimed and its run stored in one transaction, unless flow control has to let the run in.
//! Every firing is a row, also those that were refused, passed over or failed, with its reason. Refuses loops: a run's own
//! workflow is not set off by it, and a chain of triggers ends after [`MAX_DEPTH`] links.
//!
//! Before a schedule fires, answers of models that its runs will ask for are asked for anew, where the workspace wants that (`warm`).
//!
//! The design: what happened is read from tables and not from messages. Moments follow from `next_at`, changes from memory's
//! change numbers, ends of runs from rows that are written with the end itself. A message in the process only shortens the
//! wait (`watch`). What a moment, an expression or a template means is decided in `model::trigger`, purely.

mod call;
mod desk;
mod door;
mod error;
mod event;
mod fire;
mod list;
mod manage;
mod rate;
mod retention;
mod schedule;
mod signature;
mod store;
mod validate;
mod warm;
mod watch;
mod webhook;

pub use call::Call;
pub use error::Error;
pub use fire::fire_now;
pub use list::{get, list, list_firings};
pub use manage::{create, delete, delete_key, replace_key, update};
pub use retention::forget;
pub use schedule::{list_zones, preview};
pub use store::sealed::SEALED;
pub use warm::warm;
pub use watch::{boot, look};
pub use webhook::{Reception, receive};

/// Bytes that a webhook's body may have.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Triggers that may follow from one another.
pub const MAX_DEPTH: i64 = 5;
/// Triggers of one workspace.
const MAX_TRIGGERS: i64 = 10_000;
