//! The tables of agents: what they are, what they were, what they did, and what waits for them.

pub(super) mod agent;
pub(super) mod bus;
pub(super) mod comparison;
pub(super) mod facts;
pub(super) mod lease;
pub(super) mod queue;
pub(super) mod task;
pub(super) mod version;
pub(super) mod weights;
