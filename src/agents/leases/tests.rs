//! The rule of leases: who gets one, in which order, and that nobody waits for ever.

use proptest::prelude::*;
use uuid::Uuid;

use super::rule::{Claim, Party, blockers, settle};
use crate::model::agent::{LeaseMode, Thing};
use crate::model::{LeaseId, RunId};

use LeaseMode::{Exclusive, Shared};

fn party(number: u128) -> Party {
    Party { run: RunId(Uuid::from_u128(number)), step: "work".to_owned() }
}

/// What somebody asks for; everybody is called by a letter.
fn asks(id: u128, who: u128, thing: &str, mode: LeaseMode) -> Claim {
    let agent = char::from(b'a' + u8::try_from(who).unwrap()).to_string();
    let thing = Thing::file(thing);
    Claim { id: LeaseId(Uuid::from_u128(id)), party: party(who), agent, above: Vec::new(), thing, mode, is_held: false }
}

fn below(claim: Claim, above: &[u128]) -> Claim {
    Claim { above: above.iter().map(|number| party(*number)).collect(), ..claim }
}

/// The numbers of those that are granted, and of those that are refused.
fn came_to(claims: &mut Vec<Claim>) -> (Vec<u128>, Vec<u128>) {
    let settled = settle(claims);
    let granted = settled.granted.iter().map(|id| id.0.as_u128()).collect();
    (granted, settled.refused.iter().map(|(id, _)| id.0.as_u128()).collect())
}

#[test]
fn sharers_have_it_together_and_one_alone_waits_for_all_of_them() {
    let mut claims = vec![asks(1, 1, "/a", Shared), asks(2, 2, "/a", Shared), asks(3, 3, "/a", Exclusive)];
    assert_eq!(came_to(&mut claims), (vec![1, 2], vec![]));
    claims.remove(0);
    assert_eq!(came_to(&mut claims), (vec![], vec![]));
    claims.remove(0);
    assert_eq!(came_to(&mut claims), (vec![3], vec![]));
}

#[test]
fn who_shares_does_not_overtake_who_waits_for_it_alone() {
    let mut claims = vec![asks(1, 1, "/a", Shared), asks(2, 2, "/a", Exclusive), asks(3, 3, "/a", Shared)];
    assert_eq!(came_to(&mut claims), (vec![1], vec![]));
    assert_eq!(blockers(&claims, 2), [1], "who is before it, not who shares");
    claims.remove(0);
    assert_eq!(came_to(&mut claims), (vec![2], vec![]));
}

#[test]
fn a_folder_is_had_with_all_below_it_and_other_folders_are_free() {
    let mut claims = vec![asks(1, 1, "/a", Exclusive), asks(2, 2, "/a/b/c", Shared), asks(3, 3, "/ab", Exclusive)];
    assert_eq!(came_to(&mut claims), (vec![1, 3], vec![]));
}

#[test]
fn two_that_wait_for_each_other_are_told_apart_by_who_asked_last() {
    let mut claims = vec![asks(1, 1, "/x", Exclusive), asks(2, 2, "/y", Exclusive), asks(3, 1, "/y", Exclusive)];
    assert_eq!(came_to(&mut claims), (vec![1, 2], vec![]));
    claims.push(asks(4, 2, "/x", Exclusive));
    let settled = settle(&mut claims);
    let [(refused, why)] = &settled.refused[..] else { panic!("{settled:?}") };
    assert_eq!(refused.0.as_u128(), 4);
    for part in ["c (run …000002) waits for /x, because b (run …000001) has /x", "b (run …000001) waits for /y"] {
        assert!(why.contains(part), "{why}");
    }
    assert!(!claims.iter().any(|claim| claim.id.0.as_u128() == 4), "it does not wait");
}

#[test]
fn two_that_share_and_both_want_it_alone_do_not_wait_for_each_other() {
    let mut claims = vec![asks(1, 1, "/x", Shared), asks(2, 2, "/x", Shared), asks(3, 1, "/x", Exclusive)];
    assert_eq!(came_to(&mut claims), (vec![1, 2], vec![]));
    claims.push(asks(4, 2, "/x", Exclusive));
    assert_eq!(came_to(&mut claims), (vec![], vec![4]));
    claims.retain(|claim| claim.party != party(2));
    assert_eq!(came_to(&mut claims), (vec![3], vec![]));
}

#[test]
fn who_waits_for_me_is_not_before_me() {
    let mut claims = vec![asks(1, 1, "/f/a", Exclusive), asks(2, 2, "/f", Exclusive), asks(3, 1, "/f/b", Exclusive)];
    assert_eq!(came_to(&mut claims), (vec![1, 3], vec![]), "else the one would wait for the other");
    claims.push(asks(4, 3, "/f/c", Exclusive));
    assert_eq!(came_to(&mut claims), (vec![], vec![]), "a third one waits for its turn");
}

#[test]
fn what_one_has_who_waits_for_my_work_is_not_in_my_way() {
    let mut claims = vec![asks(1, 1, "/x", Exclusive), below(asks(2, 2, "/x", Exclusive), &[1])];
    assert_eq!(came_to(&mut claims), (vec![1, 2], vec![]));
    claims.push(below(asks(3, 3, "/x", Exclusive), &[1]));
    assert_eq!(came_to(&mut claims), (vec![], vec![]), "two that work for the same are strangers to each other");
}

#[test]
fn a_circle_through_the_run_that_one_waits_for_is_seen() {
    let mut claims = vec![
        asks(1, 1, "/x", Exclusive),
        asks(2, 2, "/y", Exclusive),
        asks(3, 2, "/x", Exclusive),
        below(asks(4, 3, "/y", Exclusive), &[1]),
    ];
    let settled = settle(&mut claims);
    assert_eq!(settled.refused.len(), 1);
    let (id, why) = &settled.refused[0];
    assert_eq!(id.0.as_u128(), 4);
    assert!(why.contains("b (run …000001) waits for what it asked d (run …000003) to do"), "{why}");
}

#[test]
fn a_thousand_who_want_the_same_are_settled() {
    let mut claims: Vec<Claim> =
        (0..1_000).map(|id| Claim { party: party(id), ..asks(id, 1, "/x", Exclusive) }).collect();
    assert_eq!(came_to(&mut claims), (vec![0], vec![]));
    assert_eq!(blockers(&claims, 999).len(), 999);
}

/// What can happen in a workspace.
#[derive(Debug, Clone)]
enum Act {
    Ask {
        who: u128,
        thing: usize,
        mode: LeaseMode,
    },
    /// Everything of one who does not wait.
    End {
        who: u128,
    },
}

const THINGS: [&str; 6] = ["/", "/a", "/a/b", "/a/c", "/d", "/d/e"];
/// Those from 5 on work for 1, 2, 3.
const PARTIES: u128 = 7;

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let ask = (0..PARTIES, 0..THINGS.len(), prop::bool::ANY).prop_map(|(who, thing, alone)| Act::Ask {
        who,
        thing,
        mode: if alone { Exclusive } else { Shared },
    });
    let end = (0..PARTIES).prop_map(|who| Act::End { who });
    prop::collection::vec(prop_oneof![4 => ask, 1 => end], 0..40)
}

fn claim(id: u128, who: u128, thing: usize, mode: LeaseMode) -> Claim {
    let claim = asks(id, who, THINGS[thing], mode);
    if who >= 5 { below(claim, &[who - 4]) } else { claim }
}

fn waits(claims: &[Claim], who: &Party) -> bool {
    claims.iter().any(|claim| !claim.is_held && (claim.party == *who || claim.above.contains(who)))
}

fn check(claims: &[Claim]) {
    for (at, a) in claims.iter().enumerate() {
        assert!(a.is_held || !blockers(claims, at).is_empty(), "{a:?} could have it");
        for b in claims.iter().take(at) {
            let is_kin = a.above.contains(&b.party) || b.above.contains(&a.party) || a.party == b.party;
            let excludes = a.mode == Exclusive || b.mode == Exclusive;
            let both = a.is_held && b.is_held && a.thing.overlaps(&b.thing);
            assert!(is_kin || !excludes || !both, "{a:?} and {b:?}");
        }
    }
}

/// As long as somebody waits there is one who does not, and when all of those end in turn, everybody has had what it waits for.
fn drain(mut claims: Vec<Claim>) {
    while claims.iter().any(|claim| !claim.is_held) {
        let free: Vec<Party> =
            claims.iter().map(|claim| claim.party.clone()).filter(|party| !waits(&claims, party)).collect();
        assert!(!free.is_empty(), "all wait for each other: {claims:?}");
        claims.retain(|claim| claim.party != free[0]);
        let settled = settle(&mut claims);
        assert!(settled.refused.is_empty(), "an end of work is no reason to refuse anybody: {settled:?}");
        check(&claims);
    }
}

proptest! {
    #[test]
    fn nobody_has_what_another_has_alone_and_nobody_waits_for_ever(acts in acts()) {
        let mut claims: Vec<Claim> = Vec::new();
        for (id, act) in (1..).zip(acts) {
            match act {
                Act::Ask { who, thing, mode } => {
                    // Who waits asks for nothing else, and neither does one that waits for another's work.
                    if waits(&claims, &party(who)) {
                        continue;
                    }
                    claims.push(claim(id, who, thing, mode));
                    let settled = settle(&mut claims);
                    prop_assert!(settled.refused.iter().all(|(one, _)| one.0.as_u128() == id), "only who closes a circle");
                    prop_assert!(settled.granted.iter().all(|one| one.0.as_u128() == id), "asking frees nothing");
                }
                Act::End { who } => {
                    if waits(&claims, &party(who)) {
                        continue;
                    }
                    claims.retain(|claim| claim.party != party(who));
                    prop_assert!(settle(&mut claims).refused.is_empty());
                }
            }
            check(&claims);
        }
        drain(claims);
    }

    #[test]
    fn whoever_overtakes_is_one_whom_the_other_waits_for(acts in acts()) {
        let mut claims: Vec<Claim> = Vec::new();
        for (id, act) in (1..).zip(acts) {
            let Act::Ask { who, thing, mode } = act else { continue };
            claims.push(claim(id, who, thing, mode));
            let before = claims.clone();
            let settled = settle(&mut claims);
            let is_refused = |claim: &&Claim| settled.refused.iter().any(|(id, _)| *id == claim.id);
            for granted in &settled.granted {
                let at = before.iter().position(|claim| claim.id == *granted).unwrap();
                for earlier in before[..at].iter().filter(|earlier| !earlier.is_held && !is_refused(earlier)) {
                    let claim = &before[at];
                    let is_against = earlier.thing.overlaps(&claim.thing)
                        && (earlier.mode == Exclusive || claim.mode == Exclusive)
                        && earlier.party != claim.party
                        && !claim.above.contains(&earlier.party);
                    let is_mine = |held: &&Claim| held.party == claim.party || claim.above.contains(&held.party);
                    let mut mine = claims.iter().filter(|held| held.is_held && held.id != claim.id).filter(is_mine);
                    prop_assert!(!is_against || mine.any(|held| held.thing.overlaps(&earlier.thing)), "{earlier:?} was first");
                }
            }
        }
    }
}
