//! The gateway: the one way to a model, for workflows and for every program that is pointed at it.
//!
//! Owns providers with their credentials, the price table, routes, the gateway's keys, budgets, and the log of calls. Promises: a
//! credential is encrypted for its row, leaves only towards its provider, and is shown to nobody again. A call is made within
//! deadlines for the connection, the first token, silence and the whole; what may pass is tried again within a budget, at the
//! same model and then at the next of its route; once a token has been handed on, never, so that whoever wants that has a stream held back
//! until it is whole (`pieces`). A model that fails too often is left
//! in peace (`breaker`), and is not overrun once it is well again (`pace`); one whose provider has no room waits in line for it, for a while (`queue`). Where a route wants it, one that is
//! slow to begin is not waited for alone: the next is asked as well, and whoever begins first is used (`hedge`). A call that a budget has no money for is refused before it is made (`spending`). Every call is kept once, with what it took, what it cost and why it was this model; one that broke
//! off is kept as partial, and so is what was left behind at a provider (`signs`).
//!
//! What a workspace wants masked leaves in no call, and is put back into the answer (`redact`).
//!
//! Texts become vectors in the same way (`embed`), those of memory's entries too (`memory`), and tokens are counted before a call
//! (`count`).
//!
//! A conversation that is longer than its window is shortened before it is sent, or refused (`context`).
//!
//! A model of a route can stand behind a flag, which takes a share of those who ask, and always the same (`rollout`).
//!
//! Of what the cache gives by meaning, a share is asked of the model too (`check`), and what schedules will ask for before they
//! fire, where a workspace wants that (`warm`).
//!
//! Refuses to guess: a model without a price has no cost, a field that the other dialect has no word for is refused by name
//! (`dialect`), and where no provider is set up the error says so.
//!
//! The design: everything between is one set of types (`model::gateway`), so that any caller's dialect meets any provider's. What
//! decides is pure and stands apart: who could answer (`candidates`), whether one is asked (`breaker`), whether again (`retry`).
//! Health and queues are this process' own; the database holds what must be known to all. Names and credentials are read for each call,
//! so that a change holds at once, everywhere.

mod arrange;
mod ask;
mod asking;
mod attempt;
mod breaker;
mod budgets;
mod cached;
mod call;
mod candidates;
mod check;
mod content;
mod context;
mod count;
mod dialect;
mod embed;
mod ended;
mod error;
mod explain;
mod flags;
mod head;
mod health;
mod hedge;
mod held_up;
mod key_pace;
mod key_use;
mod keys;
mod live;
mod memory;
mod meter;
mod pace;
mod patience;
mod pieces;
mod prices;
mod providers;
mod queue;
mod quote;
mod record;
mod redact;
mod redaction;
mod retention;
mod retry;
mod rollout;
mod routes;
mod seed;
mod signs;
mod spending;
mod store;
mod tokens;
mod upstream;
mod usage;
mod validate;
mod waiting;
mod warm;
mod who;

pub use budgets::{create_budget, delete_budget, get_budget, list_budgets, update_budget};
pub use call::{Answer, Answered, Order, call, cost_micros, list_models};
pub use content::get_call_content;
pub use count::{Counted, count_texts, count_tokens};
pub use dialect::{
    Envelope, Writer, read_count_request, read_embed_request, read_request, status_of, write_fault, write_response,
    write_vectors,
};
pub use embed::{EmbedOrder, Embedded, embed};
pub use error::{Error, Result};
pub use explain::explain;
pub use flags::{create_flag, delete_flag, get_flag, list_flag_changes, list_flags, update_flag};
pub use held_up::held_up;
pub use key_use::{get_endpoints, list_keys_in_use};
pub use keys::{authenticate, create_key, delete_key, list_keys};
pub use live::Live;
pub use memory::lend_embedder;
pub use meter::settled;
pub use prices::{delete_price, list_prices, put_price};
pub use providers::{
    create_provider, delete_provider, get_provider, list_provider_use, list_providers, reset_provider, test_provider,
    update_provider,
};
pub use quote::quote;
pub use redaction::{get_redaction, try_redaction, update_redaction};
pub use retention::{boot, forget};
pub use routes::{create_route, delete_route, get_route, list_routes, update_route};
pub use seed::seed;
pub use store::sealed::SEALED;
pub use usage::{get_spending, list_calls, sum_usage};
pub use warm::{list_warming, warm};

pub use crate::cache::Firing;
