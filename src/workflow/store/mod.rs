//! The tables of workflows and runs.

mod ending;
pub mod flush;
pub mod history;
pub mod lease;
pub mod log;
pub mod retention;
pub mod run;

pub use flush::{Change, Create, Progress, Verdict};
pub use run::Card;
