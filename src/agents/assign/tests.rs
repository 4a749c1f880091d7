//! The rule of assignment: what each part tells apart, ties, and what never lowers a score.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000_000);
const MINUTE_MS: i64 = 60_000;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn history(kind: &str, done: u32, failed: u32, ms: i64) -> History {
    let mut history = History::default();
    (0..done).for_each(|_| history.add_done(kind, ms));
    (0..failed).for_each(|_| history.add_failed());
    history
}

/// One that works at one task at a time, has nothing to do, and is like every other.
fn candidate(n: u8) -> Candidate {
    Candidate {
        agent: AgentId(Uuid::from_u128(u128::from(n))),
        name: format!("agent-{n}"),
        kept_out: None,
        expertise: Vec::new(),
        parallel: Some(1),
        open: Vec::new(),
        history: history("rust", 4, 0, MINUTE_MS),
        ties: Ties::default(),
    }
}

fn queued(count: usize) -> Vec<Open> {
    vec![Open { kind: "rust".to_owned(), priority: 5, began_at: None }; count]
}

fn under_way(for_ms: i64) -> Open {
    Open { kind: "rust".to_owned(), priority: 5, began_at: Some(NOW.plus_ms(-for_ms)) }
}

fn assigned(expertise: &[String], candidates: &[Candidate]) -> Assignment {
    let task = Task { expertise, kind: "rust", priority: 5, after: 2 };
    assign(&task, candidates, &Weights::default(), NOW).expect("somebody may take it")
}

fn order(candidates: &[Candidate]) -> Vec<String> {
    assigned(&words(&["rust"]), candidates).candidates.into_iter().map(|one| one.name).collect()
}

/// The better of two that differ in one thing.
fn better(change: impl Fn(&mut Candidate)) -> String {
    let (plain, mut other) = (candidate(1), candidate(2));
    change(&mut other);
    order(&[plain, other]).remove(0)
}

#[test]
fn each_part_alone_decides_between_two_that_are_alike_otherwise() {
    assert_eq!(better(|_| {}), "agent-1", "equal scores go by name");
    assert_eq!(better(|other| other.expertise = words(&["Rust"])), "agent-2");
    assert_eq!(better(|other| other.history = history("rust", 4, 0, MINUTE_MS / 2)), "agent-2", "done sooner");
    assert_eq!(better(|other| other.history = history("rust", 40, 0, MINUTE_MS)), "agent-2", "surer");
    assert_eq!(better(|other| other.ties.after = 1), "agent-2");
    assert_eq!(better(|other| other.ties.topic = true), "agent-2");
    assert_eq!(better(|other| other.ties.repository = true), "agent-2");
    let mut busy = candidate(1);
    busy.open = vec![under_way(0)];
    assert_eq!(order(&[busy, candidate(2)])[0], "agent-2", "less to do");
}

#[test]
fn who_knows_is_worth_a_short_wait_and_no_long_one() {
    let with = |open: Vec<Open>| {
        let knows = Candidate { expertise: words(&["rust"]), open, ..candidate(1) };
        order(&[knows, candidate(2)]).remove(0)
    };
    assert_eq!(with(vec![under_way(MINUTE_MS / 2)]), "agent-1");
    let mut long = queued(8);
    long.push(under_way(0));
    assert_eq!(with(long), "agent-2");
}

#[test]
fn a_wait_is_what_is_left_of_what_comes_before() {
    let wait = |open: Vec<Open>, parallel: Option<u32>| {
        let one = Candidate { parallel, open, ..candidate(1) };
        assigned(&[], &[one]).candidates[0].wait_ms
    };
    assert_eq!(wait(vec![under_way(20_000)], Some(1)), 40_000);
    assert_eq!(wait(vec![under_way(90_000)], Some(1)), 0, "longer than usual: any moment now");
    assert_eq!(wait(vec![under_way(20_000)], Some(2)), 0, "a place is free");
    assert_eq!(wait([vec![under_way(20_000)], queued(1)].concat(), Some(2)), 50_000, "two places share it");
    assert_eq!(wait(queued(50), None), 0, "no limit, no wait");
    let mut later = queued(3);
    later[0].priority = 4;
    assert_eq!(wait(later, Some(1)), 2 * MINUTE_MS, "what is less urgent comes after");
}

#[test]
fn the_parts_are_as_their_docs_say() {
    let knows = Candidate {
        expertise: words(&["rust", "sql"]),
        ties: Ties { after: 1, topic: true, repository: false },
        ..candidate(1)
    };
    let busy = Candidate { open: vec![under_way(0)], history: history("rust", 1, 4, MINUTE_MS), ..candidate(2) };
    let asked = words(&["rust", "RUST ", "wasm", "css"]);
    let found = assigned(&asked, &[knows, busy]);
    let [first, second] = found.candidates.as_slice() else { panic!("two of two") };
    let near = |found: Parts, expected: Parts| {
        let pairs = found.named().into_iter().zip(expected.named());
        pairs.for_each(|((name, a), (_, b))| assert!((a - b).abs() < 1e-9, "{name}: {a} is not {b}"));
    };
    near(first.parts, Parts { availability: 1.0, expertise: 0.5, workload: 1.0, success: 7.0 / 8.0, affinity: 0.85 });
    near(second.parts, Parts { availability: 0.5, expertise: 0.0, workload: 0.5, success: 4.0 / 9.0, affinity: 0.0 });
    assert_eq!((first.takes_ms, second.takes_ms), (Some(MINUTE_MS), None));
    assert!((first.score - Weights::default().score(&first.parts)).abs() < 1e-12);
    assert_eq!(
        first.why,
        "is free now, takes about 60 s, knows 2 of 4 words, has nothing else to do, got 4 of 4 tasks done, did 1 of the 2 tasks \
         that it comes after, last worked at the same topic"
    );
    assert_eq!(second.why, "is free in about 60 s, knows 0 of 4 words, has 1 task already, got 1 of 5 tasks done");
    assert!(found.why.starts_with("agent-1 (0.84): is free now"), "{}", found.why);
    assert!(found.why.contains("Next is agent-2 (0.32)"), "{}", found.why);
}

#[test]
fn a_task_that_asks_for_nothing_is_known_by_everybody() {
    let found = assigned(&[], &[candidate(1), Candidate { expertise: words(&["rust"]), ..candidate(2) }]);
    assert!(found.candidates.iter().all(|one| one.parts.expertise >= 1.0));
    assert!(!found.candidates[0].why.contains("knows"));
}

#[test]
fn where_nobody_may_take_it_each_is_named_with_why() {
    let task = Task { expertise: &[], kind: "", priority: 5, after: 0 };
    let refused = |candidates: &[Candidate]| {
        assign(&task, candidates, &Weights::default(), NOW).expect_err("nobody may").to_string()
    };
    assert_eq!(refused(&[]), "there is no agent that it may be given to");
    let out = |n, because| Candidate { kept_out: Some(because), ..candidate(n) };
    let (two, one) = (out(2, KeptOut::Tried), out(1, KeptOut::Stopped));
    assert_eq!(refused(&[two, one]), "nobody may take it: agent-1 is stopped, agent-2 had it already");
    let many: Vec<Candidate> = (1..=7).map(|n| out(n, KeptOut::Stopped)).collect();
    assert!(refused(&many).ends_with("agent-5 is stopped, and 2 more"), "{}", refused(&many));
}

#[test]
fn weights_that_do_not_come_to_one_decide_nothing() {
    let weights = Weights { affinity: 0.5, ..Weights::default() };
    let task = Task { expertise: &[], kind: "", priority: 5, after: 0 };
    let refused = assign(&task, &[candidate(1)], &weights, NOW);
    assert!(
        matches!(refused, Err(Refusal::Weights(fields)) if fields[0].message == "expected weights that come to 1, found 1.400")
    );
}

#[test]
fn the_kind_of_a_task_is_what_it_asks_for_in_whatever_order() {
    assert_eq!(kind_of(&words(&["SQL", "rust", " sql"])), "rust sql");
    assert_eq!(kind_of(&[]), "");
}

prop_compose! {
    fn opens()(open in prop::collection::vec((0..3_usize, 1..=9_u8, prop::option::of(0..200_000_i64)), 0..6)) -> Vec<Open> {
        let kinds = ["rust", "sql", "rust sql"];
        open.into_iter().map(|(kind, priority, for_ms)| Open {
            kind: kinds[kind].to_owned(), priority, began_at: for_ms.map(|ms| NOW.plus_ms(-ms)),
        }).collect()
    }
}

prop_compose! {
    fn some()(
        n in any::<u8>(),
        known in prop::collection::vec(prop::sample::select(vec!["rust", "sql", "css"]), 0..3),
        parallel in prop::option::of(1..4_u32),
        open in opens(),
        done in prop::collection::vec((prop::sample::select(vec!["rust", "sql"]), 1..500_000_i64), 0..9),
        failed in 0..9_u32,
        ties in (0..3_u32, any::<bool>(), any::<bool>()),
        stopped in prop::bool::weighted(0.2),
    ) -> Candidate {
        let mut history = History::default();
        for (kind, ms) in done {
            history.add_done(kind, ms);
        }
        (0..failed).for_each(|_| history.add_failed());
        Candidate {
            kept_out: stopped.then_some(KeptOut::Stopped),
            expertise: words(&known),
            parallel,
            open,
            history,
            ties: Ties { after: ties.0, topic: ties.1, repository: ties.2 },
            ..candidate(n)
        }
    }
}

fn try_assign(candidates: &[Candidate]) -> Option<Assignment> {
    let asked = words(&["rust", "sql"]);
    let task = Task { expertise: &asked, kind: "rust sql", priority: 5, after: 2 };
    assign(&task, candidates, &Weights::default(), NOW).ok()
}

/// The score of the first of the candidates.
fn score_of_first(candidates: &[Candidate]) -> f64 {
    let found = try_assign(candidates).expect("the first may");
    let own = found.candidates.iter().find(|one| one.agent == candidates[0].agent);
    own.expect("the first is among them").score
}

proptest! {
    #[test]
    fn every_part_and_score_is_from_zero_to_one_and_nobody_kept_out_is_chosen(
        candidates in prop::collection::vec(some(), 0..8)
    ) {
        let found = try_assign(&candidates);
        prop_assert_eq!(found.is_some(), candidates.iter().any(|one| one.kept_out.is_none()));
        let Some(found) = found else { return Ok(()) };
        prop_assert_eq!(found.candidates.len() + found.left_out.len(), candidates.len());
        for one in &found.candidates {
            prop_assert!((0.0..=1.0).contains(&one.score), "{}", one.score);
            for (name, part) in one.parts.named() {
                prop_assert!((0.0..=1.0).contains(&part), "{name} is {part}");
            }
        }
        let chosen = candidates.iter().filter(|one| one.agent == found.agent);
        prop_assert!(chosen.clone().any(|one| one.kept_out.is_none()));
        prop_assert!(found.candidates.iter().all(|one| one.score <= found.candidates[0].score + 1e-9));
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter(candidates in prop::collection::vec(some(), 1..8)) {
        let mut named = candidates;
        named.iter_mut().zip(0_u8..).for_each(|(one, n)| {
            one.agent = AgentId(Uuid::from_u128(u128::from(n)));
            one.name = format!("agent-{n}");
        });
        let forward = try_assign(&named);
        named.reverse();
        prop_assert_eq!(forward, try_assign(&named));
    }

    #[test]
    fn what_is_better_of_one_agent_never_lowers_its_score(
        first in some(), others in prop::collection::vec(some(), 0..6), which in 0..5_usize
    ) {
        let mut all = vec![Candidate { agent: AgentId(Uuid::max()), kept_out: None, ..first }];
        all.extend(others);
        let before = score_of_first(&all);
        let one = &mut all[0];
        match which {
            0 => one.open.truncate(one.open.len() / 2),
            1 => one.expertise = words(&["rust", "sql"]),
            2 => one.ties.after = 2,
            3 => one.ties.topic = true,
            _ => one.ties.repository = true,
        }
        prop_assert!(score_of_first(&all) >= before - 1e-12);
    }

    #[test]
    fn a_failure_never_raises_a_score(first in some(), others in prop::collection::vec(some(), 0..6)) {
        let mut all = vec![Candidate { agent: AgentId(Uuid::max()), kept_out: None, ..first }];
        all.extend(others);
        let before = score_of_first(&all);
        all[0].history.add_failed();
        prop_assert!(score_of_first(&all) <= before);
    }
}
