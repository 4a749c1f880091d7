//! Whether an agent has done, or asked for, anything at a task that a second agent would do again.

use serde_json::Value;

use crate::model::agent::{AgentSpec, AgentTool, Effect, Entry};
use crate::model::gateway::Block;

/// Whether a journal has anything but reading and talking in it. What the model asked for counts from then on, whatever came of
/// it: a call that was cut off may have taken effect.
pub(super) fn has_acted(journal: &[Entry]) -> bool {
    let mut spec: Option<&AgentSpec> = None;
    journal.iter().any(|entry| match entry {
        Entry::Begun { spec: own, .. } => {
            spec = Some(own.as_ref());
            false
        }
        Entry::Said { content, .. } => content.iter().any(|block| acts(block, spec)),
        // Noted before what can't be done twice, and so long after it was said; what was waited for was begun by a tool.
        Entry::Started { .. } | Entry::Answered { .. } => true,
        Entry::Judged { .. }
        | Entry::Used { .. }
        | Entry::Queued { .. }
        | Entry::Conflicted { .. }
        | Entry::Heard { .. } => false,
    })
}

/// Whether a block asks for more than to be read something. A tool that there is not does nothing.
fn acts(block: &Block, spec: Option<&AgentSpec>) -> bool {
    let Block::ToolUse { name, input, .. } = block else { return false };
    let Some(tool) = AgentTool::parse(name) else { return false };
    // Leases end with the run.
    if matches!(tool, AgentTool::LeaseTake | AgentTool::LeaseRelease) {
        return false;
    }
    // Putting a question to people shows it to them: it is not put twice.
    tool == AgentTool::AskPerson || effect(tool, input, spec) != Effect::Reads
}

fn effect(tool: AgentTool, input: &Value, spec: Option<&AgentSpec>) -> Effect {
    spec.map_or_else(|| tool.effect(input), |spec| spec.effect(tool, input))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::AgentId;
    use crate::model::agent::Spent;
    use crate::model::gateway::{Extra, StopReason};

    fn journal(calls: &[(AgentTool, Value)]) -> Vec<Entry> {
        let call = |(tool, input): &(AgentTool, Value)| Block::ToolUse {
            id: "1".to_owned(),
            name: tool.as_str().to_owned(),
            input: input.clone(),
            cache: None,
            extra: Extra::default(),
        };
        let begun = Entry::Begun {
            agent: AgentId(uuid::Uuid::nil()),
            name: "scout".to_owned(),
            version: 1,
            spec: Box::new(AgentSpec::new("You look around.")),
            prompt: "Look.".to_owned(),
            schema: Value::Null,
            seat: None,
            persona: None,
            is_trial: false,
            untrusted: None,
        };
        let said = Entry::Said {
            content: calls.iter().map(call).collect(),
            stop: StopReason::ToolUse,
            spent: Spent::default(),
            provider: String::new(),
            model: String::new(),
            why: String::new(),
            context: None,
        };
        vec![begun, said]
    }

    #[test]
    fn who_only_read_and_talked_has_not_acted() {
        assert!(!has_acted(&[]));
        assert!(!has_acted(&journal(&[])));
        let reads = [
            (AgentTool::MemorySearch, json!({"query": "x"})),
            (AgentTool::HttpRequest, json!({"method": "GET", "url": "https://a.org"})),
            (AgentTool::ReadFile, json!({"path": "a"})),
            (AgentTool::LeaseTake, json!({"kind": "file", "name": "a"})),
        ];
        assert!(!has_acted(&journal(&reads)));
    }

    #[test]
    fn what_was_asked_for_counts_whatever_came_of_it() {
        for (tool, input) in [
            (AgentTool::Shell, json!({"script": "ls"})),
            (AgentTool::MemoryWrite, json!({})),
            (AgentTool::WriteFile, json!({})),
            (AgentTool::HttpRequest, json!({"method": "POST"})),
            (AgentTool::RunWorkflow, json!({})),
            (AgentTool::AskAgent, json!({})),
            (AgentTool::AskPerson, json!({})),
        ] {
            assert!(has_acted(&journal(&[(AgentTool::MemorySearch, json!({})), (tool, input)])), "{tool:?}");
        }
        assert!(has_acted(&[Entry::Started { id: "1".to_owned(), attempt: 1 }]));
    }
}
