//! What would answer: which models would be asked for a name, in which order, and why. Nothing is called to find out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::FaultClass;
use super::flag::FlagTold;
use super::message::Dialect;
use super::task::Score;
use super::tokens::TokensBy;
use crate::model::ProviderId;

/// A question about a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// What a caller would send as the model: a route, a model, `provider/model`, or nothing for the default. At most 300
    /// characters.
    #[serde(default)]
    pub model: String,
    /// The dialect of the caller. It decides only where no provider lists the name; steps ask in Anthropic's.
    #[serde(default = "usual")]
    pub dialect: Dialect,
    /// What would be asked, for a route that goes by the task or the cost, and for models that hold only so much; at most
    /// 100000 characters.
    #[serde(default)]
    pub prompt: String,
    /// How many tools the model may use, for a route that goes by the task; at most 1000.
    #[serde(default)]
    pub tools: u32,
    /// The session that it would belong to, for a route with models behind flags; at most 300 characters. Without one, flags go by
    /// who asks this.
    #[serde(default)]
    pub session: String,
}

impl ExplainRequest {
    /// A question about a name.
    pub fn about(model: impl Into<String>, dialect: Dialect) -> Self {
        Self { model: model.into(), dialect, prompt: String::new(), tools: 0, session: String::new() }
    }
}

const fn usual() -> Dialect {
    Dialect::Anthropic
}

/// What would answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// How the name is read, such as "the route smart"; empty when nobody can be asked.
    pub rule: String,
    /// Why nobody can be asked; absent when somebody can.
    pub refused: Option<String>,
    /// What the flags of the route say to who asks this; empty where none of its models stands behind one.
    #[serde(default)]
    pub flags: Vec<FlagTold>,
    /// How hard the task is, where the route goes by that.
    pub task: Option<Score>,
    /// Who would be asked, in this order.
    pub candidates: Vec<WouldAsk>,
    /// Models that are passed over: they are off, gone, or lack what the call needs.
    pub passed_over: Vec<PassedOver>,
    /// Who else would be asked where the first is slow to begin; absent where the route does not want that.
    #[serde(default)]
    pub hedge: Option<WouldHedge>,
}

/// Who would be asked as well, where the one that is asked has not begun to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WouldHedge {
    /// Milliseconds after which.
    pub after_ms: u32,
    /// Who is slow, as `provider/model`.
    pub slow: String,
    /// Who is asked as well, as `provider/model`; absent where no other can be asked at this moment.
    pub also: Option<String>,
}

/// A model that would be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WouldAsk {
    /// Whose.
    pub provider_id: ProviderId,
    /// Its name.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Tokens that it would read of what would be asked; absent where nothing is.
    #[serde(default)]
    pub reads: Option<i64>,
    /// How those were reckoned: by the model's own vocabulary, or by an estimate.
    #[serde(default)]
    pub reads_by: TokensBy,
    /// What speaks for it, where the route weighs its models.
    pub why: Option<String>,
    /// Whether it would be asked at this moment, as the process sees it that answers.
    pub standing: Standing,
}

/// Whether a model is asked at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Standing {
    /// It is.
    Ready,
    /// It failed too often and has rested: one call tries it.
    Probe,
    /// It failed too often, and rests.
    Rests {
        /// Until it is tried again.
        for_ms: u64,
        /// Why it failed last.
        last_failure: Option<FaultClass>,
    },
    /// The provider has too many calls, and asked to be left in peace.
    Held {
        /// Until then.
        for_ms: u64,
    },
    /// There is no room for a call at this moment: it would wait.
    Waits {
        /// Calls that wait before it.
        ahead: u32,
    },
    /// There is no room for a call, and none to wait: it is passed over.
    Full {
        /// Calls that wait already.
        waiting: u32,
        /// Milliseconds until there may be room.
        for_ms: u64,
    },
}

impl Standing {
    /// Whether it is left in peace for a while.
    pub const fn is_left_in_peace(self) -> bool {
        matches!(self, Self::Rests { .. } | Self::Held { .. })
    }

    /// Whether a call would be sent to it, now or once there is room.
    pub const fn is_asked(self) -> bool {
        matches!(self, Self::Ready | Self::Probe | Self::Waits { .. })
    }
}

/// A model of a route that is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PassedOver {
    /// The provider's name; empty when it is gone.
    pub provider: String,
    /// The model.
    pub model: String,
    /// In words.
    pub why: String,
}
