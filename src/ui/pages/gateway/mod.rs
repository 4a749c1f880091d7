//! The gateway beside its providers: routes, keys, and the log of calls with what they cost.
//!
//! Owns the frame that these pages share with `/providers`, and the pages `/gateway/routes`, `/gateway/keys` and
//! `/gateway/calls`. Promises that what would answer is told by the server, by the rules that calls go by, and that a key's
//! secret is shown once. Offers changes only to those who may make them, by the permission table that the server obeys.

mod calls;
mod content;
mod explain;
mod frame;
mod key_dialog;
mod keys;
mod line;
mod place;
mod route_dialog;
mod route_flag;
mod route_form;
mod route_policy;
mod routes;
mod settings;
mod usage;

pub use calls::CallsPage;
pub(super) use frame::{GatewayHeader, Part};
pub use keys::KeysPage;
pub(super) use place::period_label;
pub use routes::RoutesPage;
