//! The semantic tier: an answer is given to a question that says the same in other words.
//!
//! Asked only where the exact tier has nothing, only where the workspace wants it, and only for the last words of a request: all the
//! rest of it (provider, model, system prompt, earlier turns, tools, sampling, for whom) must be the same, by the exact tier's
//! own digest. Promises: an answer is given only past the gate (`gate`), and only as often as what was observed of the kept
//! question allows within the error budget (`threshold`); else the model is asked, its answer is compared (`same`), and that is
//! one more observation. What was given is noted with both questions before it is given, so that somebody can call it wrong; that
//! pair is not given again. A share of what was given is asked of the model too (`check`), which is how the published
//! rate of wrong answers is measured.
//!
//! Answers stay where they are: a question has a vector beside its answer, in the database and encrypted as that is, and goes with
//! it. What was observed belongs to the question and outlives its answer.
//!
//! An embedder that fails, or that takes too long, makes a miss. Knows none itself: the gateway lends one.

mod check;
mod decide;
mod embed;
mod gate;
mod given;
mod keep;
mod near;
pub mod replay;
mod same;
mod threshold;

pub use check::{Check, draw_check};
pub(super) use embed::serving;
pub use embed::{Embedder, Making, Serving, lend_embedder};
pub use given::{clear_wrong_hit, list_hits, mark_wrong_hit};
pub(super) use keep::{Fresh, learn};
pub(super) use near::place_of;
pub use near::{Given, Sought, Wording, begin_near};
