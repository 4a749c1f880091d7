//! The analysis capability.
