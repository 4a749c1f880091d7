//! What an agent did, entry by entry: what stands here is never done again, whatever happens to the server.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentSpec, Chosen, Judgement, LeaseNote, Processes, Seat, SeenFile, Thing};
use crate::model::AgentId;
use crate::model::gateway::{Block, ContextUse, StopReason, Usage};
use crate::model::memory::Trust;
use crate::model::workflow::StepError;

/// One entry. They stand in the run's history, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// It began, as it was then.
    Begun {
        /// Which agent.
        agent: AgentId,
        /// Its name then.
        name: String,
        /// Its version then.
        version: i64,
        /// What it was and might do then.
        spec: Box<AgentSpec>,
        /// What it is to do.
        prompt: String,
        /// A JSON Schema that the answer must fit; null: any words.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        schema: Value,
        /// Where it sits in the team of its run, if it takes part in one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<Seat>,
        /// The personas that the task called for, and why, where the agent has several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        persona: Option<Chosen>,
        /// Whether nothing may come of it that outlasts it, and nobody is asked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_trial: bool,
        /// The lowest label of what its task may be made of, where an agent that had read what strangers may have written began it;
        /// absent otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        untrusted: Option<Trust>,
    },
    /// The model answered.
    Said {
        /// In order.
        content: Vec<Block>,
        /// Why it ended there.
        stop: StopReason,
        /// What the call came to.
        spent: Spent,
        /// Who answered.
        provider: String,
        /// Which model.
        model: String,
        /// Why that one.
        why: String,
        /// What of the conversation it was not sent, so that it fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<ContextUse>,
    },
    /// The agent's hooks were asked about calls, about what those gave, or about its answer: they are not asked again, and the calls
    /// are made, and the answer given, as it stands here.
    Judged {
        /// In the order of the calls.
        calls: Vec<Judgement>,
    },
    /// A call that can't be done twice begins. What follows it in the same attempt, without a break, may do it; whoever finds
    /// it later without its result can't know whether it was done.
    Started {
        /// The call's id.
        id: String,
        /// In which attempt of the step.
        attempt: u32,
    },
    /// A call waits for a lease that others have, or for which others wait before it.
    Queued {
        /// The call's id.
        id: String,
        /// On what.
        thing: Thing,
        /// Why it waits, in words.
        why: String,
    },
    /// A call would have written over what somebody else changed since the agent read it: a person is asked.
    Conflicted {
        /// The call's id.
        id: String,
        /// The file, as it is now.
        file: SeenFile,
    },
    /// Tools were used, or refused.
    Used {
        /// In the order in which they were asked for.
        results: Vec<ToolResult>,
        /// How long they took together, in milliseconds.
        ms: i64,
    },
    /// It was shown what others of its team wrote to it: the same again, whatever happens to the server.
    Heard {
        /// As if it had read them; as its hooks made them.
        messages: ToolResult,
        /// What its hooks said of those that they had something to say of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        judged: Vec<Judgement>,
    },
    /// What was waited for has come: a person's decision, or the end of another run.
    Answered {
        /// How it ended: the decision, or `out`.
        port: String,
        /// What came.
        #[serde(default)]
        output: Value,
        /// Why it failed, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
}

/// What a call of the model came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens.
    pub usage: Usage,
    /// Millionths of a US dollar; `None` for a model without a price.
    pub cost_micros: Option<i64>,
    /// Milliseconds.
    pub ms: i64,
}

/// What came of one call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call's id, as the model gave it.
    pub id: String,
    /// The tool's name, as the model gave it.
    pub tool: String,
    /// What it gave.
    pub content: String,
    /// Whether it failed or was refused.
    #[serde(default)]
    pub is_error: bool,
    /// Whether strangers may have written it.
    #[serde(default)]
    pub is_untrusted: bool,
    /// The lowest label of the entries of memory that it holds; absent where it holds none, and in older histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// Characters that were left out of the middle.
    #[serde(default)]
    pub omitted: u64,
    /// The file of a folder that others reach too, as it was read or written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenFile>,
    /// What its processes took, where it ran any.
    #[serde(default, skip_serializing_if = "Processes::is_none")]
    pub processes: Processes,
    /// What the agent has to itself or shares since, and what no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<LeaseNote>,
}

impl Entry {
    /// Reads an entry of a history.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn read(value: &Value) -> Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|error| error.to_string())
    }
}
