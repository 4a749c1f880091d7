//! How long ended runs are kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Days that a workspace's ended runs are kept where their workflow does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retention {
    /// As the workspace asks, 1 to 3650; `None`: as the server has it.
    pub days: Option<u32>,
    /// As the server has it.
    pub server_days: u32,
}

impl Retention {
    /// What holds.
    pub fn in_force(self) -> u32 {
        self.days.unwrap_or(self.server_days)
    }
}
