//! Where a version of an entry came from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::RunId;

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A person.
    User { name: String },
    /// A step of a run.
    Run { run_id: RunId, step: String },
    /// The command line without a server.
    Cli {},
    /// A file, or a copy of a backup.
    Import {
        /// Who had it imported; absent for the command line without a server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Its time ran out; only of versions that deleted the entry.
    Expiry {},
}
