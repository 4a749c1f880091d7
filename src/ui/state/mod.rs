//! State that outlives a page.

pub mod live;
pub mod theme;
