//! The tables of workflows and runs.

pub mod log;
