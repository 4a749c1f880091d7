//! The master keys of an installation, and how far a change of them has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Timestamp;

/// What a master key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeyState {
    /// It is in the file of this server, and nothing was ever sealed under it.
    Waiting,
    /// Everything is sealed under it from now on.
    Sealing,
    /// Something may still be under it.
    Opening,
    /// Nothing is under it; servers need it no more.
    Retired,
}

impl MasterKeyState {
    /// For people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "waits",
            Self::Sealing => "seals",
            Self::Opening => "opens what is older",
            Self::Retired => "retired",
        }
    }
}

/// A master key. The key itself is shown to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MasterKeyInfo {
    /// Its name: 16 hexadecimal digits that say nothing about it.
    pub id: String,
    /// What it is for.
    pub state: MasterKeyState,
    /// Whether the file of this server has it.
    pub in_file: bool,
    /// Since when it seals, or when it began to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Since when everything is under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_at: Option<Timestamp>,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

/// Values of one kind that are not under the key that seals yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotYetSealed {
    /// What they are.
    pub what: String,
    /// How many.
    pub values: i64,
}

/// Under which master keys everything is sealed, and how far a change has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MasterKeyReport {
    /// The newest first.
    pub keys: Vec<MasterKeyInfo>,
    /// Whether everything that can be opened is under the key that seals.
    pub whole: bool,
    /// What is not, by kind; kinds without any are left out. Values that no key opens stay here.
    pub left: Vec<NotYetSealed>,
    /// Values that no key of the file opened; they stay as they are.
    pub unreadable: i64,
}

/// How a change of the master key begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MasterKeyRotation {
    /// Only make a new key, in the file of this server, so that the file can be brought to the other servers first.
    #[serde(default)]
    pub prepare: bool,
}
