//! How many runs a workspace may have.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Runs of a workspace that may wait and that may be in progress: what it asks for, and what the server allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quotas {
    /// Runs that may wait, 1 to the server's; `None`: as the server has it.
    pub max_queued_runs: Option<u32>,
    /// Runs that may be in progress, 1 to the server's; `None`: as the server has it.
    pub max_running_runs: Option<u32>,
    /// As the server has it.
    pub server_max_queued_runs: u32,
    /// As the server has it; `None` for any number.
    pub server_max_running_runs: Option<u32>,
}

impl Quotas {
    /// The most that a workspace may ask for where the server allows any number.
    pub const MAX: u32 = 1_000_000;

    /// The runs that may wait.
    pub fn queued_in_force(self) -> u32 {
        self.max_queued_runs.map_or(self.server_max_queued_runs, |own| own.min(self.server_max_queued_runs))
    }

    /// The runs that may be in progress; `None` for any number.
    pub fn running_in_force(self) -> Option<u32> {
        self.max_running_runs.into_iter().chain(self.server_max_running_runs).min()
    }
}
