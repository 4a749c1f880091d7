//! The workflow capability.
