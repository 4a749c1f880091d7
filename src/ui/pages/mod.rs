//! The pages.

pub mod agents;
pub mod approvals;
pub mod auth;
pub mod budgets;
pub mod cache;
pub mod dashboard;
pub mod flags;
pub mod gateway;
pub mod memory;
pub mod providers;
pub mod redaction;
pub mod runs;
pub mod sessions;
pub mod triggers;
pub mod users;
pub mod workflows;
