//! Where an agent's work stands: the fold of its journal. The same journal folds to the same work.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answer::{Answer, words};
use super::release::Saying;
use crate::model::AgentId;
use crate::model::agent::{
    AgentSpec, AgentTool, Entry, Judgement, LeaseMode, Processes, Ruled, Ruling, Seat, SeenFile, Thing, ToolResult,
};
use crate::model::gateway::{Block, Extra, Message, Role};
use crate::model::memory::Trust;
use crate::model::workflow::StepError;

/// Calls of one tool with the same arguments, one right after the other, before it is refused.
pub const SAME_CALLS: u32 = 3;
/// As many of them end the work.
pub const HOPELESS_CALLS: u32 = 6;

/// Work in progress.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the journal of its own")]
pub struct Work {
    /// Which agent.
    pub agent: AgentId,
    /// Its name when it began.
    pub name: String,
    /// Its version when it began.
    pub version: i64,
    /// What it is and may do.
    pub spec: AgentSpec,
    /// What it is to do.
    pub prompt: String,
    /// What the answer must fit; null: any words.
    pub schema: Value,
    /// Where it sits in the team of its run, if it takes part.
    pub seat: Option<Seat>,
    /// Whether nothing may come of it that outlasts it, and nobody is asked.
    pub is_trial: bool,
    /// Whether it was shown what others wrote since it last said something.
    pub has_heard: bool,
    /// The conversation, but for the results of `calls`.
    pub messages: Vec<Message>,
    /// What the model wants done, until all of it is.
    pub calls: Vec<Call>,
    /// Whether it has read what strangers may have written.
    pub is_tainted: bool,
    /// Whether it has read what strangers may have written: all of that but entries of memory that come from people, steps
    /// and models of this workspace.
    pub has_read_web: bool,
    /// Whether something was done in its folder.
    pub has_worked: bool,
    /// What it took leases on and has not given back.
    pub leases: BTreeSet<(Thing, LeaseMode)>,
    /// The files of a folder that others reach too, as it last read or wrote them: their hashes by their paths.
    pub seen: BTreeMap<String, String>,
    /// The result of its newest call of `publish_changes`, if that came to something.
    pub published: Option<String>,
    /// What it took so far.
    pub totals: Totals,
    /// The call by which it handed its task over, and the other agent's answer, until the turn is closed.
    pub handed: Option<(String, String)>,
    /// Its answer, while hooks or a person have it.
    pub saying: Option<Saying>,
    /// Answers that hooks or people did not let be given.
    pub sent_back: u32,
    /// How it ended, once it has.
    pub end: Option<Result<Answer, StepError>>,
    /// What was called last, with which arguments, and how often in a row.
    last_call: Option<(String, Value, u32)>,
    /// Answers that did not fit, and were asked for again.
    pub repairs: u32,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// As the model gave it.
    pub id: String,
    /// As the model named it.
    pub name: String,
    /// The tool, if it is one of the agent's.
    pub tool: Option<AgentTool>,
    /// An object, if the model wrote one; as its hooks made it, once they were asked.
    pub arguments: Value,
    /// What its hooks said before it.
    pub before: Option<Judgement>,
    /// What its hooks said of what it gave.
    pub after: Option<Judgement>,
    /// How often in a row this was called.
    pub in_a_row: u32,
    /// A person has agreed to it.
    pub has_consent: bool,
    /// It waits for a lease.
    pub is_queued: bool,
    /// The file that somebody else changed, as it was when a person was to be asked whether it is written over.
    pub conflict: Option<SeenFile>,
    /// The attempt of the step in which it was begun, if it was.
    pub begun_in: Option<u32>,
    /// What came of it.
    pub result: Option<ToolResult>,
}

/// What the work took so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls of the model.
    pub turns: u32,
    /// Calls of tools that came to something.
    pub tools: u32,
    /// Read and written.
    pub tokens: i64,
    /// Millionths of a US dollar; calls of models without a price count nothing.
    pub cost_micros: i64,
    /// Whether each call had a price.
    pub is_priced: bool,
    /// Milliseconds of work.
    pub ms: i64,
    /// What its scripts took.
    pub processes: Processes,
    /// All usage.
    pub usage: crate::model::gateway::Usage,
}

impl Work {
    /// Folds a journal. `None` for one that has not begun.
    ///
    /// # Errors
    /// Class `journal` for an entry that this program can't read, or one that stands where none like it can.
    pub fn fold(entries: &[Entry]) -> Result<Option<Self>, StepError> {
        let Some((first, rest)) = entries.split_first() else { return Ok(None) };
        let Entry::Begun { agent, name, version, spec, prompt, schema, seat, is_trial, untrusted, .. } = first else {
            return Err(unreadable("it does not begin with its beginning"));
        };
        let mut work = Self {
            agent: *agent,
            name: name.clone(),
            version: *version,
            spec: (**spec).clone(),
            prompt: prompt.clone(),
            schema: schema.clone(),
            seat: seat.clone(),
            is_trial: *is_trial,
            has_heard: false,
            messages: vec![Message::text(Role::User, prompt.as_str())],
            calls: Vec::new(),
            is_tainted: untrusted.is_some(),
            has_read_web: *untrusted == Some(Trust::Web),
            has_worked: false,
            leases: BTreeSet::new(),
            seen: BTreeMap::new(),
            published: None,
            totals: Totals { is_priced: true, ..Totals::default() },
            handed: None,
            saying: None,
            sent_back: 0,
            end: None,
            last_call: None,
            repairs: 0,
        };
        rest.iter().try_for_each(|entry| work.apply(entry))?;
        Ok(Some(work))
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), StepError> {
        match entry {
            Entry::Begun { .. } => return Err(unreadable("it begins twice")),
            Entry::Said { content, stop, spent, .. } => {
                self.totals.turns += 1;
                self.has_heard = false;
                self.totals.usage = self.totals.usage.plus(spent.usage);
                self.totals.tokens += spent.usage.prompt() + spent.usage.output;
                self.totals.cost_micros += spent.cost_micros.unwrap_or(0);
                self.totals.is_priced &= spent.cost_micros.is_some();
                self.totals.ms += spent.ms;
                self.messages.push(Message { role: Role::Assistant, content: content.clone(), extra: Extra::new() });
                self.calls = content.iter().filter_map(|block| self.call(block)).collect();
                if self.calls.is_empty() {
                    self.conclude(&words(content), stop);
                }
            }
            Entry::Judged { calls } => self.judged(calls)?,
            Entry::Started { id, attempt } => {
                let call = self.calls.iter_mut().find(|call| call.id == *id && call.result.is_none());
                let call = call.ok_or_else(|| unreadable("it starts a call that nobody made"))?;
                (call.begun_in, call.is_queued) = (Some(*attempt), false);
            }
            Entry::Queued { id, .. } => {
                let call = self.calls.iter_mut().find(|call| call.id == *id && call.result.is_none());
                call.ok_or_else(|| unreadable("a call waits that nobody made"))?.is_queued = true;
            }
            Entry::Conflicted { id, file } => {
                let call = self.calls.iter_mut().find(|call| call.id == *id && call.result.is_none());
                let call = call.ok_or_else(|| unreadable("a call is held back that nobody made"))?;
                // Whoever agreed to it did not know that, and nothing of it was done.
                (call.conflict, call.has_consent, call.begun_in) = (Some(file.clone()), false, None);
            }
            Entry::Used { results, ms } => {
                self.totals.ms += ms;
                for result in results {
                    self.take(result.clone())?;
                }
            }
            Entry::Heard { messages, .. } => self.hear(messages),
            Entry::Answered { port, output, error } => self.answered(port, output, error.as_ref())?,
        }
        self.close_turn();
        Ok(())
    }

    /// The call that a block is, if it is one.
    fn call(&mut self, block: &Block) -> Option<Call> {
        let Block::ToolUse { id, name, input, .. } = block else { return None };
        let in_a_row = match self.last_call.take() {
            Some((last, arguments, count)) if last == *name && arguments == *input => count + 1,
            _ => 1,
        };
        self.last_call = Some((name.clone(), input.clone(), in_a_row));
        let tool = AgentTool::parse(name).filter(|tool| self.spec.tools.contains(tool));
        Some(Call {
            id: id.clone(),
            name: name.clone(),
            tool,
            arguments: input.clone(),
            before: None,
            after: None,
            in_a_row,
            has_consent: false,
            is_queued: false,
            conflict: None,
            begun_in: None,
            result: None,
        })
    }

    fn take(&mut self, result: ToolResult) -> Result<(), StepError> {
        self.taint(&result);
        let call = self.calls.iter_mut().find(|call| call.id == result.id && call.result.is_none());
        let call = call.ok_or_else(|| unreadable("it has the result of a call that nobody made"))?;
        self.has_worked |= call.tool.is_some_and(AgentTool::needs_folder);
        match (call.tool, &result.seen) {
            (_, Some(file)) => drop(self.seen.insert(file.path.clone(), file.hash.clone())),
            // What its own script changed was changed by nobody else.
            (Some(AgentTool::Shell), None) => self.seen.clear(),
            _ => {}
        }
        for note in &result.leases {
            let lease = (note.thing.clone(), note.mode);
            if note.is_held {
                self.leases.insert(lease);
            } else {
                self.leases.remove(&lease);
            }
        }
        if call.tool == Some(AgentTool::PublishChanges) && !result.is_error {
            self.published = Some(result.content.clone());
        }
        self.totals.processes = self.totals.processes.plus(result.processes);
        call.result = Some(result);
        self.totals.tools += 1;
        Ok(())
    }

    /// What others wrote stands before its next turn, as if it had asked.
    fn hear(&mut self, messages: &ToolResult) {
        self.has_heard = true;
        self.taint(messages);
        super::talk::remark(&mut self.messages, &super::talk::shown(messages));
    }

    fn taint(&mut self, result: &ToolResult) {
        self.is_tainted |= result.is_untrusted;
        // Of entries and messages the label says whose words they are; of anything else nobody knows.
        self.has_read_web |= result.is_untrusted && result.trust.is_none_or(|trust| trust == Trust::Web);
    }

    /// What was waited for has come: for the call that waited.
    fn answered(&mut self, port: &str, output: &Value, error: Option<&StepError>) -> Result<(), StepError> {
        if self.released(port, output, error) {
            return Ok(());
        }
        if let Some(call) = self.calls.iter_mut().find(|call| call.is_queued && call.result.is_none()) {
            call.is_queued = false;
            if port == crate::workflow::machine::EXPIRED {
                let result = super::outcome::refused(
                    call,
                    "You did not get the lease in the time that this step has; it was not done.",
                );
                return self.take(result);
            }
            // Whether it has its lease is what the tables say.
            return Ok(());
        }
        let at = self.waiting().ok_or_else(|| unreadable("it has an answer that nobody waited for"))?;
        let is_consent = self.asks_first(&self.calls[at]);
        let call = &mut self.calls[at];
        if !is_consent && error.is_none() && call.tool == Some(AgentTool::HandOver) {
            // Of several the first counts.
            self.handed.get_or_insert_with(|| (call.id.clone(), super::outcome::answer_of(output)));
        }
        if is_consent && port == "approved" && error.is_none() {
            call.has_consent = true;
            return Ok(());
        }
        let result = super::outcome::of_wait(call, is_consent, port, output, error);
        self.take(result)
    }

    /// The place of the call that is next to wait for something outside: the first that is neither done nor refused and
    /// not to be done at once.
    pub fn waiting(&self) -> Option<usize> {
        let waits = |call: &Call| {
            call.result.is_none()
                && super::reach::refusal(self, call).is_none()
                && (self.asks_first(call) || call.tool.is_some_and(AgentTool::waits))
        };
        self.calls.iter().position(waits)
    }

    /// What the agent's rules say of a call.
    pub fn ruled(&self, call: &Call) -> Ruled {
        match call.tool {
            Some(tool) => self.spec.decide(tool, &call.arguments, self.is_tainted),
            None => Ruled { ruling: Ruling::Deny, rule: None },
        }
    }

    /// Whether a person is to agree before a call is done.
    pub fn asks_first(&self, call: &Call) -> bool {
        let asks = call.conflict.is_some() || super::hooks::asks(call) || self.ruled(call).ruling == Ruling::Ask;
        asks && !call.has_consent
    }

    /// Once every call has come to something, the model is told.
    fn close_turn(&mut self) {
        if self.calls.is_empty() || self.calls.iter().any(|call| call.result.is_none() || self.awaits_hooks(call)) {
            return;
        }
        let results: Vec<(String, ToolResult)> =
            std::mem::take(&mut self.calls).into_iter().filter_map(super::hooks::told).collect();
        let content = results
            .iter()
            .map(|(note, result)| Block::ToolResult {
                tool_use_id: result.id.clone(),
                content: vec![Block::text(format!("{note}{}", super::talk::shown(result)))],
                is_error: result.is_error,
                cache: None,
                extra: Extra::new(),
            })
            .collect();
        self.messages.push(Message { role: Role::User, content, extra: Extra::new() });
        self.hand_on(&results);
    }
}

pub fn unreadable(why: &str) -> StepError {
    StepError::permanent("journal", format!("the agent's journal can't be read: {why}"))
}
