//! Agents: a named configuration of a model that works with tools, and the record of what it does.

mod assign;
mod board;
mod changes;
mod code_tools;
mod comparison;
mod git_tools;
pub mod hook;
mod journal;
mod lease;
mod persona;
mod preview;
mod queue;
mod results;
mod rule;
mod team;
mod team_tools;
mod template;
mod tool;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gateway::ContextRule;
use super::{AgentId, Timestamp};
pub use assign::{Assignment, KeptOut, LeftOut, Parts, Scored, Weights};
pub use board::{BoardAgent, Busy, MAX_BOARD, Processes, WaitsFor};
pub use changes::{ChangedFile, Changes};
pub use comparison::{
    Check, CheckOutcome, ComparedTask, Comparison, ComparisonDraft, ComparisonPlan, ComparisonResult, MAX_CHECKS,
    MAX_TASKS, Sums, Trial,
};
pub use hook::{
    Hook, HookAct, HookCall, HookDid, HookOutcome, HookPoint, HookSaid, HookTrial, HookTried, HookWords, Judgement,
    Setting,
};
pub use journal::{Entry, Spent, ToolResult};
pub use lease::{
    Behind, Lease, LeaseMode, LeaseNote, MAX_THING_CHARS, OnConflict, SeenFile, TakesLeases, Thing, ThingKind,
};
pub use persona::{Chosen, Conflict, MAX_VALUE, Persona, TASK, Taken, Variable, template_fault};
pub use preview::{AssignmentPreview, Pick, PreviewedTask};
pub use queue::{QueuedStatus, QueuedTask, TaskDraft};
pub use results::{AgentBucket, AgentResults, TaskMedian, VersionResults};
use rule::decide;
pub use rule::{Rule, Ruled, Ruling};
pub use team::{
    Member, MessageKind, Receipt, Seat, TalkPair, Team, TeamEdge, TeamMember, TeamMessage, TeamView, Topology,
};
pub use team_tools::{EVERYBODY, MAX_BODY, MAX_PATIENCE_S};
pub use template::{AgentTemplate, TEMPLATES};
pub use tool::{AgentTool, Effect};

/// What an agent is and may do. A run keeps the one that it began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSpec {
    /// What it is for, in a sentence or two; others choose it by this. At most 500 characters.
    #[serde(default)]
    pub description: String,
    /// How it is to work: the system prompt. 1..=20,000 characters.
    pub persona: String,
    /// What a task puts into the persona, as `{{ inputs.NAME }}`; with none the persona is said as it is written. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Variable>,
    /// Other ways to work, for the tasks that call for them. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personas: Vec<Persona>,
    /// What is done where several of the same priority fit.
    #[serde(default, skip_serializing_if = "Conflict::is_usual")]
    pub between_personas: Conflict,
    /// A route, `provider/model`, or a model; empty: the route called default, else the first model of the oldest provider.
    #[serde(default)]
    pub model: String,
    /// Tokens of one answer at most, 1..=1,000,000; absent: as the provider has it.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// 0.0..=2.0; absent: as the provider has it.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// What it knows, in words such as `rust` or `tax law`: tasks that ask for them are given to whoever has most of them. At most
    /// 20, each of 1 to 40 characters and there once, whatever its case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expertise: Vec<String>,
    /// What it may use.
    #[serde(default)]
    pub tools: Vec<AgentTool>,
    /// Hosts that `http_request` may reach: `api.example.org`, or `*.example.org` for all below. At most 50.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Namespaces, with all below them, that it may search and read; empty: none. At most 50.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Namespaces, with all below them, that it may write; empty: none. At most 50.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Workflows that `run_workflow` may start, by name. At most 50.
    #[serde(default)]
    pub workflows: Vec<String>,
    /// Agents that `ask_agent` may ask, by name. At most 20.
    #[serde(default)]
    pub agents: Vec<String>,
    /// A folder of the server that scripts and files are in, one of those that are allowed to steps; empty: one of its own,
    /// which is gone soon after the run has ended.
    #[serde(default)]
    pub folder: String,
    /// A git repository of the server, in a folder that is allowed to steps: each task works in a copy of its own. Empty: none.
    /// Not together with `folder`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// When its tools take the leases that they need by themselves: where others can reach the same file or repository.
    #[serde(default, skip_serializing_if = "TakesLeases::is_usual")]
    pub leases: TakesLeases,
    /// What is done where it would write over what somebody else changed in its `folder` since it read the file.
    #[serde(default, skip_serializing_if = "OnConflict::is_usual")]
    pub on_conflict: OnConflict,
    /// What it may do by itself, what people are asked about first, and what it may never do. The first that fits decides;
    /// where none fits, what has an effect outside is asked about. At most 50.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What is looked at before each call of a tool, and after; in this order. They narrow what the rules leave, and widen nothing.
    /// At most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Who answers what it asks: e-mail addresses, or roles as `role:admin`; empty: everybody who may answer approvals.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// When it is stopped.
    #[serde(default)]
    pub limits: AgentLimits,
    /// How long its conversation with the model may get, and what is done once it is longer. The task always stays.
    #[serde(default, skip_serializing_if = "ContextRule::is_usual")]
    pub context: ContextRule,
    /// Who may write to whom among the agents that work under a task that it is given directly, itself above them; absent: all to
    /// all. A workflow says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
    /// Whether it is shown, before each of its turns, what other agents wrote to it, without asking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hears_messages: bool,
}

/// How much one task of an agent may take, and how many it works at. What one task reaches ends its step with the class `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentLimits {
    /// Calls of its model, 1..=200.
    pub turns: u32,
    /// Tokens of all its calls, read and written, 1,000..=100,000,000.
    pub tokens: i64,
    /// Millionths of a US dollar, from 1; absent: only budgets limit it.
    pub cost_micros: Option<i64>,
    /// Milliseconds of work, 1,000..=86,400,000; waiting for people or for other runs does not count.
    pub work_ms: i64,
    /// Tasks at once, 1..=100, of those that it is given directly; more wait in a queue. Absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
}

impl AgentLimits {
    /// The most that [`AgentLimits::parallel`] may be.
    pub const MAX_PARALLEL: u32 = 100;
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self { turns: 30, tokens: 1_000_000, cost_micros: None, work_ms: 3_600_000, parallel: None }
    }
}

impl AgentSpec {
    /// What a call can do: as the tool has it, but that a folder of the server is not the agent's own.
    pub fn effect(&self, tool: AgentTool, arguments: &serde_json::Value) -> Effect {
        match tool {
            AgentTool::WriteFile | AgentTool::EditFile if !self.folder.trim().is_empty() => Effect::Acts,
            _ => tool.effect(arguments),
        }
    }

    /// What its rules say of a call, once it has read what strangers may have written or before.
    pub fn decide(&self, tool: AgentTool, arguments: &serde_json::Value, is_tainted: bool) -> Ruled {
        decide(&self.rules, tool, arguments, is_tainted, self.effect(tool, arguments))
    }

    /// Whether it takes part in what the agents of its team write to each other.
    pub fn is_in_team(&self) -> bool {
        self.hears_messages || self.tools.iter().any(|tool| tool.is_of_team())
    }

    /// One that only talks.
    pub fn new(persona: impl Into<String>) -> Self {
        Self {
            description: String::new(),
            persona: persona.into(),
            variables: Vec::new(),
            personas: Vec::new(),
            between_personas: Conflict::default(),
            model: String::new(),
            max_tokens: None,
            temperature: None,
            expertise: Vec::new(),
            tools: Vec::new(),
            hosts: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            workflows: Vec::new(),
            agents: Vec::new(),
            folder: String::new(),
            repository: String::new(),
            leases: TakesLeases::default(),
            on_conflict: OnConflict::default(),
            rules: Vec::new(),
            hooks: Vec::new(),
            approvers: Vec::new(),
            limits: AgentLimits::default(),
            context: ContextRule::default(),
            team: None,
            hears_messages: false,
        }
    }
}

/// An agent to add or to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentDraft {
    /// 1..=60 letters, digits, `-` and `_`, unique in the workspace.
    pub name: String,
    /// What it is and may do.
    pub spec: AgentSpec,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Unique in the workspace.
    pub name: String,
    /// From 1; each change makes a new one.
    pub version: i64,
    /// What it is and may do.
    pub spec: AgentSpec,
    /// Since when it may do nothing, if it was stopped.
    pub stopped_at: Option<Timestamp>,
    /// Who stopped it.
    pub stopped_by: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an agent was at some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentVersion {
    /// From 1.
    pub version: i64,
    /// What it was and might do.
    pub spec: AgentSpec,
    /// Who made it so.
    pub by: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Something to do, for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What is to be done, in words: 1 to 100,000 characters. The agent knows nothing else of what you want.
    pub prompt: String,
    /// 1 to 9, 9 first, among the tasks that wait for the agent; absent: 5.
    #[serde(default)]
    pub priority: Option<u8>,
    /// What the variables of the agent's persona are for this task, by their names; those that are left out are as the agent has
    /// them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Whether it is a trial: nothing is done of it that outlasts it, nobody is asked, and no list or count of the agent's tasks has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
}

impl From<&str> for NewTask {
    fn from(prompt: &str) -> Self {
        Self { prompt: prompt.to_owned(), priority: None, variables: BTreeMap::new(), trial: false }
    }
}

/// How one task of an agent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It has not begun: the agent works at as many as it may, or the workspace's quota is used up.
    Queued,
    /// It works.
    Working,
    /// It waits: for people, for another run, or for the run to go on.
    Waiting,
    /// It has done it.
    Done,
    /// It gave up, or was ended.
    Failed,
    /// Nobody wanted it any more.
    Cancelled,
}

impl TaskStatus {
    /// Every status, for lists and tests.
    pub const ALL: [Self; 6] = [Self::Queued, Self::Working, Self::Waiting, Self::Done, Self::Failed, Self::Cancelled];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`TaskStatus::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it is over.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// One piece of work of an agent: a step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentTask {
    /// The run that it is part of.
    pub run_id: super::RunId,
    /// The step's path.
    pub step: String,
    /// The workflow's name; the agent's own where it was given the task directly.
    pub workflow_name: String,
    /// The version of the agent that works.
    pub version: i64,
    /// The first 300 characters of what it was asked.
    pub prompt: String,
    /// How it stands.
    pub status: TaskStatus,
    /// Calls of its model so far.
    pub turns: u32,
    /// Tokens so far, read and written.
    pub tokens: i64,
    /// Millionths of a US dollar so far; those without a price count nothing.
    pub cost_micros: i64,
    /// What its scripts took so far.
    #[serde(default)]
    pub processes: Processes,
    /// What it waits for, where that is people or money.
    #[serde(default)]
    pub waits_for: Option<WaitsFor>,
    /// When it began; of one that is queued, when it was given.
    pub started_at: Timestamp,
    /// When it last did something.
    pub active_at: Timestamp,
}

/// An agent and what it is busy with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentStanding {
    /// The agent.
    pub agent: Agent,
    /// Tasks that it has not begun.
    pub queued: u32,
    /// Tasks that it works at.
    pub working: u32,
    /// Tasks that wait.
    pub waiting: u32,
    /// Of those, the ones that wait for people.
    pub for_people: u32,
    /// Of these, the ones that whoever asks may answer.
    #[serde(default)]
    pub for_me: u32,
    /// Of those, the ones that wait because a budget is used up.
    pub over_budget: u32,
    /// Tasks that it has done in the last 30 days.
    pub done: u32,
    /// Tasks that failed in the last 30 days.
    pub failed: u32,
    /// Millionths of a US dollar, of the tasks that began in the last 30 days.
    pub cost_micros: i64,
    /// The task that it last did something of.
    pub latest: Option<AgentTask>,
}
