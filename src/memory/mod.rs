//! The memory capability.
