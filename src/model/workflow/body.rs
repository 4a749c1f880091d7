//! The bodies of a container as people see them: one for each item or iteration.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StepError, StepState, StepStatus};
use crate::model::Timestamp;

/// One run of a container's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodySummary {
    /// The item or iteration, from 0.
    pub index: u32,
    /// `running`, `succeeded`, `failed` or `cancelled`.
    pub status: StepStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<StepError>,
}

/// One run of a container's body, with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BodyDetail {
    /// As in `each[3]`.
    pub path: String,
    /// The account of it.
    #[serde(flatten)]
    pub summary: BodySummary,
    /// What it runs.
    pub definition: super::Body,
    /// In the order of the body.
    pub steps: Vec<StepState>,
}
