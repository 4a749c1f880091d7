//! Workflows as data: the definition that people draw, the kinds of steps, the history of a run and the state folded from it.
//!
//! The same checker, the same expressions and the same fold run in the browser, the command line and the server.

pub mod approval;
mod body;
pub mod check;
pub mod compensation;
pub mod definition;
mod depth;
pub mod diff;
pub mod event;
pub mod expression;
pub mod fit;
pub mod flow;
mod given;
pub mod graph;
mod join;
pub mod kind;
pub mod migration;
mod quotas;
pub mod replay;
pub mod restart;
mod retention;
pub mod run;
pub mod state;
pub mod travel;
pub mod why;

pub use approval::*;
pub use body::*;
pub use compensation::*;
pub use definition::*;
pub use event::*;
pub use fit::Misfit;
pub use given::*;
pub use graph::Graph;
pub use join::Join;
pub use migration::{Migrated, Movable, MovableRuns};
pub use quotas::Quotas;
pub use replay::{
    Against, RecordedEnd, RecordedStep, Recording, Replay, ReplayDifference, Strictness, TestResult, WorkflowTest,
    WorkflowTests, end_of,
};
pub use retention::Retention;
pub use run::*;
pub use state::{Slot, State};
pub use travel::*;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Timestamp, UserId, WorkflowId};

/// A named graph: one draft and immutable numbered versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// Unique in the workspace, 1..=120 characters.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// What is being edited. May have problems.
    pub draft: Definition,
    /// Goes up by one with each save of the draft; sent back as `If-Match` so that no edit is lost.
    pub revision: i64,
    /// The newest version, `None` before the first publish.
    pub published_version: Option<i64>,
    /// Whether the draft differs from the newest version.
    pub draft_changed: bool,
    /// Who made it.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the draft was last saved.
    pub updated_at: Timestamp,
}

/// A row of the list of workflows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowSummary {
    /// Its id.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Number of steps of the draft.
    pub steps: u32,
    /// The newest version.
    pub published_version: Option<i64>,
    /// Whether the draft differs from the newest version.
    pub draft_changed: bool,
    /// The name of who made it, if still known.
    pub owner_name: Option<String>,
    /// When the draft was last saved.
    pub updated_at: Timestamp,
    /// Its newest run.
    pub last_run: Option<RunSummary>,
}

/// An immutable version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Whose.
    pub workflow_id: WorkflowId,
    /// 1, 2, 3, …
    pub version: i64,
    /// What runs.
    pub definition: Definition,
    /// The name of who published it, if still known.
    pub published_by: Option<String>,
    /// When.
    pub published_at: Timestamp,
}

/// A workflow that ships with Weft, as one YAML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Its key, as in `weft run repository-health-check`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The graph.
    pub definition: Definition,
}

/// One finding of the checker.
// Its name in the OpenAPI document is another, for `Problem` is there what a REST error looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = DefinitionProblem)]
pub struct Problem {
    /// Whether it stops publishing and running.
    pub severity: Severity,
    /// The step it is about; `None` for the whole workflow.
    pub step: Option<String>,
    /// A JSON pointer inside the step (`/config/url`) or, without a step, inside the definition (`/edges/3`).
    pub field: String,
    /// What is wrong and what was expected, with the position in an expression.
    pub message: String,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Must be mended before a publish or a run.
    Error,
    /// Worth a look.
    Warning,
}
