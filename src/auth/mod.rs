//! The auth capability.
