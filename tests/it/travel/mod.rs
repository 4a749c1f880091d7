//! Time travel: forks, pins, parts of runs, differences and replays, through the face.

mod fork;

pub use crate::engine::{any_of, chain, ctx, definition, end, start, statuses, transform, until, wait};
