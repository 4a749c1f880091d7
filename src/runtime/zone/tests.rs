//! Schedules where clocks are set forward and back.

use super::*;
use crate::model::trigger::Missed;
use crate::model::trigger::missed::{MOST_MADE_UP, due};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The moments after one, as people in the zone read them.
#[track_caller]
fn check(zone: &str, cron: &str, after: &str, expected: &[&str]) {
    let (zone, rule) = (Iana::find(zone).unwrap(), cron.parse::<Cron>().unwrap());
    let moments = next_moments(&rule, &zone, at(after));
    let words: Vec<&str> = moments.iter().take(expected.len()).map(|moment| moment.local.as_str()).collect();
    assert_eq!(words, expected, "{cron}");
}

#[test]
fn a_time_that_does_not_exist_fires_at_the_first_moment_after() {
    let berlin = ["Sat 28 Mar 2026, 02:30 CET", "Sun 29 Mar 2026, 03:00 CEST", "Mon 30 Mar 2026, 02:30 CEST"];
    check("Europe/Berlin", "30 2 * * *", "2026-03-28T00:00:00Z", &berlin);
    let york = ["Sat 7 Mar 2026, 02:30 EST", "Sun 8 Mar 2026, 03:00 EDT", "Mon 9 Mar 2026, 02:30 EDT"];
    check("America/New_York", "30 2 * * *", "2026-03-07T05:00:00Z", &york);
    // Half an hour is lost there.
    let lord_howe = ["Sat 3 Oct 2026, 02:15 +1030", "Sun 4 Oct 2026, 02:30 +11", "Mon 5 Oct 2026, 02:15 +11"];
    check("Australia/Lord_Howe", "15 2 * * *", "2026-10-02T12:00:00Z", &lord_howe);
    // A whole day is lost there: the 30th does not exist.
    let apia = ["Thu 29 Dec 2011, 09:00 -10", "Sat 31 Dec 2011, 00:00 +14", "Sat 31 Dec 2011, 09:00 +14"];
    check("Pacific/Apia", "0 9 * * *", "2011-12-29T12:00:00Z", &apia);
}

#[test]
fn several_times_of_one_gap_fire_once() {
    let berlin = ["Sun 29 Mar 2026, 03:00 CEST", "Mon 30 Mar 2026, 02:00 CEST", "Mon 30 Mar 2026, 02:30 CEST"];
    check("Europe/Berlin", "0,30 2 * * *", "2026-03-28T10:00:00Z", &berlin);
    let with_three = ["Sun 29 Mar 2026, 03:00 CEST", "Sun 29 Mar 2026, 03:30 CEST", "Mon 30 Mar 2026, 02:00 CEST"];
    check("Europe/Berlin", "0,30 2,3 * * *", "2026-03-28T10:00:00Z", &with_three);
}

#[test]
fn a_time_that_occurs_twice_fires_once() {
    let berlin = ["Sat 24 Oct 2026, 02:30 CEST", "Sun 25 Oct 2026, 02:30 CEST", "Mon 26 Oct 2026, 02:30 CET"];
    check("Europe/Berlin", "30 2 * * *", "2026-10-24T00:00:00Z", &berlin);
    let york = ["Sat 31 Oct 2026, 01:30 EDT", "Sun 1 Nov 2026, 01:30 EDT", "Mon 2 Nov 2026, 01:30 EST"];
    check("America/New_York", "30 1 * * *", "2026-10-31T04:00:00Z", &york);
    let steps = ["Sun 25 Oct 2026, 02:00 CEST", "Sun 25 Oct 2026, 02:30 CEST", "Mon 26 Oct 2026, 02:00 CET"];
    check("Europe/Berlin", "*/30 2 * * *", "2026-10-24T10:00:00Z", &steps);
    // Asked for in the second of the two hours, the next is tomorrow's.
    check("Europe/Berlin", "30 2 * * *", "2026-10-25T01:10:00Z", &["Mon 26 Oct 2026, 02:30 CET"]);
}

#[test]
fn a_rhythm_goes_on_evenly_when_clocks_are_set() {
    let back = [
        "Sun 25 Oct 2026, 02:00 CEST",
        "Sun 25 Oct 2026, 02:30 CEST",
        "Sun 25 Oct 2026, 02:00 CET",
        "Sun 25 Oct 2026, 02:30 CET",
        "Sun 25 Oct 2026, 03:00 CET",
    ];
    check("Europe/Berlin", "*/30 * * * *", "2026-10-24T23:50:00Z", &back);
    let forward = ["Sun 8 Mar 2026, 01:15 EST", "Sun 8 Mar 2026, 03:15 EDT", "Sun 8 Mar 2026, 04:15 EDT"];
    check("America/New_York", "15 * * * *", "2026-03-08T06:00:00Z", &forward);
}

#[test]
fn moments_strictly_increase_over_years_and_zones() {
    for zone in
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kathmandu"]
    {
        let zone = Iana::find(zone).unwrap();
        for rule in ["30 2 * * *", "0 */3 * * *", "17 * * * *", "*/20 1-3 * * SUN", "0 0 L * *"] {
            let cron: Cron = rule.parse().unwrap();
            let mut last = at("2025-01-01T00:00:00Z");
            for _ in 0..3000 {
                let next = next_after(&cron, &zone, last).unwrap();
                assert!(next > last, "{rule}: {next} after {last}");
                // Nothing lies between: asked from a moment before, the answer is the same.
                assert_eq!(next_after(&cron, &zone, Timestamp(next.0 - 1)), Some(next), "{rule}");
                last = next;
            }
        }
    }
}

#[test]
fn a_zone_is_found_by_its_name_only() {
    assert!(Iana::find("Europe/Berlin").is_some());
    for name in ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "CET-1CEST,M3.5.0,M10.5.0/3", "+02:00"] {
        assert!(Iana::find(name).is_none(), "{name}");
    }
    assert!(names().iter().any(|name| name == "America/New_York"));
}

fn missed(rule: &str, policy: Missed, next_at: &str, now: &str) -> crate::model::trigger::missed::Due {
    due(&rule.parse().unwrap(), &Iana::find("UTC").unwrap(), policy, at(next_at), at(now))
}

#[test]
fn what_was_missed_is_passed_over_made_up_for_once_or_each() {
    let (from, now) = ("2026-11-21T08:00:00Z", "2026-11-21T11:30:00Z");
    let skip = missed("0 * * * *", Missed::Skip, from, now);
    assert_eq!(skip.fire, []);
    assert_eq!(skip.passed.map(|passed| (passed.count, passed.exact)), Some((4, true)));
    assert_eq!(skip.next_at, Some(at("2026-11-21T12:00:00Z")));
    let once = missed("0 * * * *", Missed::RunOnce, from, now);
    assert_eq!((once.fire, once.stands_for, once.passed), (vec![at("2026-11-21T11:00:00Z")], 4, None));
    let all = missed("0 * * * *", Missed::RunAll, from, now);
    assert_eq!(all.fire.len(), 4);
    assert_eq!(all.fire[0], at(from));
}

#[test]
fn what_comes_in_time_fires_under_every_policy() {
    for policy in [Missed::Skip, Missed::RunOnce, Missed::RunAll] {
        let due = missed("0 8 * * *", policy, "2026-11-21T08:00:00Z", "2026-11-21T08:00:00.4Z");
        assert_eq!((due.fire, due.stands_for, due.passed), (vec![at("2026-11-21T08:00:00Z")], 0, None));
        assert_eq!(due.next_at, Some(at("2026-11-22T08:00:00Z")));
    }
}

#[test]
fn at_most_a_hundred_are_made_up_for_and_the_rest_is_told() {
    let due = missed("* * * * *", Missed::RunAll, "2026-11-20T08:00:00Z", "2026-11-21T08:00:30Z");
    assert_eq!(due.fire.len(), MOST_MADE_UP);
    assert_eq!(due.fire.last(), Some(&at("2026-11-21T08:00:00Z")));
    let passed = due.passed.unwrap();
    assert_eq!((passed.count, passed.exact), (1441 - 100, true));
    assert_eq!(passed.first, at("2026-11-20T08:00:00Z"));
    assert_eq!(passed.last, at("2026-11-21T06:20:00Z"));
}

#[test]
fn years_of_missed_seconds_are_not_counted_one_by_one() {
    let due = missed("* * * * * *", Missed::RunAll, "2016-11-20T08:00:00Z", "2026-11-21T08:00:00Z");
    assert_eq!(due.fire.len(), MOST_MADE_UP);
    assert!(due.passed.is_some_and(|passed| !passed.exact && passed.count > 10_000));
}
