//! Who is let in next: the one rule of the queue of runs, over the rows that wait.
//!
//! By priority; then in turn, the lane that was served longest ago first, so that a flood under one key keeps nobody else
//! waiting; then by age. Nobody overtakes in a lane. Nothing is let in beyond a key's limit, a rate's count or the
//! workspace's quota.

use std::collections::BTreeMap;

use crate::model::{RunId, Timestamp};

/// The first of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The run.
    pub run: RunId,
    /// When its lane was last served, or began to wait: a number that only goes up.
    pub turn: i64,
    /// 1..=9, 9 first.
    pub priority: u8,
    /// Runs that its key admits at a time; `None` for a run without one.
    pub limit: Option<u32>,
    /// Whether it takes the place of an older run where its key is full.
    pub supersedes: bool,
    /// Runs in progress under the key.
    pub held: u32,
    /// Its rate.
    pub rate: Option<RateState>,
    /// Whether it takes a place of the workspace's quota. Not a run that another one waits for: that one has a place, and
    /// would keep it while this one waits for it.
    pub counts: bool,
}

/// How a sliding window stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateState {
    /// Whose.
    pub key: String,
    /// Runs that may begin in it.
    pub count: u32,
    /// Runs that did.
    pub taken: u32,
    /// When the next may begin; `None` for now.
    pub opens_at: Option<Timestamp>,
}

/// The workspace's quota of runs in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Runs in progress.
    pub running: u32,
    /// Runs that may be; `None` for any number.
    pub limit: Option<u32>,
}

impl Room {
    /// Whether another fits.
    pub fn is_free(self) -> bool {
        self.limit.is_none_or(|limit| self.running < limit)
    }
}

/// What keeps a run from beginning, the first of what does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Its key is full.
    Key,
    /// Its rate's window is full, until then.
    Rate(Option<Timestamp>),
    /// The workspace's quota is used up.
    Quota,
}

impl Head {
    /// What keeps it from beginning, beside its turn. A run that takes the place of another waits for its rate first: what it
    /// would begin in place of goes on until it can.
    pub fn blocked(&self, room: Room) -> Option<Blocked> {
        let key = self.limit.is_some_and(|limit| self.held >= limit).then_some(Blocked::Key);
        let rate = self.rate.as_ref().filter(|rate| rate.taken >= rate.count);
        let rate = rate.map(|rate| Blocked::Rate(rate.opens_at));
        let first = if self.supersedes { rate.or(key) } else { key.or(rate) };
        first.or((self.counts && !room.is_free()).then_some(Blocked::Quota))
    }
}

/// Those of the heads that may begin now, in the order in which they do. Each is the first of a lane of its own; whoever
/// lets them in asks again with the heads that come after them.
pub fn admit(heads: &[Head], mut room: Room) -> Vec<RunId> {
    let mut order: Vec<&Head> = heads.iter().collect();
    order.sort_by_key(|head| (std::cmp::Reverse(head.priority), head.turn, head.run));
    let mut begun: BTreeMap<&str, u32> = BTreeMap::new();
    let mut admitted = Vec::new();
    for head in order {
        if head.blocked(room).is_some() {
            continue;
        }
        if let Some(rate) = &head.rate {
            let begun = begun.entry(&rate.key).or_default();
            if rate.taken + *begun >= rate.count {
                continue;
            }
            *begun += 1;
        }
        room.running += u32::from(head.counts);
        admitted.push(head.run);
    }
    admitted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(n: u32) -> RunId {
        RunId(uuid::Uuid::from_u128(u128::from(n)))
    }

    fn head(n: u32, turn: i64, priority: u8) -> Head {
        Head { run: run(n), turn, priority, limit: Some(1), supersedes: false, held: 0, rate: None, counts: true }
    }

    const ANY: Room = Room { running: 0, limit: None };

    #[test]
    fn priority_comes_before_turn_and_turn_before_age() {
        let heads = [head(1, 7, 5), head(2, 3, 5), head(3, 9, 9), head(4, 3, 5)];
        assert_eq!(admit(&heads, ANY), [run(3), run(2), run(4), run(1)]);
    }

    #[test]
    fn a_full_key_a_full_window_and_a_used_up_quota_keep_out() {
        let room = Room { running: 2, limit: Some(2) };
        assert_eq!(head(1, 0, 5).blocked(room), Some(Blocked::Quota));
        assert_eq!(Head { held: 1, ..head(1, 0, 5) }.blocked(room), Some(Blocked::Key));
        let opens_at = Some(Timestamp(7));
        let rate = Some(RateState { key: "mail".into(), count: 2, taken: 2, opens_at });
        assert_eq!(Head { rate, ..head(1, 0, 5) }.blocked(room), Some(Blocked::Rate(opens_at)));
    }

    #[test]
    fn a_run_that_another_one_waits_for_is_let_in_beyond_the_quota_and_takes_none_of_it() {
        let room = Room { running: 1, limit: Some(2) };
        let waited_for = |n| Head { counts: false, ..head(n, 0, 5) };
        let heads = [head(1, 0, 5), waited_for(2), head(3, 0, 5), waited_for(4)];
        assert_eq!(admit(&heads, room), [run(1), run(2), run(4)]);
        assert_eq!(Head { held: 1, ..waited_for(2) }.blocked(room), Some(Blocked::Key));
    }

    #[test]
    fn a_run_that_takes_the_place_of_another_does_so_once_its_rate_lets_it_begin() {
        let window = |taken| Some(RateState { key: "mail".into(), count: 1, taken, opens_at: Some(Timestamp(7)) });
        let newer = |taken| Head { supersedes: true, held: 1, rate: window(taken), ..head(1, 0, 5) };
        assert_eq!(newer(1).blocked(ANY), Some(Blocked::Rate(Some(Timestamp(7)))));
        assert_eq!(newer(0).blocked(ANY), Some(Blocked::Key));
    }

    /// When it was last served, its key's limit, and who waits: priority and number.
    type Lane = (i64, u32, Vec<(u8, u32)>);

    /// A queue in miniature: lanes of waiting runs, and what is in progress.
    #[derive(Debug)]
    struct Queue {
        lanes: Vec<Lane>,
        held: Vec<(usize, u32)>,
        turn: i64,
    }

    impl Queue {
        fn heads(&self) -> Vec<Head> {
            let heads = self.lanes.iter().enumerate().filter_map(|(lane, (turn, limit, waiting))| {
                let (priority, n) = waiting.iter().max_by_key(|(priority, n)| (*priority, std::cmp::Reverse(*n)))?;
                let held = self.held.iter().filter(|(of, _)| *of == lane).count() as u32;
                let rate = Some(RateState { key: "all".into(), count: 1000, taken: 0, opens_at: None });
                let limit = Some(*limit);
                Some(Head {
                    run: run(*n),
                    turn: *turn,
                    priority: *priority,
                    limit,
                    supersedes: false,
                    held,
                    rate,
                    counts: true,
                })
            });
            heads.collect()
        }

        fn pass(&mut self, limit: Option<u32>) -> Vec<RunId> {
            let mut all = Vec::new();
            loop {
                let room = Room { running: self.held.len() as u32, limit };
                let admitted = admit(&self.heads(), room);
                if admitted.is_empty() {
                    return all;
                }
                for id in admitted {
                    let n = id.0.as_u128() as u32;
                    let lane = self.lanes.iter().position(|(_, _, w)| w.iter().any(|(_, m)| *m == n)).expect("waits");
                    self.lanes[lane].2.retain(|(_, m)| *m != n);
                    self.turn += 1;
                    self.lanes[lane].0 = self.turn;
                    self.held.push((lane, n));
                    all.push(id);
                }
            }
        }
    }

    prop_compose! {
        fn queues()(lanes in prop::collection::vec((1u32..4, prop::collection::vec(1u8..=9, 0..12)), 1..6)) -> Queue {
            let mut n = 0;
            let lanes = lanes.into_iter().map(|(limit, priorities)| {
                let waiting = priorities.into_iter().map(|priority| { n += 1; (priority, n) }).collect();
                (0, limit, waiting)
            });
            Queue { lanes: lanes.collect(), held: Vec::new(), turn: 0 }
        }
    }

    proptest! {
        #[test]
        fn no_limit_is_ever_exceeded_and_all_get_in(mut queue in queues(), quota in 1u32..5, seed in any::<u64>()) {
            let waiting: usize = queue.lanes.iter().map(|(_, _, waiting)| waiting.len()).sum();
            let (mut served, mut seed) = (0, seed);
            loop {
                served += queue.pass(Some(quota)).len();
                prop_assert!(queue.held.len() <= quota as usize);
                for lane in 0..queue.lanes.len() {
                    let held = queue.held.iter().filter(|(of, _)| *of == lane).count() as u32;
                    prop_assert!(held <= queue.lanes[lane].1);
                }
                if queue.held.is_empty() {
                    break;
                }
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let gone = (seed >> 33) as usize % queue.held.len();
                queue.held.swap_remove(gone);
            }
            prop_assert_eq!(served, waiting);
        }

        #[test]
        fn a_flood_under_one_key_delays_another_by_one_round_at_most(flood in 1usize..200, lanes in 1usize..6) {
            let mut n = 0;
            let mut numbered = |count: usize| (0..count).map(|_| { n += 1; (5u8, n) }).collect::<Vec<_>>();
            let mut all = vec![(0, 1, numbered(flood))];
            all.extend((0..lanes).map(|_| (0, 1, numbered(1))));
            let mut queue = Queue { lanes: all, held: Vec::new(), turn: 0 };
            let mut places = Vec::new();
            loop {
                let begun = queue.pass(Some(1));
                if begun.is_empty() { break; }
                places.extend(begun);
                queue.held.clear();
            }
            let last = places.iter().rposition(|id| id.0.as_u128() as usize > flood).expect("was served");
            prop_assert!(last <= lanes, "the last of {lanes} single runs was number {last}");
        }

        #[test]
        fn the_order_of_the_rows_does_not_matter(queue in queues()) {
            let mut heads = queue.heads();
            let admitted = admit(&heads, Room { running: 0, limit: Some(3) });
            heads.reverse();
            prop_assert_eq!(admitted, admit(&heads, Room { running: 0, limit: Some(3) }));
        }
    }
}
