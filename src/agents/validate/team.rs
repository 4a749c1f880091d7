//! What the team of an agent must look like.

use super::{Findings, name};
use crate::model::agent::AgentDraft;

/// Checks the team as it is once the agent itself supervises it.
pub(super) fn team(draft: &AgentDraft, found: &mut Findings) {
    let Some(team) = &draft.spec.team else { return };
    let nobody = team.supervisor.is_empty();
    found.unless(nobody, "/spec/team/supervisor", "expected nothing: the agent itself supervises its team");
    // Of one without a name its name's fault is said.
    if nobody && name(&draft.name).is_ok() {
        found.0.extend(team.clone().led_by(&draft.name).faults("/spec/team"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{AgentSpec, TalkPair, Team, Topology};

    fn refused(team: Team) -> Vec<String> {
        let spec = AgentSpec { team: Some(team), ..AgentSpec::new("You lead.") };
        let mut found = Findings(Vec::new());
        super::team(&AgentDraft { name: "lead".into(), spec }, &mut found);
        found.0.into_iter().map(|field| field.pointer).collect()
    }

    #[test]
    fn an_agent_supervises_its_own_team_whether_it_is_named_or_not() {
        let hierarchy = Team { topology: Topology::Hierarchy, adaptive: true, ..Team::default() };
        assert_eq!(refused(hierarchy.clone()), [""; 0]);
        assert_eq!(refused(Team { supervisor: "coder".into(), ..hierarchy.clone() }), ["/spec/team/supervisor"]);
        assert_eq!(refused(Team { members: vec!["coder".into()], ..hierarchy.clone() }), [""; 0]);
        let pairs = vec![TalkPair { from: "coder".into(), to: "lead".into() }];
        let list = Team { topology: Topology::List, members: vec!["coder".into()], pairs, ..hierarchy };
        assert_eq!(refused(list.clone()), [""; 0], "it is one of the members");
        assert_eq!(refused(Team { members: vec!["tester".into()], ..list }), ["/spec/team/pairs/0/from"]);
        let many = (0..50).map(|number| format!("a{number}")).collect();
        assert_eq!(refused(Team { members: many, ..Team::default() }), ["/spec/team/members"], "itself counts");
    }
}
