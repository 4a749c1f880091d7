//! Under which keys the memory of a workspace rests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Timestamp;

/// How the memory of a workspace is encrypted, and how far a change of its key has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct EncryptionReport {
    /// The number of the key for what is written; absent before the first write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<i64>,
    /// The keys that are there, the oldest first. An older one stays until nothing is under it any more.
    pub keys: Vec<DataKeyInfo>,
    /// Entries, with those that were deleted and can come back.
    pub entries: i64,
    /// Of these, how many were looked at for the newest key, with all their versions.
    pub done: i64,
    /// Whether everything was.
    pub whole: bool,
    /// Rows that could not be decrypted then, and stay under the key that they name.
    pub unreadable: i64,
}

/// A key of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataKeyInfo {
    /// 1, 2, 3, …; never given again.
    pub number: i64,
    /// When it was made.
    pub created_at: Timestamp,
}
