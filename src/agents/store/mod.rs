//! The tables of agents: what they are, what they were, what they did.

pub(super) mod agent;
pub(super) mod task;
pub(super) mod version;
