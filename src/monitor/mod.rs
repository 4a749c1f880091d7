//! The monitor capability.
