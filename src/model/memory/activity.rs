//! How much is written where.

use serde::{Deserialize, Serialize};

/// Days of which activity is told.
pub const ACTIVE_DAYS: usize = 7;

/// What was written in a namespace lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceActivity {
    /// A `/`-path.
    pub path: String,
    /// Versions that were written in each of the last seven times 24 hours, the oldest first.
    pub days: [i64; ACTIVE_DAYS],
}
