//! How an agent works at one task: its persona with what is put into it, or another that the task calls for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::AgentSpec;
use crate::model::workflow::expression::{
    ExprError, Refs, Scope, StepScope, check_expression, check_template, eval_bool, render,
};
use crate::model::{FieldError, RunId, Timestamp};

/// What every condition and persona can see beside the variables: the task, in words.
pub const TASK: &str = "task";
/// Characters of a variable's value at most.
pub const MAX_VALUE: usize = 10_000;

/// Something that a task puts into the persona, as `{{ inputs.NAME }}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// 1..=40 letters, digits and `_`, a letter first; unique in the agent, and not `task`.
    pub name: String,
    /// What stands there where the task says nothing, one line of at most 10,000 characters; absent: the task has to say
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A way to work that some tasks call for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// 1..=60 characters, unique in the agent.
    pub name: String,
    /// How the agent works then, 1..=20,000 characters.
    pub text: String,
    /// The task has one of these in it, as words of their own and whatever their case. At most 20, each of 1 to 40 characters.
    #[serde(default)]
    pub words: Vec<String>,
    /// An expression over `inputs.task` and the variables that holds, such as `inputs.language == "de"`; empty: none. Where there
    /// are words too, both must fit; without either the persona fits no task, and is refused.
    #[serde(default)]
    pub when: String,
    /// 1..=9, 9 first: of those that fit, the highest.
    #[serde(default = "usual_priority")]
    pub priority: u8,
    /// Whether it stands below the agent's own persona instead of in its place.
    #[serde(default)]
    pub adds: bool,
}

const fn usual_priority() -> u8 {
    5
}

/// What is done where several personas of the same priority fit a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The first of the list is taken.
    #[default]
    First,
    /// All of them are taken, in the order of the list.
    Join,
    /// The task is refused, and says which fit.
    Refuse,
}

impl Conflict {
    /// All, for forms and tests.
    pub const ALL: [Self; 3] = [Self::First, Self::Join, Self::Refuse];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Join => "join",
            Self::Refuse => "refuse",
        }
    }

    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::First => "the first of the list",
            Self::Join => "all of them, one below the other",
            Self::Refuse => "none: the task is refused",
        }
    }

    /// Whether it is what holds by itself.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// How an agent works at a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The system prompt, with everything put in.
    pub text: String,
    /// Which personas that is; absent where the agent has no others than its own.
    pub chosen: Option<Chosen>,
}

/// Which personas a task called for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// By name; none: the agent's own.
    pub names: Vec<String>,
    /// Why, in a sentence or two.
    pub why: String,
}

impl Chosen {
    /// In a sentence or two.
    pub fn words(&self) -> String {
        let whom = if self.names.is_empty() { "its own persona".to_owned() } else { self.names.join(" and ") };
        format!("As {whom}. {}", self.why)
    }
}

impl AgentSpec {
    /// How it works at a task, with what was given for its variables.
    ///
    /// # Errors
    /// At `/variables/NAME` for a value that is missing, too long, or of no variable of this agent; at `/prompt` where several
    /// personas fit equally and that is to be refused, or where a condition or a text can't be evaluated for this task.
    pub fn take_persona(&self, task: &str, given: &BTreeMap<String, String>) -> Result<Taken, FieldError> {
        let scope = TaskScope { inputs: self.inputs(task, given)? };
        let mut fits = Vec::new();
        for persona in &self.personas {
            if let Some(why) = persona.fits(task, &scope)? {
                fits.push((persona, why));
            }
        }
        let best = fits.iter().map(|(persona, _)| persona.priority).max();
        let lower = fits.iter().filter(|(persona, _)| Some(persona.priority) != best).count();
        fits.retain(|(persona, _)| Some(persona.priority) == best);
        let equal = fits.len();
        match self.between_personas {
            Conflict::First => fits.truncate(1),
            Conflict::Join => {}
            Conflict::Refuse if equal > 1 => {
                let names: Vec<&str> = fits.iter().map(|(persona, _)| persona.name.as_str()).collect();
                let message = format!("expected a task that one persona fits; {} fit equally", names.join(", "));
                return Err(FieldError::new("/prompt", message));
            }
            Conflict::Refuse => {}
        }
        let mut parts = Vec::new();
        // One that stands in the place of the agent's own decides that it is not said.
        if fits.iter().all(|(persona, _)| persona.adds) {
            parts.push(self.filled("persona", &self.persona, &scope)?);
        }
        for (persona, _) in &fits {
            parts.push(self.filled(&persona.name, &persona.text, &scope)?);
        }
        let chosen = (!self.personas.is_empty()).then(|| Chosen {
            names: fits.iter().map(|(persona, _)| persona.name.clone()).collect(),
            why: reason(&fits, equal, lower),
        });
        Ok(Taken { text: parts.join("\n\n"), chosen })
    }

    /// Whether it can't work at a task that says nothing but what is to be done.
    pub fn needs_variables(&self) -> bool {
        self.variables.iter().any(|one| one.default.is_none())
    }

    /// What a text or a condition of it may mention and does not: its variables, and the task.
    pub fn unknown_inputs<'a>(&self, mentioned: impl Iterator<Item = &'a str>) -> Option<String> {
        let mut unknown = mentioned.filter(|name| *name != TASK && !self.variables.iter().any(|one| one.name == *name));
        unknown.next().map(str::to_owned)
    }

    /// The variables and the task.
    fn inputs(&self, task: &str, given: &BTreeMap<String, String>) -> Result<Value, FieldError> {
        let at = |name: &str, message: String| FieldError::new(format!("/variables/{name}"), message);
        if let Some(name) = given.keys().find(|name| !self.variables.iter().any(|one| one.name == **name)) {
            let known: Vec<&str> = self.variables.iter().map(|one| one.name.as_str()).collect();
            let known = if known.is_empty() { "the agent has none".to_owned() } else { known.join(", ") };
            return Err(at(name, format!("expected a variable of the agent: {known}")));
        }
        let mut inputs = Map::new();
        for variable in &self.variables {
            let value = given.get(&variable.name).or(variable.default.as_ref());
            let value = value.ok_or_else(|| at(&variable.name, "expected a value; it has no default".to_owned()))?;
            if value.chars().count() > MAX_VALUE || value.contains('\0') {
                return Err(at(&variable.name, format!("expected at most {MAX_VALUE} characters")));
            }
            inputs.insert(variable.name.clone(), Value::String(value.clone()));
        }
        inputs.insert(TASK.to_owned(), Value::String(task.to_owned()));
        Ok(Value::Object(inputs))
    }

    /// A persona's text with the variables in it. An agent without variables says what is written, braces and all.
    fn filled(&self, name: &str, text: &str, scope: &TaskScope) -> Result<String, FieldError> {
        if self.variables.is_empty() {
            return Ok(text.to_owned());
        }
        match render(&Value::String(text.to_owned()), scope) {
            Ok(Value::String(text)) => Ok(text),
            Ok(other) => Ok(other.to_string()),
            Err(error) => Err(FieldError::new("/prompt", format!("the persona {name} can't be filled in: {error}"))),
        }
    }
}

impl Persona {
    /// When it is taken, in a sentence.
    pub fn occasion(&self) -> String {
        let words = (!self.words.is_empty()).then(|| format!("the task says {}", self.words.join(" or ")));
        let when = (!self.when.trim().is_empty()).then(|| format!("{} holds", self.when.trim()));
        let both: Vec<String> = words.into_iter().chain(when).collect();
        let place = if self.adds { "below its own persona" } else { "in the place of its own" };
        format!("Where {}, {place}; priority {}.", both.join(" and "), self.priority)
    }

    /// Why it fits, if it does.
    fn fits(&self, task: &str, scope: &TaskScope) -> Result<Option<String>, FieldError> {
        let word = self.words.iter().find(|word| has_word(task, word));
        if !self.words.is_empty() && word.is_none() {
            return Ok(None);
        }
        let when = self.when.trim();
        if !when.is_empty() {
            let holds = eval_bool(when, scope).map_err(|error| {
                FieldError::new("/prompt", format!("the condition of the persona {} failed: {error}", self.name))
            })?;
            if !holds {
                return Ok(None);
            }
        }
        Ok(match (word, when) {
            (Some(word), "") => Some(format!("the task says \u{201c}{word}\u{201d}")),
            (Some(word), when) => Some(format!("the task says \u{201c}{word}\u{201d}, and {when} holds")),
            (None, "") => None,
            (None, when) => Some(format!("{when} holds")),
        })
    }

    /// What is wrong with its condition and its text, by the name of the field.
    pub fn faults(&self, spec: &AgentSpec) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.words.is_empty() && self.when.trim().is_empty() {
            faults.push(("words", "expected words or a condition: without either it fits no task".to_owned()));
        }
        if !self.when.trim().is_empty()
            && let Some(fault) = fault_of(check_expression(self.when.trim()), spec)
        {
            faults.push(("when", fault));
        }
        if let Some(fault) = template_fault(&self.text, spec) {
            faults.push(("text", fault));
        }
        faults
    }
}

/// What is wrong with a text as a template; of an agent without variables it is none.
pub fn template_fault(text: &str, spec: &AgentSpec) -> Option<String> {
    if spec.variables.is_empty() { None } else { fault_of(check_template(text), spec) }
}

fn fault_of(checked: Result<Refs, ExprError>, spec: &AgentSpec) -> Option<String> {
    match checked {
        Err(error) => Some(error.to_string()),
        Ok(refs) => {
            if let Some(path) = refs.paths.iter().find(|path| path.split('.').next() != Some("inputs")) {
                return Some(format!("expected inputs.NAME of a variable, or inputs.{TASK}, found {path}"));
            }
            let unknown = spec.unknown_inputs(refs.inputs())?;
            Some(format!("expected a variable of the agent, or {TASK}, found inputs.{unknown}"))
        }
    }
}

/// Why these and no others.
fn reason(fits: &[(&Persona, String)], equal: usize, lower: usize) -> String {
    let Some((first, why)) = fits.first() else { return "No other persona fits the task.".to_owned() };
    let mut said = match fits {
        [_] => format!("{} fits: {why}.", first.name),
        many => {
            let each: Vec<String> = many.iter().map(|(one, why)| format!("{} fits: {why}", one.name)).collect();
            format!("{}.", each.join("; "))
        }
    };
    if equal > fits.len() {
        said.push_str(&format!(" {} more of the same priority stand below it.", equal - fits.len()));
    }
    if lower > 0 {
        said.push_str(&format!(" {lower} of a lower priority would fit too."));
    }
    said
}

/// Whether a text has another in it with no letter or digit right before or after, whatever the case.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.trim().to_lowercase());
    if word.is_empty() {
        return false;
    }
    text.match_indices(&word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// What a persona sees: its variables and the task, and nothing of the run.
struct TaskScope {
    inputs: Value,
}

impl Scope for TaskScope {
    fn inputs(&self) -> &Value {
        &self.inputs
    }

    fn step(&self, _: &str) -> Option<StepScope<'_>> {
        None
    }

    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }

    fn run_id(&self) -> RunId {
        RunId(uuid::Uuid::nil())
    }

    fn started_at(&self) -> Option<Timestamp> {
        None
    }

    fn workflow_name(&self) -> &'static str {
        ""
    }
}

#[cfg(test)]
mod tests;
