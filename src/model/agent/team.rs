//! Teams: the agents that work under one run, and who of them may address whom.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{FieldError, RunId, Timestamp};

/// Agents that a team may name.
pub const MAX_MEMBERS: usize = 50;
/// Pairs that a list may have.
pub const MAX_PAIRS: usize = 200;
const MAX_NAME: usize = 60;

/// Who may address whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Each the one above it, and those below: above is who asked it to work, else the supervisor.
    Hierarchy,
    /// Everybody everybody.
    #[default]
    Mesh,
    /// Each the one before it and the one after it; the first and the last are neighbours.
    Ring,
    /// The supervisor everybody, and everybody the supervisor.
    Star,
    /// Those that are listed, in the direction in which they are.
    List,
}

impl Topology {
    /// Every one, for forms and tests.
    pub const ALL: [Self; 5] = [Self::Hierarchy, Self::Mesh, Self::Ring, Self::Star, Self::List];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hierarchy => "hierarchy",
            Self::Mesh => "mesh",
            Self::Ring => "ring",
            Self::Star => "star",
            Self::List => "list",
        }
    }

    /// Reads [`Topology::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topology| topology.as_str() == text)
    }

    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hierarchy => "Hierarchy",
            Self::Mesh => "Mesh",
            Self::Ring => "Ring",
            Self::Star => "Star",
            Self::List => "List",
        }
    }
}

/// One may address the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TalkPair {
    /// Who addresses: an agent's name.
    pub from: String,
    /// Who is addressed.
    pub to: String,
}

/// Who belongs to the agents of a run, and who of them may address whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    /// Who may address whom.
    pub topology: Topology,
    /// The agent above the others, by name. Empty: in a workflow nobody, in an agent's own team the agent itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub supervisor: String,
    /// The agents that belong to it, by name, in the order of the ring; empty: every agent that works under the run, in the order
    /// in which they begin. At most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Of the topology `list`: who may address whom. At most 200.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<TalkPair>,
    /// Whether the supervisor may change the topology while it works.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adaptive: bool,
    /// To which; empty: to any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may: Vec<Topology>,
}

/// Where an agent sits in a team: kept in the journal of its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The run that no other run is around.
    pub root: RunId,
    /// What the others call it: its name, with a number behind it where another one of that name works there.
    pub handle: String,
}

/// Who can be addressed in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What it is called there.
    pub handle: String,
    /// The agent's name.
    pub name: String,
    /// Who asked it to work, if an agent of the team did.
    pub above: Option<String>,
}

impl Team {
    /// Who can be addressed, in order: those that are named, whether they work yet or not, each with the others of its name behind
    /// it; else those that have begun, in the order in which they did. `seated` are the latter.
    pub fn roster(&self, seated: &[Member]) -> Vec<Member> {
        if self.members.is_empty() {
            return seated.to_vec();
        }
        let of_name = |name: &String| {
            let own: Vec<Member> = seated.iter().filter(|member| member.name == *name).cloned().collect();
            if own.is_empty() { vec![Member { handle: name.clone(), name: name.clone(), above: None }] } else { own }
        };
        self.members.iter().flat_map(of_name).collect()
    }

    /// Whether `from` may address `to`, both of the roster. Nobody addresses itself.
    pub fn may_talk(&self, roster: &[Member], from: &str, to: &str) -> bool {
        let place = |handle: &str| roster.iter().position(|member| member.handle == handle);
        let (Some(a), Some(b)) = (place(from), place(to)) else { return false };
        if a == b {
            return false;
        }
        let leads = |member: &Member| !self.supervisor.is_empty() && member.handle == self.supervisor;
        match self.topology {
            Topology::Mesh => true,
            Topology::Star => leads(&roster[a]) || leads(&roster[b]),
            Topology::Ring => (a + 1) % roster.len() == b || (b + 1) % roster.len() == a,
            Topology::Hierarchy => self.above(&roster[a]) == Some(to) || self.above(&roster[b]) == Some(from),
            Topology::List => self.pairs.iter().any(|pair| pair.from == roster[a].name && pair.to == roster[b].name),
        }
    }

    /// Whom `from` may address, in the order of the roster: a message to all goes to these.
    pub fn reach(&self, roster: &[Member], from: &str) -> Vec<String> {
        let reached = roster.iter().filter(|member| self.may_talk(roster, from, &member.handle));
        reached.map(|member| member.handle.clone()).collect()
    }

    /// The team with this agent above the others, and so one of them.
    #[must_use]
    pub fn led_by(mut self, name: &str) -> Self {
        if !self.members.is_empty() && !self.members.iter().any(|member| member == name) {
            self.members.push(name.to_owned());
        }
        name.clone_into(&mut self.supervisor);
        self
    }

    /// Who is above a member.
    fn above<'a>(&'a self, member: &'a Member) -> Option<&'a str> {
        if member.handle == self.supervisor {
            return None;
        }
        member.above.as_deref().or(Some(self.supervisor.as_str())).filter(|above| !above.is_empty())
    }

    /// The team with another topology, as its supervisor wants it.
    ///
    /// # Errors
    /// In words for the supervisor, why not.
    pub fn changed(&self, topology: Topology, pairs: Vec<TalkPair>) -> Result<Self, String> {
        if !self.adaptive {
            return Err("The topology of this team is fixed.".to_owned());
        }
        if !self.may.is_empty() && !self.may.contains(&topology) {
            let may: Vec<&str> = self.may.iter().map(|one| one.as_str()).collect();
            return Err(format!(
                "This team may not become a {}; it may become: {}.",
                topology.as_str(),
                may.join(", ")
            ));
        }
        if (topology == Topology::List) == pairs.is_empty() {
            return Err("Pairs are given with the topology list, and only with it.".to_owned());
        }
        let changed = Self { topology, pairs, ..self.clone() };
        match changed.faults("").first() {
            Some(fault) => Err(format!("{}: {}.", fault.pointer.trim_start_matches('/'), fault.message)),
            None => Ok(changed),
        }
    }

    /// What does not fit, with pointers below `at`.
    pub fn faults(&self, at: &str) -> Vec<FieldError> {
        let mut found = Vec::new();
        let mut unless = |fits: bool, place: String, message: String| {
            if !fits {
                found.push(FieldError::new(format!("{at}{place}"), message));
            }
        };
        let shape = format!("expected an agent's name: 1 to {MAX_NAME} letters, digits, - and _");
        let named = |name: &str| self.members.is_empty() || self.members.iter().any(|member| member == name);
        let outside = |name: &str| format!("expected one of the members, found {name:?}");
        let (members, pairs) = (self.members.len(), self.pairs.len());
        unless(
            members <= MAX_MEMBERS,
            "/members".to_owned(),
            format!("expected at most {MAX_MEMBERS}, found {members}"),
        );
        for (index, member) in self.members.iter().enumerate().take(MAX_MEMBERS) {
            unless(is_name(member), format!("/members/{index}"), shape.clone());
            let is_fresh = !self.members[..index].contains(member);
            unless(is_fresh, format!("/members/{index}"), format!("{member} is there twice"));
        }
        let has_lead = !self.supervisor.is_empty();
        if has_lead {
            unless(is_name(&self.supervisor), "/supervisor".to_owned(), shape.clone());
            unless(named(&self.supervisor), "/supervisor".to_owned(), outside(&self.supervisor));
        } else if matches!(self.topology, Topology::Hierarchy | Topology::Star) || self.adaptive {
            let what =
                if self.adaptive { "an adaptive team".to_owned() } else { format!("a {}", self.topology.as_str()) };
            unless(false, "/supervisor".to_owned(), format!("expected an agent's name: {what} has a supervisor"));
        }
        unless(pairs <= MAX_PAIRS, "/pairs".to_owned(), format!("expected at most {MAX_PAIRS}, found {pairs}"));
        let is_list = self.topology == Topology::List;
        unless(
            is_list != self.pairs.is_empty(),
            "/pairs".to_owned(),
            "expected with the topology list, and only with it".to_owned(),
        );
        for (index, pair) in self.pairs.iter().enumerate().take(MAX_PAIRS) {
            for (end, name) in [("from", &pair.from), ("to", &pair.to)] {
                unless(is_name(name), format!("/pairs/{index}/{end}"), shape.clone());
                unless(named(name), format!("/pairs/{index}/{end}"), outside(name));
            }
        }
        unless(
            self.adaptive || self.may.is_empty(),
            "/may".to_owned(),
            "expected nothing where adaptive is not set".to_owned(),
        );
        for (index, topology) in self.may.iter().enumerate() {
            let is_fresh = !self.may[..index].contains(topology);
            unless(is_fresh, format!("/may/{index}"), format!("{} is there twice", topology.as_str()));
        }
        found
    }
}

/// Whether a text can be an agent's name.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The agents of a run as they stand, and who wrote to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamView {
    /// The run that no other run is around: all below it are one team.
    pub root: RunId,
    /// Who may address whom now.
    pub team: Team,
    /// Who can be addressed, in order.
    pub members: Vec<TeamMember>,
    /// How many messages went from whom to whom; by sender and receiver.
    pub edges: Vec<TeamEdge>,
    /// How many messages were sent.
    pub messages: i64,
}

/// One that can be addressed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamMember {
    /// What it is called in the team.
    pub handle: String,
    /// The agent's name.
    pub agent: String,
    /// The run in which it works; absent for one that has not begun.
    pub run_id: Option<RunId>,
    /// The step that is its work.
    pub step: Option<String>,
    /// Whom it may address now.
    pub reaches: Vec<String>,
    /// Messages that it has not read.
    pub waiting: i64,
}

/// Messages from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamEdge {
    /// Who wrote.
    pub from: String,
    /// Who was to read.
    pub to: String,
    /// How many.
    pub count: i64,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Something to do.
    Task,
    /// Something to answer.
    Question,
    /// The answer to one.
    Answer,
    /// What came of something.
    Report,
    /// Something to know.
    Note,
}

impl MessageKind {
    /// Every kind, for schemas and tests.
    pub const ALL: [Self; 5] = [Self::Task, Self::Question, Self::Answer, Self::Report, Self::Note];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Question => "question",
            Self::Answer => "answer",
            Self::Report => "report",
            Self::Note => "note",
        }
    }

    /// Reads [`MessageKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A message as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamMessage {
    /// From 1, one after the other in a team.
    pub number: i64,
    /// What it is.
    pub kind: MessageKind,
    /// Who wrote it: what it is called in the team.
    pub from: String,
    /// Whom it was addressed to; `*`: everybody whom the sender might address.
    pub to: String,
    /// Whom it went to, and who of them has read it.
    pub receivers: Vec<Receipt>,
    /// The words; empty for one that is refused.
    pub body: String,
    /// What came with them; null: nothing.
    pub data: serde_json::Value,
    /// Its signature does not fit what is stored: somebody altered it. No agent is shown it.
    pub is_refused: bool,
    /// The run in which the sender works.
    pub run_id: RunId,
    /// The step that is the sender's work.
    pub step: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// One that a message went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// What it is called in the team.
    pub handle: String,
    /// When it took the message; absent: it has not yet.
    pub taken_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
mod work;
