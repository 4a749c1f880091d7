//! The messages of `/ws/updates`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::RunId;

/// What one may follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Every run of the workspace: begun, moved, ended.
    Runs,
    /// The history and log of one run; its sequence numbers are the history's.
    Run(RunId),
    /// Entries written or deleted in a namespace and below it; empty means all.
    Memory(String),
    /// Workflows made, saved, published, deleted.
    Workflows,
    /// What the dashboard shows.
    Dashboard,
    /// Approvals asked, answered, ended.
    Approvals,
    /// Triggers made, changed, fired, deleted.
    Triggers,
    /// Agents made, changed, stopped, deleted, and what they do.
    Agents,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs => f.write_str("runs"),
            Self::Run(id) => write!(f, "run:{id}"),
            Self::Memory(namespace) => write!(f, "memory:{namespace}"),
            Self::Workflows => f.write_str("workflows"),
            Self::Dashboard => f.write_str("dashboard"),
            Self::Approvals => f.write_str("approvals"),
            Self::Triggers => f.write_str("triggers"),
            Self::Agents => f.write_str("agents"),
        }
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None => match text {
                "runs" => Ok(Self::Runs),
                "workflows" => Ok(Self::Workflows),
                "dashboard" => Ok(Self::Dashboard),
                "approvals" => Ok(Self::Approvals),
                "triggers" => Ok(Self::Triggers),
                "agents" => Ok(Self::Agents),
                _ => Err(format!("unknown topic {text:?}")),
            },
            Some(("run", id)) => id.parse().map(Self::Run).map_err(|_| "run: expected a run's id".to_owned()),
            Some(("memory", namespace)) => Ok(Self::Memory(namespace.to_owned())),
            Some(_) => Err(format!("unknown topic {text:?}")),
        }
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What the browser says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct ClientMessage {
    /// Follow these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribe: Vec<Topic>,
    /// Where each left off, so that nothing is missed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<Topic, i64>,
    /// Stop following these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsubscribe: Vec<Topic>,
    /// Answered by the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<i64>,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ServerMessage {
    /// Where a topic stands: first, and whenever a slow client fell behind.
    Snapshot { snapshot: Topic, seq: i64, data: Value },
    /// Something changed.
    Update(Update),
    /// The answer to a ping.
    Pong { pong: i64 },
    /// What was refused.
    Error { error: String },
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Where.
    pub topic: Topic,
    /// Goes up within a topic, may skip numbers.
    pub seq: i64,
    /// Such as `run_changed`, `step_output`, `entry_written`.
    pub kind: String,
    /// As the kind needs it.
    pub data: Value,
}
