//! Hooks: what a team has looked at before a tool is used, and after, and where words come without a tool: the agent's answer, and
//! what others of its team wrote to it; in the order in which they stand.
//!
//! Owns what a hook is ([`Hook`]), whether it can be one ([`faults`]), and what hooks come to ([`judge`]). The first hook that
//! allows, denies or asks ends them; the others note something or change what the call is made with. Where none decides, all is
//! as without hooks. Promises: the same hooks and the same call always give the same judgement; a hook that can't be evaluated
//! denies; and a hook only ever narrows: what rules, reach or people's consent hold back, no hook lets through.

mod check;
mod edit;
mod judge;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::AgentTool;
pub use check::faults;
pub use judge::{HookCall, HookWords, judge, judge_words};

/// Hooks of one agent.
pub const MAX_HOOKS: usize = 50;
/// Characters of a hook's name.
pub const MAX_HOOK_NAME: usize = 60;
/// Characters of a message.
pub const MAX_HOOK_MESSAGE: usize = 500;
/// Arguments that one hook sets.
pub const MAX_SETTINGS: usize = 20;

/// The names that the expressions of a hook before a call see.
pub const NAMES_BEFORE: &[&str] = &["tool", "arguments", "agent", "tainted"];
/// The names that the expressions of a hook after a call see.
pub const NAMES_AFTER: &[&str] = &["tool", "arguments", "agent", "tainted", "result", "is_error"];
/// The names that the expressions of a hook of an answer see.
pub const NAMES_ANSWER: &[&str] = &["text", "json", "task", "agent", "tainted"];
/// The names that the expressions of a hook of what was written to the agent see.
pub const NAMES_HEARD: &[&str] = &["text", "sender", "kind", "agent", "tainted"];

/// Something that is looked at around each call of a tool, and around words that come without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// 1..=60 characters, unique among the agent's hooks: the transcript and the model are told by it what it did.
    pub name: String,
    /// When it is looked at.
    pub when: HookPoint,
    /// Of which tools, by their names, `*` for anything: `memory_*`. Empty: of all. At most 20, of 60 characters; none where it is
    /// about words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// An expression that must hold, over `tool`, `arguments`, `agent` and `tainted`, afterwards also `result` (a text) and
    /// `is_error`; of an answer over `text`, `json`, `task`, `agent` and `tainted`; of what was written to the agent over `text`,
    /// `sender`, `kind`, `agent` and `tainted`. Empty: always. At most 2,000 characters. One that can't be evaluated denies.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// What it does then.
    pub does: HookAct,
}

/// When a hook is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before the tool is used.
    Before,
    /// Once it gave something, before the model reads it.
    After,
    /// Once the agent answers, before anybody gets the answer.
    Answer,
    /// Once others of its team wrote to it, before it is shown that without having asked for it.
    Heard,
}

impl HookPoint {
    /// Every one, in the order of a turn.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Answer, Self::Heard];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Answer => "answer",
            Self::Heard => "heard",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.as_str() == text)
    }

    /// Whether it is about words that come without a tool.
    pub const fn is_of_words(self) -> bool {
        matches!(self, Self::Answer | Self::Heard)
    }

    /// Whether a person can be asked then: afterwards it is done, and what was written to an agent is nobody's to do.
    pub const fn can_ask(self) -> bool {
        matches!(self, Self::Before | Self::Answer)
    }

    /// The names that its expressions see.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Before => NAMES_BEFORE,
            Self::After => NAMES_AFTER,
            Self::Answer => NAMES_ANSWER,
            Self::Heard => NAMES_HEARD,
        }
    }
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum HookAct {
    /// The hooks after it are not looked at. Rules, reach and consent stay as they are.
    Allow {},
    /// The call is not done; afterwards: what it gave is kept from the model. An answer is not given, and the model is told why and
    /// answers again; what was written to the agent is kept from it.
    Deny {
        /// Why, for the model and for people. At most 500 characters.
        #[serde(default)]
        message: String,
    },
    /// The call is made with other arguments, which must fit the tool as any; afterwards: the model reads something else. Of words:
    /// others stand in their place, and an answer must fit its schema as any.
    Edit {
        /// Single arguments, before a call only. At most 20.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set: Vec<Setting>,
        /// Instead: an expression that gives all arguments (an object), the whole result, or the words. At most 4,000 characters.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        whole: String,
    },
    /// A person is asked first, whatever the rules say. Before a call and of an answer only.
    Ask {
        /// What the person is told. At most 500 characters.
        #[serde(default)]
        message: String,
    },
    /// It is noted in the transcript, and the next hook is looked at.
    Log {
        /// A template: `wrote {{ arguments.path }}`. At most 500 characters, as is what it gives.
        #[serde(default)]
        message: String,
    },
}

/// One argument that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name, dots between what stands inside of each other: `headers.x-team`. At most 200 characters.
    pub path: String,
    /// A template; one that is a single `{{ … }}` gives its value with its type. At most 4,000 characters.
    pub value: String,
}

impl Hook {
    /// Whether it is about a tool at all.
    pub fn is_about(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|pattern| fits(pattern, tool))
    }
}

/// Whether any of these hooks is about a tool then: only of such a call anything is judged.
pub fn is_hooked(hooks: &[Hook], when: HookPoint, tool: &str) -> bool {
    hooks.iter().any(|hook| hook.when == when && hook.is_about(tool))
}

/// Whether a name is that of a pattern, `*` standing for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = pattern.contains('*').then(|| parts.next_back()).flatten() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What one hook came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookDid {
    /// It is about other tools.
    OtherTool,
    /// Its condition does not hold.
    NotMet,
    /// A hook before it has decided.
    NotReached,
    /// It noted something.
    Logged,
    /// It changed the arguments, or the result.
    Edited,
    /// It ended the hooks.
    Allowed,
    /// It denied.
    Denied,
    /// It wants a person asked.
    Asked,
    /// It could not be evaluated, which denies.
    Failed,
}

impl HookDid {
    /// Whether its condition held, or could not be told.
    pub const fn has_matched(self) -> bool {
        !matches!(self, Self::OtherTool | Self::NotMet | Self::NotReached)
    }

    /// As it is shown.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OtherTool => "about other tools",
            Self::NotMet => "does not hold",
            Self::NotReached => "not reached",
            Self::Logged => "notes",
            Self::Edited => "edits",
            Self::Allowed => "allows",
            Self::Denied => "denies",
            Self::Asked => "asks a person",
            Self::Failed => "fails, and so denies",
        }
    }
}

/// One hook and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookSaid {
    /// Its name.
    pub hook: String,
    /// What it did.
    pub did: HookDid,
    /// Its message, what it set, or why it could not be evaluated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// What the hooks come to together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookOutcome {
    /// None decided: all is as without hooks.
    #[default]
    Undecided,
    /// One ended them; all the rest is as without hooks.
    Allowed,
    /// The call is not done, or what it gave is kept from the model.
    Denied,
    /// A person is asked first.
    Asked,
}

/// What hooks said of one call, or of words, at one time. In a journal it stands once, and is never made again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    /// The call's id, as the model gave it; empty in a trial and of an answer; the number of a message.
    pub id: String,
    /// The tool's name; of words `answer`, or who wrote them.
    pub tool: String,
    /// Before the call or after it, or of words.
    pub when: HookPoint,
    /// Hook by hook, in order; in a journal those alone that matched.
    #[serde(default)]
    pub said: Vec<HookSaid>,
    /// What they come to.
    #[serde(default)]
    pub outcome: HookOutcome,
    /// The hook that decided; empty where none did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// What it said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// The arguments as the model gave them, where they were edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub asked: Option<Value>,
    /// What the call is made with instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub arguments: Option<Value>,
    /// What the model reads instead of the result; the words instead of those that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

impl Judgement {
    /// As it is kept: without the hooks that had nothing to say.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.said.retain(|said| said.did.has_matched());
        self
    }

    /// The hooks that changed something, by name.
    pub fn editors(&self) -> Vec<&str> {
        self.said.iter().filter(|said| said.did == HookDid::Edited).map(|said| said.hook.as_str()).collect()
    }

    /// What the model is told of a call, or of its result, that hooks hold back; `None` where they do not.
    pub fn denial(&self) -> Option<String> {
        if self.outcome != HookOutcome::Denied {
            return None;
        }
        let words = match self.words.trim() {
            "" => String::new(),
            words => format!(" It says: {words}"),
        };
        Some(match self.when {
            HookPoint::Before => {
                format!("The hook {:?} forbids this; it was not done. Do not try to get around it.{words}", self.by)
            }
            // Why it failed may quote what came, which strangers may have written.
            HookPoint::After if self.said.iter().any(|said| said.did == HookDid::Failed) => {
                format!("The hook {:?} keeps what came of this from you: it could not be evaluated.", self.by)
            }
            HookPoint::After => format!("The hook {:?} keeps what came of this from you.{words}", self.by),
            HookPoint::Answer => format!(
                "The hook {:?} does not let this answer be given.{words} Answer again so that it can be, or say that you can't; \
                 do not try to get around it.",
                self.by
            ),
            HookPoint::Heard if self.said.iter().any(|said| said.did == HookDid::Failed) => {
                format!("The hook {:?} keeps this message from you: it could not be evaluated.", self.by)
            }
            HookPoint::Heard => format!("The hook {:?} keeps this message from you.{words}", self.by),
        })
    }
}

/// A call to try hooks with. Nothing of it is done or kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookTrial {
    /// The hooks, as in an agent.
    pub hooks: Vec<Hook>,
    /// The agent's name, as `agent` in expressions.
    #[serde(default)]
    pub agent: String,
    /// The tool that would be used.
    pub tool: AgentTool,
    /// What it would be called with: an object of at most 256 KiB.
    #[schema(value_type = Object)]
    pub arguments: Value,
    /// Whether the agent has read what strangers may have written.
    #[serde(default)]
    pub tainted: bool,
    /// What it would give, to try the hooks after a call too: at most 64,000 characters. Absent: those are not tried.
    #[serde(default)]
    pub result: Option<String>,
    /// Whether that would be an error.
    #[serde(default)]
    pub is_error: bool,
    /// What the agent would answer, to try the hooks of answers: at most 64,000 characters; `json` is what it holds as JSON, `task` is
    /// empty. Absent: those are not tried.
    #[serde(default)]
    pub answer: Option<String>,
    /// What another would write to it, to try the hooks of that: at most 64,000 characters; `sender` is `another` and `kind` is
    /// `note`. Absent: those are not tried.
    #[serde(default)]
    pub heard: Option<String>,
}

/// What the hooks of a trial said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HookTried {
    /// Before the call.
    pub before: Judgement,
    /// Why what the call would be made with does not fit the tool; absent where it does. Such a call is refused.
    #[serde(default)]
    pub misfit: Option<String>,
    /// After it; absent where it would not be done, or no result was given to try.
    #[serde(default)]
    pub after: Option<Judgement>,
    /// Of the answer; absent where none was given to try.
    #[serde(default)]
    pub answer: Option<Judgement>,
    /// Of what another would write; absent where nothing was given to try.
    #[serde(default)]
    pub heard: Option<Judgement>,
}
