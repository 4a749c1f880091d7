//! Time travel: forks, pins, parts of runs, differences and replays, through the face.

mod fork;
mod inside;
mod replay;

pub use crate::engine::{chain, ctx, definition, end, start, statuses, transform, until, wait};
