//! The tables of the cache.

pub mod entry;
pub mod listing;
pub mod setting;
pub mod source;
