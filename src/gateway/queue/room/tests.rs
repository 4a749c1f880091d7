//! Who goes, who waits, and who is turned away.

use super::super::told::Left;
use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn room(limits: Limits) -> Room {
    let mut room = Room::default();
    room.limit(limits);
    room
}

fn of(model: &str, tokens: u32) -> Want<'_> {
    Want { model, tokens, patience: MINUTE, told_patience: MINUTE }
}

fn none_left(limit: Option<i64>, reset: Duration) -> Told {
    Told { requests: Some(Left { remaining: 0, limit, reset }), tokens: None }
}

/// Who goes by now, in order.
fn admitted(room: &mut Room, now: Duration) -> Vec<u64> {
    std::iter::from_fn(|| room.admit(now)).collect()
}

#[test]
fn without_limits_everybody_goes() {
    let mut room = room(Limits::default());
    for _ in 0..1_000 {
        assert_eq!(room.enter(of("m", u32::MAX), at(0)), Entered::Goes);
    }
    assert_eq!(room.state(Limits::default(), at(0)).underway, 1_000);
}

#[test]
fn those_who_wait_go_in_the_order_in_which_they_came_as_others_end() {
    let mut room = room(Limits { max_concurrent: Some(2), ..Limits::default() });
    let entered: Vec<_> = (0..5).map(|_| room.enter(of("m", 1), at(0))).collect();
    let expected = [Entered::Goes, Entered::Goes, Entered::Waits(1), Entered::Waits(2), Entered::Waits(3)];
    assert_eq!(entered, expected);
    assert_eq!((room.admit(at(9)), room.nap(at(9))), (None, None), "time alone makes no room");
    room.end(0);
    assert_eq!(admitted(&mut room, at(9)), [1]);
    room.leave(2);
    room.end(0);
    room.end(0);
    assert_eq!(admitted(&mut room, at(9)), [3]);
    room.end(0);
    assert!(room.is_idle(at(9)));
}

#[test]
fn calls_beyond_those_of_a_minute_go_exactly_as_they_flow_off() {
    let mut room = room(Limits { requests_per_minute: Some(60), ..Limits::default() });
    for _ in 0..60 {
        assert_eq!(room.enter(of("m", 1), at(0)), Entered::Goes);
    }
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Waits(1));
    assert_eq!(room.enter(of("m", 1), at(100)), Entered::Waits(2));
    assert_eq!(room.nap(at(100)), Some(at(900)));
    assert!(admitted(&mut room, at(999)).is_empty());
    assert_eq!(admitted(&mut room, at(1_000)), [1]);
    assert_eq!(room.nap(at(1_000)), Some(at(1_000)));
    assert_eq!(admitted(&mut room, at(2_000)), [2]);
    let state = room.state(room.limits, at(2_000));
    assert_eq!((state.underway, state.waiting, state.requests, state.tokens), (62, 0, Some(60), None));
}

#[test]
fn nobody_overtakes_who_waits_for_more_tokens() {
    let mut room = room(Limits { tokens_per_minute: Some(1_000), ..Limits::default() });
    assert_eq!(room.enter(of("m", 900), at(0)), Entered::Goes);
    assert_eq!(room.enter(of("m", 500), at(0)), Entered::Waits(1));
    assert_eq!(room.enter(of("other", 10), at(0)), Entered::Waits(2), "there would be room for it");
    assert_eq!(room.nap(at(0)), Some(at(24_000)));
    assert_eq!(admitted(&mut room, at(24_000)), [1]);
    assert_eq!(admitted(&mut room, at(24_600)), [2]);
}

#[test]
fn a_call_that_is_larger_than_a_minute_goes_once_nothing_else_is_used() {
    let mut room = room(Limits { tokens_per_minute: Some(1_000), ..Limits::default() });
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Goes);
    assert_eq!(room.enter(of("m", 50_000), at(0)), Entered::Waits(1));
    assert_eq!(admitted(&mut room, at(60)), [1]);
    // It took much less than it was expected to.
    room.end(200 - 50_000);
    assert_eq!(room.enter(of("m", 799), at(60)), Entered::Goes);
}

#[test]
fn who_can_not_be_helped_in_time_is_turned_away_at_once() {
    let mut room = room(Limits { requests_per_minute: Some(1), queue: 1, ..Limits::default() });
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Goes);
    let hasty = Want { patience: at(59_999), ..of("m", 1) };
    assert_eq!(room.enter(hasty, at(0)), Entered::TooLong { least: MINUTE });
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Waits(1));
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Full { waiting: 1, least: MINUTE * 2 });
    assert_eq!(room.would_say("m", room.limits, at(0)), Entered::Full { waiting: 1, least: MINUTE * 2 });
    room.leave(1);
    let short = Limits { queue_ms: 30_000, ..room.limits };
    assert_eq!(room.would_say("m", short, at(0)), Entered::TooLong { least: MINUTE });
    assert_eq!(room.would_say("m", short, at(60_000)), Entered::Goes);
    let never = Want { patience: Duration::ZERO, ..of("m", 1) };
    room.limit(Limits { max_concurrent: Some(1), ..Limits::default() });
    assert_eq!(room.enter(never, at(60_000)), Entered::TooLong { least: Duration::ZERO });
}

#[test]
fn a_model_of_which_the_provider_wants_no_more_stands_aside_for_the_others() {
    let mut room = room(Limits::default());
    assert_eq!(room.enter(of("opus", 1), at(0)), Entered::Goes);
    room.hear("opus", none_left(None, at(5_000)), (at(0), at(300)));
    assert_eq!(room.enter(of("opus", 1), at(300)), Entered::Waits(1));
    assert_eq!(room.enter(of("haiku", 1), at(300)), Entered::Goes);
    assert_eq!(room.enter(of("opus", 1), at(300)), Entered::Waits(2));
    assert_eq!(room.nap(at(300)), Some(at(4_700)));
    assert_eq!(room.state(room.limits, at(300)).held, [HeldModel { model: "opus".into(), for_ms: 4_700 }]);
    let hasty = Want { told_patience: at(800), ..of("opus", 1) };
    assert_eq!(room.enter(hasty, at(300)), Entered::TooLong { least: at(4_700) });
    assert_eq!(admitted(&mut room, at(5_000)), [1, 2]);
}

#[test]
fn a_small_call_does_not_starve_a_large_one_of_the_same_model() {
    let mut room = room(Limits::default());
    let tokens = Some(Left { remaining: 100, limit: Some(1_000), reset: at(9_000) });
    room.hear("m", Told { requests: None, tokens }, (at(0), at(0)));
    assert_eq!(room.enter(of("m", 400), at(0)), Entered::Waits(1));
    assert_eq!(room.enter(of("m", 50), at(0)), Entered::Waits(2));
    assert_eq!((room.admit(at(0)), room.nap(at(0))), (None, Some(at(3_000))));
    assert_eq!(admitted(&mut room, at(3_000)), [1]);
}

#[test]
fn a_change_of_the_limits_holds_for_those_who_wait() {
    let mut room = room(Limits { max_concurrent: Some(1), ..Limits::default() });
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Goes);
    assert_eq!(room.enter(of("m", 1), at(0)), Entered::Waits(1));
    room.limit(Limits::default());
    assert_eq!(admitted(&mut room, at(0)), [1]);
}

#[test]
fn what_was_let_go_and_not_made_uses_nothing() {
    let mut room = room(Limits { requests_per_minute: Some(1), tokens_per_minute: Some(10), ..Limits::default() });
    assert_eq!(room.enter(of("m", 10), at(0)), Entered::Goes);
    room.give_back(10);
    assert!(room.is_idle(at(0)));
    assert_eq!(room.enter(of("m", 10), at(0)), Entered::Goes);
}

#[test]
fn what_is_known_of_models_is_bounded() {
    let mut room = Room::default();
    for n in 0..1_000 {
        room.hear(&n.to_string(), none_left(None, MINUTE), (at(0), at(0)));
        assert!(room.told.len() <= MOST_MODELS);
    }
    room.forget();
    assert!(room.is_idle(at(0)));
}
