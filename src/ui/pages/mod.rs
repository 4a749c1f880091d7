//! The pages.

pub mod auth;
pub mod sessions;
pub mod users;
pub mod workflows;
pub mod memory;
