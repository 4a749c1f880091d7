//! The tables of the cache.

pub mod asked;
pub mod entry;
pub mod hit;
pub mod listing;
pub mod sealed;
pub mod semantic;
pub mod setting;
pub mod source;
