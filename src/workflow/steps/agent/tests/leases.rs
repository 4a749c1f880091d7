//! What an agent does next that waits for a lease, or would write over what somebody else changed.

use serde_json::{Value, json};

use super::super::next::Next;
use super::{after, answered, begun, script, spec, used, using, work};
use crate::model::agent::{AgentSpec, AgentTool, Entry, LeaseMode, LeaseNote, SeenFile, Thing};

#[test]
fn a_call_that_waits_for_a_lease_is_looked_at_until_it_has_it_and_done_then() {
    let take = json!({"kind": "name", "name": "release"});
    let mut journal = vec![
        begun(spec(&[AgentTool::LeaseTake]), Value::Null),
        using(&[("1", AgentTool::LeaseTake, take)]),
        Entry::Queued { id: "1".into(), thing: Thing::named("release"), why: "it waits".into() },
    ];
    assert!(matches!(after(&journal), Next::Queue(_)));
    journal.push(answered("out", json!({"lease": "7"})));
    let Next::Use(calls, _) = after(&journal) else { panic!("whether it has it is looked at again") };
    assert_eq!(calls.len(), 1);
    journal.push(used("1", AgentTool::LeaseTake, "You have it.", false));
    if let Some(Entry::Used { results, .. }) = journal.last_mut() {
        let note = LeaseNote { thing: Thing::named("release"), mode: LeaseMode::Exclusive, is_held: true };
        results[0].leases = vec![note];
    }
    assert_eq!(work(&journal).leases.len(), 1);
}

#[test]
fn a_lease_that_does_not_come_in_time_is_given_up() {
    let journal = [
        begun(spec(&[AgentTool::LeaseTake]), Value::Null),
        using(&[("1", AgentTool::LeaseTake, json!({"kind": "name", "name": "release"}))]),
        Entry::Queued { id: "1".into(), thing: Thing::named("release"), why: "it waits".into() },
        answered("expired", Value::Null),
    ];
    let Next::Say(request) = after(&journal) else { panic!("the model is told") };
    assert!(serde_json::to_string(&request.messages).unwrap().contains("did not get the lease"));
}

#[test]
fn a_write_over_what_somebody_else_changed_needs_consent_of_its_own() {
    let shared = AgentSpec { folder: "/srv/loom".into(), ..spec(&[AgentTool::WriteFile]) };
    let mut journal = vec![
        begun(shared, Value::Null),
        using(&[("1", AgentTool::WriteFile, json!({"path": "a", "content": "x"}))]),
        answered("approved", json!({"by": "Ada"})),
        Entry::Started { id: "1".into(), attempt: 1 },
        Entry::Conflicted { id: "1".into(), file: SeenFile { path: "a".into(), hash: "7".into() } },
    ];
    let Next::Consent(call) = after(&journal) else { panic!("whoever agreed did not know") };
    assert!(call.conflict.is_some_and(|file| file.path == "a"));
    journal.push(answered("approved", json!({"by": "Ada"})));
    assert!(matches!(after(&journal), Next::Start(_)));
}

#[test]
fn what_an_agent_saw_of_files_is_forgotten_when_its_own_script_may_have_changed_them() {
    let seen = |id: &str| {
        let mut entry = used(id, AgentTool::ReadFile, "1 a", true);
        if let Entry::Used { results, .. } = &mut entry {
            results[0].seen = Some(SeenFile { path: "a".into(), hash: "7".into() });
        }
        entry
    };
    let tools = spec(&[AgentTool::ReadFile, AgentTool::Shell]);
    let mut journal =
        vec![begun(tools, Value::Null), using(&[("1", AgentTool::ReadFile, json!({"path": "a"}))]), seen("1")];
    assert_eq!(work(&journal).seen.get("a").map(String::as_str), Some("7"));
    journal.extend([using(&[("2", AgentTool::Shell, script("make"))]), used("2", AgentTool::Shell, "0", true)]);
    assert!(work(&journal).seen.is_empty());
}
