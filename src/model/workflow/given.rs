//! Outputs that people give to steps by hand: a step has failed and is to be tried again, and somebody has done its work,
//! or knows what it would give, and says so instead.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Characters of a reason.
pub const MAX_GIVEN_REASON: usize = 500;

/// Who gave a step its output by hand, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Given {
    /// The name of who did, as far as they have one.
    pub by: Option<String>,
    /// 1..=500 characters.
    pub reason: String,
}

/// What a person asks for: this step counts as succeeded with this output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveOutput {
    /// The path of a step that has failed and is to be tried again: `fetch`, `each[3].fetch`, `undo:charge`.
    pub step: String,
    /// What it gives: as the step itself would, as far as that is known of its kind.
    pub output: Value,
    /// The port that it leaves by. Absent: the one that the output leads to, `out` in most cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Why, for whoever reads the history. 1..=500 characters.
    pub reason: String,
}

/// The same, checked, on its way to whoever has the run in hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GivenOutput {
    /// The step's path.
    pub step: String,
    /// One of its ports.
    pub port: String,
    /// What it gives.
    pub output: Value,
    /// Who gave it, and why.
    pub given: Given,
}
