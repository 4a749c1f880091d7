//! What agents are, may and do, in words.

use serde_json::Value;

use crate::model::agent::{AgentSpec, AgentTool, Busy, Effect, Rule, Ruling, TaskStatus};
use crate::ui::components::{StatusLook, Tone};

/// How an agent stands, the most important first: its look, and how many tasks stand so.
pub(super) fn states(busy: Busy) -> Vec<(StatusLook, u32)> {
    if busy.is_stopped {
        return vec![(StatusLook { name: "paused", label: "Stopped" }, 0)];
    }
    let working = (StatusLook { name: "running", label: "Working" }, busy.working);
    let mine = (StatusLook { name: "waiting", label: "Waits for you" }, busy.for_me);
    let elsewhere = busy.for_people.saturating_sub(busy.for_me);
    let people = (StatusLook { name: "waiting", label: "Waits for somebody" }, elsewhere);
    let budget = (StatusLook { name: "paused", label: "Over budget" }, busy.over_budget);
    let others = busy.waiting.saturating_sub(busy.for_people + busy.over_budget);
    let waiting = (StatusLook { name: "waiting", label: "Waiting" }, others);
    let queued = (StatusLook { name: "queued", label: "Queued" }, busy.queued);
    let mut states: Vec<_> =
        [mine, people, budget, working, waiting, queued].into_iter().filter(|(_, count)| *count > 0).collect();
    if states.is_empty() {
        states.push((StatusLook { name: "queued", label: "Idle" }, 0));
    }
    states
}

impl From<TaskStatus> for StatusLook {
    fn from(status: TaskStatus) -> Self {
        let (name, label) = match status {
            TaskStatus::Queued => ("queued", "Queued"),
            TaskStatus::Working => ("running", "Working"),
            TaskStatus::Waiting => ("waiting", "Waiting"),
            TaskStatus::Done => ("succeeded", "Done"),
            TaskStatus::Failed => ("failed", "Failed"),
            TaskStatus::Cancelled => ("cancelled", "Cancelled"),
        };
        Self { name, label }
    }
}

/// What a tool is for, said to those who hand it out.
pub(super) const fn purpose(tool: AgentTool) -> &'static str {
    match tool {
        AgentTool::HttpRequest => "Sends requests to web servers, at the hosts that you name.",
        AgentTool::MemorySearch => "Searches what is remembered in the namespaces that it may read.",
        AgentTool::MemoryRead => "Reads single entries there.",
        AgentTool::MemoryWrite => "Keeps something for later in the namespaces that it may write.",
        AgentTool::Shell => "Runs scripts in a sandbox without network.",
        AgentTool::ListFiles => "Names the files in its folder.",
        AgentTool::ReadFile => "Reads files there.",
        AgentTool::SearchFiles => "Looks for texts in them.",
        AgentTool::OutlineCode => "Says which functions and types stand where in source code there.",
        AgentTool::FindSymbol => "Finds where a name is defined and used in it.",
        AgentTool::AnalyzeCode => "Measures it: risky calls, syntax errors, complexity, duplicates, tests.",
        AgentTool::WriteFile => "Writes whole files there.",
        AgentTool::EditFile => "Changes single places in files there.",
        AgentTool::ShowChanges => "Sees what it changed in its copy of the repository, as a diff.",
        AgentTool::CommitChanges => "Commits what it changed there, in its own name.",
        AgentTool::PublishChanges => "Puts its changes into the repository that you name, as a branch of their own.",
        AgentTool::RunWorkflow => "Starts the workflows that you name, and waits for what comes of them.",
        AgentTool::AskAgent => "Gives tasks to the agents that you name, and waits for their answers.",
        AgentTool::HandOver => {
            "Gives the rest of its task to one of the agents that you name, whose answer becomes its own."
        }
        AgentTool::AskPerson => "Puts a question to people, as an approval, and waits for the answer.",
        AgentTool::LeaseTake => {
            "Has files, repositories or named things to itself for a while, or shares them; waits where another has them."
        }
        AgentTool::LeaseRelease => "Gives them back before its task ends.",
        AgentTool::SendMessage => "Writes to other agents of its team, to whom the topology allows.",
        AgentTool::ReadMessages => "Reads what they wrote to it.",
        AgentTool::SetTopology => "Says who in the team that it supervises may write to whom, if the team is adaptive.",
    }
}

/// What using a tool can do.
pub(super) fn effect(tool: AgentTool) -> (&'static str, Tone) {
    match (tool, tool.effect(&Value::Null)) {
        (AgentTool::HttpRequest, _) => ("GET and HEAD read, the rest acts", Tone::Warn),
        (AgentTool::AskPerson, _) => ("asks", Tone::Plain),
        (AgentTool::LeaseTake | AgentTool::LeaseRelease, _) => ("keeps others away", Tone::Plain),
        (AgentTool::WriteFile | AgentTool::EditFile | AgentTool::CommitChanges, _) => {
            ("writes in its folder", Tone::Plain)
        }
        (_, Effect::Reads) => ("reads", Tone::Plain),
        (_, Effect::Writes) => ("writes inside of Weft", Tone::Plain),
        (_, Effect::Acts) => ("acts outside", Tone::Warn),
    }
}

/// The tone of a ruling.
pub(super) const fn tone(ruling: Ruling) -> Tone {
    match ruling {
        Ruling::Allow => Tone::Good,
        Ruling::Ask => Tone::Warn,
        Ruling::Deny => Tone::Bad,
    }
}

/// What comes of a call, as the end of a sentence.
pub(super) const fn verdict(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allow => "it is done",
        Ruling::Ask => "a person is asked first",
        Ruling::Deny => "it is not done",
    }
}

/// A rule as a sentence.
pub(super) fn sentence(rule: &Rule) -> String {
    let tool = rule.tool.map_or("Any tool", AgentTool::label);
    let matching = match rule.matching.as_str() {
        "" => String::new(),
        text => format!(" with “{text}” in what it is called with"),
    };
    let after = if rule.after_untrusted { ", once it has read what strangers may have written" } else { "" };
    format!("{tool}{matching}{after}: {}.", verdict(rule.ruling))
}

/// What holds where no rule fits.
pub(super) const OTHERWISE: &str =
    "Where none of these fits, a person is asked about what acts outside, and the rest is done.";

/// What of an agent differs, as it stands on the form.
pub(super) fn changes(before: &AgentSpec, after: &AgentSpec) -> Vec<&'static str> {
    let differs = [
        ("what it is for", before.description != after.description),
        ("persona", before.persona != after.persona),
        ("variables", before.variables != after.variables),
        ("personas", before.personas != after.personas || before.between_personas != after.between_personas),
        ("model", before.model != after.model),
        ("length of answers", before.max_tokens != after.max_tokens),
        ("temperature", before.temperature != after.temperature),
        ("what it knows", before.expertise != after.expertise),
        ("tools", before.tools != after.tools),
        ("hosts", before.hosts != after.hosts),
        ("namespaces to read", before.reads != after.reads),
        ("namespaces to write", before.writes != after.writes),
        ("workflows", before.workflows != after.workflows),
        ("agents", before.agents != after.agents),
        ("folder", before.folder != after.folder),
        ("repository", before.repository != after.repository),
        ("rules", before.rules != after.rules),
        ("hooks", before.hooks != after.hooks),
        ("who is asked", before.approvers != after.approvers),
        ("limits", before.limits != after.limits),
        ("long conversations", before.context != after.context),
        ("team", before.team != after.team),
        ("what it hears of others", before.hears_messages != after.hears_messages),
    ];
    differs.into_iter().filter_map(|(name, is_so)| is_so.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{Hook, HookAct, HookPoint, Team};

    #[test]
    fn what_somebody_must_end_stands_first() {
        let busy = Busy { working: 2, waiting: 6, for_people: 3, for_me: 1, over_budget: 2, ..Busy::default() };
        let shown: Vec<(&str, u32)> = states(busy).into_iter().map(|(look, count)| (look.label, count)).collect();
        assert_eq!(
            shown,
            [("Waits for you", 1), ("Waits for somebody", 2), ("Over budget", 2), ("Working", 2), ("Waiting", 1)]
        );
        assert_eq!(states(Busy::default())[0].0.label, "Idle");
        assert_eq!(states(Busy { is_stopped: true, ..busy })[0].0.label, "Stopped");
    }

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let rule = |tool, matching: &str, after_untrusted, ruling| {
            sentence(&Rule { tool, matching: matching.to_owned(), after_untrusted, ruling })
        };
        assert_eq!(rule(None, "", false, Ruling::Deny), "Any tool: it is not done.");
        assert_eq!(
            rule(Some(AgentTool::Shell), "rm *-rf", true, Ruling::Ask),
            "Shell with “rm *-rf” in what it is called with, once it has read what strangers may have written: a person is \
             asked first."
        );
    }

    #[test]
    fn only_what_differs_is_named() {
        let before = AgentSpec::new("Talk.");
        let mut after = before.clone();
        assert!(changes(&before, &after).is_empty());
        after.tools.push(AgentTool::Shell);
        after.limits.turns = 3;
        assert_eq!(changes(&before, &after), ["tools", "limits"]);
    }

    #[test]
    fn every_field_of_an_agent_is_compared() {
        let (before, mut after) = (AgentSpec::new("a"), AgentSpec::new("b"));
        after.description = "b".into();
        after.model = "b".into();
        (after.max_tokens, after.temperature) = (Some(1), Some(1.0));
        after.tools = vec![AgentTool::Shell];
        for list in [&mut after.hosts, &mut after.reads, &mut after.writes, &mut after.workflows, &mut after.agents] {
            list.push("b".into());
        }
        after.expertise = vec!["b".into()];
        after.folder = "b".into();
        after.rules = vec![Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Ask }];
        after.hooks = vec![Hook {
            name: "b".into(),
            when: HookPoint::Before,
            tools: Vec::new(),
            condition: String::new(),
            does: HookAct::Allow {},
        }];
        after.approvers = vec!["b".into()];
        after.limits.turns = 1;
        (after.team, after.hears_messages) = (Some(Team::default()), true);
        let fields = serde_json::to_value(&after).unwrap().as_object().unwrap().len();
        assert_eq!(changes(&before, &after).len(), fields);
    }
}
