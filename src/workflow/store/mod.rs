//! The tables of workflows and runs.

mod append;
pub mod ask;
pub mod command;
mod ending;
pub mod event;
pub mod failure;
mod fired;
pub mod flow;
pub mod flush;
pub mod hand;
pub mod history;
pub mod lease;
pub mod lineage;
pub mod log;
pub mod node;
pub mod occasion;
pub mod retention;
pub mod run;
pub mod signal;
pub mod step_key;
pub mod unwanted;

pub use flush::{Change, Create, Keys, Moved, Place, Progress, Verdict};
pub use occasion::Occasion;
pub use run::{Card, Parent};
