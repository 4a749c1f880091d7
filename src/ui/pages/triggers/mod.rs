//! Triggers: schedules, webhooks and events that start runs, and what became of each firing.
//!
//! Owns the list (`/triggers`), a trigger's page (`/triggers/ID`) and the form of one. Promises that a schedule says in words
//! and in moments what it means while it is typed, and that a webhook's token and secret are shown once and never asked for.
//! Refuses to reckon times: the server knows the zones.

mod config_fields;
mod detail;
mod dialog;
mod fire;
mod firings;
mod form;
mod inputs_fields;
mod keys;
mod list;
mod row;

pub use detail::TriggerPage;
pub use list::TriggersPage;
