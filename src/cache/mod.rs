//! The response cache: an answer of a model is given again to who asks exactly the same, for nothing.
//!
//! Owns kept answers, what they depend on, who waits for an answer that is on its way, and the workspace's settings. Promises:
//! two questions are the same only when the provider, the model and the whole request are, but for the order of JSON keys and
//! white space between them (`canonical`); nothing is shared across workspaces, and answers to programs not across people unless
//! the workspace says so. An answer is given only if all that it depends on is as it was (`merkle`), nobody called it wrong, and
//! it is not too old: that is looked up in the database for each question, so that it holds in every process at once. What is
//! stored there is encrypted for its row and its key: a bit that flipped makes a miss. Of those who ask the same at the same
//! moment one asks the model, and the others wait for it (`flight`); if it fails, the next one asks.
//!
//! Where a workspace wants it, an answer is also given to a question that says the same in other words (`semantic`), within a budget
//! of wrong answers.
//!
//! Where a workspace wants it, answers that a schedule will ask for are asked for anew before it fires (`warm`).
//!
//! Refuses to keep what is no whole answer: errors, parts, refusals, answers that were cut. Refuses to guess that a question
//! with tools, or above temperature 0, always has the same answer (`policy`): that must be asked for.
//!
//! The design: the database is the cache; what this process holds in clear (`hot`) only saves reading and decrypting. Knows no
//! provider, no wire and no price: the gateway brings the request as it would send it, and meters what was saved.

mod canonical;
mod change;
mod entries;
mod error;
mod flight;
mod guard;
mod hot;
mod keep;
mod look;
mod measure;
mod merkle;
mod policy;
mod semantic;
mod settings;
mod sources;
mod store;
mod sweep;
mod warm;

pub use canonical::LASTING;
pub use change::{changed, note_change};
pub use entries::{clear_wrong, delete, get, invalidate, list, mark_wrong};
pub use error::{Error, Result};
pub use guard::{Guard, Guarding, lend_guard};
pub use keep::{Lead, settled};
pub use look::{Found, Hit, Kept, Plan, Question, begin, plan};
pub use policy::{Asker, Who};
pub use semantic::{
    Check, Embedder, Given, Making, Serving, Sought, Wording, begin_near, clear_wrong_hit, draw_check, lend_embedder,
    list_hits, mark_wrong_hit, replay,
};
pub use settings::{get_settings, update_settings};
pub use store::entry::note_hits;
pub use store::sealed::SEALED;
pub use sweep::{boot, sweep};
pub use warm::{Firing, Stale, list_stale, list_warming, renew};
