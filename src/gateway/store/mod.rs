//! The tables of the gateway: providers, prices, routes, flags, keys, calls, budgets, what is masked.

pub(super) mod budget;
pub(super) mod call;
pub(super) mod content;
pub(super) mod flag;
pub(super) mod key;
pub(super) mod key_use;
pub(super) mod price;
pub(super) mod provider;
pub(super) mod provider_use;
pub(super) mod redaction;
pub(super) mod route;
pub(super) mod sealed;
pub(super) mod spend;
