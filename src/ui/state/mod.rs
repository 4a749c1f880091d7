//! State that outlives a page.

pub mod approvals;
pub mod commands;
pub mod live;
pub mod theme;
