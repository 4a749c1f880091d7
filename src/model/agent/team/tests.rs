//! Who may address whom.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn member(handle: &str, above: Option<&str>) -> Member {
    let name = handle.split('.').next().unwrap_or(handle).to_owned();
    Member { handle: handle.to_owned(), name, above: above.map(str::to_owned) }
}

fn members(handles: &[&str]) -> Vec<Member> {
    handles.iter().map(|handle| member(handle, None)).collect()
}

fn team(topology: Topology) -> Team {
    Team { topology, supervisor: "lead".into(), ..Team::default() }
}

fn pair(from: &str, to: &str) -> TalkPair {
    TalkPair { from: from.into(), to: to.into() }
}

#[test]
fn in_a_hierarchy_one_talks_to_who_asked_one_and_to_those_one_asked() {
    let roster =
        [member("lead", None), member("coder", None), member("tester", Some("coder")), member("writer", Some("lead"))];
    let reach = |from: &str| team(Topology::Hierarchy).reach(&roster, from);
    assert_eq!(reach("lead"), ["coder", "writer"]);
    assert_eq!(reach("coder"), ["lead", "tester"]);
    assert_eq!(reach("tester"), ["coder"], "not the one above who is above it");
    assert_eq!(reach("writer"), ["lead"]);
}

#[test]
fn in_a_star_all_goes_by_the_supervisor_and_in_a_ring_by_the_neighbours() {
    let roster = members(&["lead", "a", "b", "c", "d"]);
    let reach = |topology, from: &str| team(topology).reach(&roster, from);
    assert_eq!(reach(Topology::Star, "lead"), ["a", "b", "c", "d"]);
    assert_eq!(reach(Topology::Star, "c"), ["lead"]);
    assert_eq!(reach(Topology::Ring, "b"), ["a", "c"]);
    assert_eq!(reach(Topology::Ring, "d"), ["lead", "c"], "the last is beside the first");
    assert_eq!(team(Topology::Ring).reach(&members(&["lead", "a"]), "a"), ["lead"], "once, though on both sides");
    assert_eq!(team(Topology::Ring).reach(&members(&["lead"]), "lead"), [""; 0]);
}

#[test]
fn a_list_goes_one_way_and_counts_for_all_of_a_name() {
    let list = Team { pairs: vec![pair("coder", "lead")], ..team(Topology::List) };
    let roster = members(&["lead", "coder", "coder.2"]);
    assert_eq!(list.reach(&roster, "coder.2"), ["lead"]);
    assert_eq!(list.reach(&roster, "lead"), [""; 0]);
}

#[test]
fn those_that_are_named_can_be_addressed_before_they_begin() {
    let named = Team { members: vec!["b".into(), "a".into()], ..Team::default() };
    let handles = |seated: &[Member]| named.roster(seated).into_iter().map(|member| member.handle).collect::<Vec<_>>();
    assert_eq!(handles(&[]), ["b", "a"]);
    assert_eq!(handles(&members(&["a", "a.2", "stranger"])), ["b", "a", "a.2"]);
    assert_eq!(Team::default().roster(&members(&["z", "a"])), members(&["z", "a"]), "else as they begin");
}

#[test]
fn a_supervisor_changes_the_topology_within_its_rules() {
    let fixed = team(Topology::Star);
    assert_eq!(fixed.changed(Topology::Mesh, vec![]).unwrap_err(), "The topology of this team is fixed.");
    let free = Team { adaptive: true, ..fixed };
    assert_eq!(free.changed(Topology::Ring, vec![]).unwrap(), Team { topology: Topology::Ring, ..free.clone() });
    let bound = Team { may: vec![Topology::Star, Topology::Mesh], ..free.clone() };
    assert_eq!(
        bound.changed(Topology::Ring, vec![]).unwrap_err(),
        "This team may not become a ring; it may become: star, mesh."
    );
    assert!(free.changed(Topology::List, vec![]).unwrap_err().contains("list"), "a list says who");
    assert!(free.changed(Topology::Mesh, vec![pair("a", "b")]).is_err(), "and nothing else does");
    assert_eq!(free.changed(Topology::List, vec![pair("a", "b")]).unwrap().pairs, [pair("a", "b")]);
    let closed = Team { members: vec!["lead".into(), "a".into()], ..free };
    let stranger = closed.changed(Topology::List, vec![pair("a", "x")]).unwrap_err();
    assert_eq!(stranger, "pairs/0/to: expected one of the members, found \"x\".");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let faults = |team: Team| -> Vec<String> { team.faults("/team").into_iter().map(|fault| fault.pointer).collect() };
    assert_eq!(faults(Team::default()), [""; 0]);
    assert_eq!(faults(team(Topology::Star)), [""; 0]);
    for topology in [Topology::Star, Topology::Hierarchy] {
        let leaderless = Team { topology, ..Team::default() };
        assert_eq!(faults(leaderless.clone()), ["/team/supervisor"]);
        assert_eq!(faults(leaderless.led_by("lead")), [""; 0]);
    }
    assert_eq!(faults(Team { adaptive: true, ..Team::default() }), ["/team/supervisor"]);
    assert_eq!(faults(Team { may: vec![Topology::Mesh], ..Team::default() }), ["/team/may"]);
    assert_eq!(faults(Team { topology: Topology::List, ..Team::default() }), ["/team/pairs"]);
    let odd = Team {
        topology: Topology::List,
        supervisor: "boss".into(),
        members: vec!["a".into(), "a".into(), "no one".into()],
        pairs: vec![pair("a", "b"), pair("a b", "a")],
        adaptive: true,
        may: vec![Topology::Ring, Topology::Ring],
    };
    assert_eq!(
        faults(odd),
        [
            "/team/members/1",
            "/team/members/2",
            "/team/supervisor",
            "/team/pairs/0/to",
            "/team/pairs/1/from",
            "/team/pairs/1/from",
            "/team/may/1"
        ]
    );
}

#[test]
fn words_are_read_back() {
    for topology in Topology::ALL {
        assert_eq!(Topology::parse(topology.as_str()), Some(topology));
        assert_eq!(serde_json::to_value(topology).unwrap(), topology.as_str());
    }
    for kind in MessageKind::ALL {
        assert_eq!(MessageKind::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

/// A roster of up to eight, the first of them the supervisor, each of the others below somebody before it or below nobody.
fn rosters() -> impl Strategy<Value = Vec<Member>> {
    proptest::collection::vec(proptest::option::of(any::<proptest::sample::Index>()), 0..8).prop_map(|aboves| {
        let mut roster = vec![member("lead", None)];
        for (place, above) in aboves.into_iter().enumerate() {
            let above = above.map(|index| index.get(&roster).handle.clone());
            roster.push(member(&format!("m{place}"), above.as_deref()));
        }
        roster
    })
}

fn topologies() -> impl Strategy<Value = Team> {
    let pairs = proptest::collection::vec((0..9_usize, 0..9_usize), 1..20);
    (proptest::sample::select(Topology::ALL.to_vec()), pairs).prop_map(|(topology, pairs)| {
        let name = |place: usize| if place == 0 { "lead".to_owned() } else { format!("m{}", place - 1) };
        let pairs = pairs.into_iter().map(|(a, b)| TalkPair { from: name(a), to: name(b) });
        let pairs = if topology == Topology::List { pairs.collect() } else { Vec::new() };
        Team { pairs, ..team(topology) }
    })
}

proptest! {
    #[test]
    fn nobody_addresses_itself_or_a_stranger_and_a_broadcast_goes_to_all_that_may_be_addressed_once(
        team in topologies(), roster in rosters()
    ) {
        for one in &roster {
            let reach = team.reach(&roster, &one.handle);
            prop_assert!(!reach.contains(&one.handle));
            prop_assert_eq!(reach.iter().collect::<BTreeSet<_>>().len(), reach.len());
            for other in &roster {
                let may = team.may_talk(&roster, &one.handle, &other.handle);
                prop_assert_eq!(may, reach.contains(&other.handle));
            }
            prop_assert!(!team.may_talk(&roster, &one.handle, "stranger"));
            prop_assert!(!team.may_talk(&roster, "stranger", &one.handle));
        }
        prop_assert!(team.reach(&roster, "stranger").is_empty());
    }

    #[test]
    fn but_for_a_list_whoever_may_be_addressed_may_answer(team in topologies(), roster in rosters()) {
        prop_assume!(team.topology != Topology::List);
        for (a, b) in roster.iter().flat_map(|a| roster.iter().map(move |b| (a, b))) {
            prop_assert_eq!(team.may_talk(&roster, &a.handle, &b.handle), team.may_talk(&roster, &b.handle, &a.handle));
        }
    }

    #[test]
    fn no_topology_allows_what_a_mesh_does_not_and_nobody_is_cut_off_but_by_a_list(
        team in topologies(), roster in rosters()
    ) {
        let mesh = Team { topology: Topology::Mesh, ..team.clone() };
        for one in &roster {
            let reach = team.reach(&roster, &one.handle);
            prop_assert!(reach.iter().all(|handle| mesh.may_talk(&roster, &one.handle, handle)));
            prop_assert!(team.topology == Topology::List || roster.len() == 1 || !reach.is_empty());
        }
    }
}
