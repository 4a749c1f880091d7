//! Workflows that run durably.
//!
//! Owns definitions, runs and their histories. Promises that a run's state is always the fold of its history, that nothing
//! with an effect starts before what led to it is durable, that a finished step is never run again, and that a run goes on
//! after its process died. Refuses definitions with problems, inputs that don't fit their schema, and commands that the
//! run's status does not allow.
//!
//! The design: `machine` decides, purely; `engine` owns runs in motion and performs what was decided; `steps` is the work;
//! `store` the tables. `runs` and this file are the face.

pub mod engine;
pub mod steps;
mod store;
