//! Who in a team may give work to whom: the same topology as for messages, over the names of agents, because whoever is asked need not
//! have begun.

use super::{Team, Topology};

impl Team {
    /// Why the agent `from` may not give the agent `to` work, in words for the model; `None`: it may. A team says nothing to agents that
    /// are not among its members.
    pub fn keeps_from(&self, from: &str, to: &str) -> Option<String> {
        if self.may_give(from, to) {
            return None;
        }
        let mut others: Vec<&str> = self.members.iter().map(String::as_str).collect();
        if others.is_empty() {
            others.extend(Some(self.supervisor.as_str()).filter(|name| !name.is_empty()));
            others.extend(self.pairs.iter().filter(|pair| pair.from == from).map(|pair| pair.to.as_str()));
        }
        others.retain(|name| *name != from && self.may_give(from, name));
        others.dedup();
        let allowed = if others.is_empty() { "nobody".to_owned() } else { others.join(", ") };
        let topology = self.topology.as_str();
        Some(format!(
            "This was not done: by the topology of the team, {topology}, you may not give work to {to:?}. You may give work to: {allowed}."
        ))
    }

    fn may_give(&self, from: &str, to: &str) -> bool {
        let place = |name: &str| self.members.iter().position(|member| member == name);
        if !self.members.is_empty() && place(from).is_none() {
            return true;
        }
        let leads = |name: &str| !self.supervisor.is_empty() && name == self.supervisor;
        match self.topology {
            Topology::Mesh => true,
            Topology::Star => leads(from) || leads(to),
            // Work goes down: whoever is asked stands below, and nobody stands above the supervisor.
            Topology::Hierarchy => !leads(to),
            // Where nobody is named, who is whose neighbour is known only once they work.
            Topology::Ring if self.members.is_empty() => true,
            Topology::Ring => match (place(from), place(to)) {
                (Some(a), Some(b)) => (a + 1) % self.members.len() == b || (b + 1) % self.members.len() == a,
                _ => false,
            },
            Topology::List => self.pairs.iter().any(|pair| pair.from == from && pair.to == to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::TalkPair;

    fn team(topology: Topology) -> Team {
        let members = ["lead", "coder", "tester", "writer"].map(str::to_owned).to_vec();
        let pairs = match topology {
            Topology::List => vec![TalkPair { from: "coder".to_owned(), to: "tester".to_owned() }],
            _ => Vec::new(),
        };
        Team { topology, supervisor: "lead".to_owned(), members, pairs, ..Team::default() }
    }

    #[test]
    fn work_spreads_as_the_topology_says() {
        for (topology, from, to, may) in [
            (Topology::Mesh, "coder", "tester", true),
            (Topology::Star, "lead", "tester", true),
            (Topology::Star, "coder", "lead", true),
            (Topology::Star, "coder", "tester", false),
            (Topology::Hierarchy, "lead", "coder", true),
            (Topology::Hierarchy, "coder", "tester", true),
            (Topology::Hierarchy, "coder", "lead", false),
            (Topology::Ring, "lead", "coder", true),
            (Topology::Ring, "lead", "writer", true),
            (Topology::Ring, "lead", "tester", false),
            (Topology::Ring, "lead", "stranger", false),
            (Topology::List, "coder", "tester", true),
            (Topology::List, "tester", "coder", false),
            // Whoever is none of the team is not bound by it.
            (Topology::Star, "stranger", "tester", true),
        ] {
            assert_eq!(team(topology).keeps_from(from, to).is_none(), may, "{topology:?}: {from} to {to}");
        }
        assert!(Team::default().keeps_from("coder", "tester").is_none(), "a team of which nothing is said");
    }

    #[test]
    fn who_is_kept_from_it_is_told_who_may_be_asked() {
        let why = team(Topology::Star).keeps_from("coder", "tester").unwrap();
        assert!(
            why.contains("by the topology of the team, star") && why.ends_with("You may give work to: lead."),
            "{why}"
        );
        let list = Team { members: Vec::new(), supervisor: String::new(), ..team(Topology::List) };
        let why = list.keeps_from("coder", "writer").unwrap();
        assert!(why.ends_with("You may give work to: tester."), "{why}");
        assert!(list.keeps_from("writer", "coder").unwrap().ends_with("nobody."));
    }
}
