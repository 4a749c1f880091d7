//! The guarded outbound client.

/// The one way out.
#[derive(Debug, Clone, Default)]
pub struct Outbound;
