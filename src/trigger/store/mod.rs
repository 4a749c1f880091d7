//! The tables of triggers: one file a table, its SQL and private rows.

pub mod due;
pub mod ending;
pub mod firing;
pub mod key;
pub mod sealed;
pub mod trigger;
