//! State that outlives a page.

pub mod approvals;
pub mod live;
pub mod theme;
