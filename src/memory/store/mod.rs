//! The tables of memory: entries as they are, their versions, their tags, and a change number a workspace.

mod entry;
mod upkeep;
mod version;

pub(super) use entry::*;
pub(super) use upkeep::*;
pub(super) use version::*;
