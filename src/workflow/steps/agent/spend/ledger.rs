//! What is on its way in this process below each agent, and who may still go. Knows no clock and no database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::RunId;
use crate::model::gateway::short_usd;

/// Runs of which it is remembered which agents are above them.
const MAX_REMEMBERED: usize = 4_096;

/// A step of a run.
pub(super) type Place = (RunId, String);
/// Tokens, and millionths of a US dollar.
pub(super) type Sum = (i64, i64);

/// What an agent may spend with all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Its name.
    pub agent: String,
    /// Tokens.
    pub tokens: i64,
    /// Millionths of a US dollar, where it has a limit.
    pub cost_micros: Option<i64>,
}

/// An agent that has a run done.
#[derive(Debug)]
pub(super) struct Agent {
    pub place: Place,
    pub limits: Limits,
    /// What it had spent itself when the run began: mostly it waits for that, and spends nothing meanwhile.
    pub own: Sum,
}

/// What is on its way in this process.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// One for each agent below which a call is on its way or looks for room.
    accounts: HashMap<Place, Account>,
    /// The agents above a run, the nearest first.
    above: HashMap<RunId, Arc<[Agent]>>,
}

/// What is on its way below one agent.
#[derive(Debug, Default)]
struct Account {
    underway: Calls,
    /// Those that ended since somebody looks for room: what was read before may lack what they took.
    ended: Calls,
    /// How many look for room.
    looking: u32,
    /// One has ended.
    freed: Arc<Notify>,
}

/// Calls, and what was expected of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calls {
    count: i64,
    tokens: i64,
    cost_micros: i64,
}

impl Calls {
    const fn one(expected: Sum) -> Self {
        Self { count: 1, tokens: expected.0, cost_micros: expected.1 }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_sub(other.count),
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_micros: self.cost_micros.saturating_sub(other.cost_micros),
        }
    }
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Sums are changed by whole statements: they are right whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agents above a run, where that is known.
    pub(super) fn above(&self, run: RunId) -> Option<Arc<[Agent]>> {
        self.lock().above.get(&run).cloned()
    }

    /// Takes note of the agents above a run.
    pub(super) fn remember(&self, run: RunId, above: Vec<Agent>) -> Arc<[Agent]> {
        let above: Arc<[Agent]> = above.into();
        let mut state = self.lock();
        if state.above.len() >= MAX_REMEMBERED {
            state.above.clear();
        }
        state.above.insert(run, Arc::clone(&above));
        above
    }
}

impl State {
    /// Changes an account, and forgets it once nobody has anything to do with it.
    fn change(&mut self, place: &Place, change: impl FnOnce(&mut Account)) {
        let account = self.accounts.entry(place.clone()).or_default();
        change(account);
        if account.underway.count == 0 && account.looking == 0 {
            self.accounts.remove(place);
        }
    }
}

/// Somebody looks for room below these agents, until this is dropped.
#[derive(Debug)]
pub(super) struct Looking {
    ledger: Arc<Ledger>,
    above: Arc<[Agent]>,
    /// Of the outermost agent: whatever ends below another one of them ends below that, too.
    freed: Arc<Notify>,
}

impl Looking {
    pub fn new(ledger: &Arc<Ledger>, above: &Arc<[Agent]>) -> Self {
        let mut freed = Arc::default();
        let mut state = ledger.lock();
        for agent in above.iter() {
            state.change(&agent.place, |account| {
                account.looking += 1;
                freed = Arc::clone(&account.freed);
            });
        }
        drop(state);
        Self { ledger: Arc::clone(ledger), above: Arc::clone(above), freed }
    }

    /// Wakes whoever waits for an end below any of them.
    pub fn freed(&self) -> &Notify {
        &self.freed
    }

    /// What has ended below each of them so far.
    pub fn ended(&self) -> Vec<Calls> {
        let state = self.ledger.lock();
        let ended = |agent: &Agent| state.accounts.get(&agent.place).map(|account| account.ended).unwrap_or_default();
        self.above.iter().map(ended).collect()
    }

    /// Decides for all agents above at once, so that nobody has one part and waits for another. `spent` was read after `seen` had ended.
    pub fn take(&self, seen: &[Calls], spent: &[Sum], expected: Sum) -> Took {
        let mut state = self.ledger.lock();
        let mut is_taken = false;
        for ((agent, seen), spent) in self.above.iter().zip(seen).zip(spent) {
            let held =
                state.accounts.get(&agent.place).map(|account| account.underway.plus(account.ended).minus(*seen));
            match room(&agent.limits, *spent, held.unwrap_or_default(), expected) {
                Room::There => {}
                Room::Taken => is_taken = true,
                Room::Used(why) => {
                    let name = &agent.limits.agent;
                    return Took::Refused(format!("the agent {name}, with those that it had work, has {why}"));
                }
            }
        }
        if is_taken {
            return Took::Wait;
        }
        for agent in self.above.iter() {
            state.change(&agent.place, |account| account.underway = account.underway.plus(Calls::one(expected)));
        }
        drop(state);
        Took::Reserved(Reserved { ledger: Arc::clone(&self.ledger), above: Arc::clone(&self.above), expected })
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        let mut state = self.ledger.lock();
        for agent in self.above.iter() {
            state.change(&agent.place, |account| account.looking = account.looking.saturating_sub(1));
        }
    }
}

/// What is said to who looks for room.
pub(super) enum Took {
    Reserved(Reserved),
    Refused(String),
    Wait,
}

/// What is reserved for a call, until this is dropped.
#[derive(Debug)]
pub struct Reserved {
    ledger: Arc<Ledger>,
    above: Arc<[Agent]>,
    expected: Sum,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let call = Calls::one(self.expected);
        let mut state = self.ledger.lock();
        for agent in self.above.iter() {
            state.change(&agent.place, |account| {
                account.underway = account.underway.minus(call);
                account.ended = account.ended.plus(call);
                account.freed.notify_waiters();
            });
        }
    }
}

/// What is said to a call.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    /// It may be made.
    There,
    /// Not while the others are on their way.
    Taken,
    /// Not any more, and why.
    Used(String),
}

fn room(limits: &Limits, spent: Sum, held: Calls, expected: Sum) -> Room {
    if let Some(why) = used_up(limits, spent) {
        return Room::Used(why);
    }
    let fits =
        |limit: i64, spent: i64, held: i64, expected: i64| spent.saturating_add(held).saturating_add(expected) <= limit;
    let has_tokens = fits(limits.tokens, spent.0, held.tokens, expected.0);
    let has_money = limits.cost_micros.is_none_or(|limit| fits(limit, spent.1, held.cost_micros, expected.1));
    if held.count == 0 || (has_tokens && has_money) { Room::There } else { Room::Taken }
}

/// What an agent has used up with all below it; `None` while something is left.
pub fn used_up(limits: &Limits, spent: Sum) -> Option<String> {
    if spent.0 >= limits.tokens {
        return Some(format!("used {} tokens of its {}", spent.0, limits.tokens));
    }
    let limit = limits.cost_micros.filter(|limit| spent.1 >= *limit)?;
    Some(format!("spent {} of its {}", short_usd(spent.1), short_usd(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Calls = Calls { count: 2, tokens: 4_000, cost_micros: 40 };
    const NONE: Calls = Calls { count: 0, tokens: 0, cost_micros: 0 };

    fn limits(tokens: i64, cost_micros: Option<i64>) -> Limits {
        Limits { agent: "lead".to_owned(), tokens, cost_micros }
    }

    #[test]
    fn a_call_beside_others_waits_where_together_they_could_pass_a_limit() {
        for (limits, spent, underway, expected, room_there) in [
            (limits(10_000, None), (3_000, 0), FEW, (3_000, 0), true),
            (limits(10_000, None), (3_001, 0), FEW, (3_000, 0), false),
            (limits(10_000, Some(100)), (0, 50), FEW, (10, 10), true),
            (limits(10_000, Some(100)), (0, 51), FEW, (10, 10), false),
            // One alone goes: what is left may be enough, and nobody else passes the limit with it.
            (limits(10_000, Some(100)), (9_999, 99), NONE, (50_000, 500), true),
        ] {
            let expected_room = if room_there { Room::There } else { Room::Taken };
            assert_eq!(room(&limits, spent, underway, expected), expected_room, "{limits:?} {spent:?} {expected:?}");
        }
    }

    #[test]
    fn nobody_goes_once_all_is_spent() {
        let used = |limits: &Limits, spent| match room(limits, spent, NONE, (1, 1)) {
            Room::Used(why) => why,
            other => format!("{other:?}"),
        };
        assert_eq!(used(&limits(1_000, None), (1_000, 0)), "used 1000 tokens of its 1000");
        assert!(used(&limits(1_000, Some(70)), (10, 70)).starts_with("spent "));
        assert_eq!(used(&limits(1_000, None), (10, 70)), "There", "without a limit of money there is none");
    }

    fn below(tokens: i64) -> (Arc<Ledger>, Arc<[Agent]>) {
        let place = (RunId(uuid::Uuid::nil()), "work".to_owned());
        (Arc::default(), Arc::new([Agent { place, limits: limits(tokens, None), own: (0, 0) }]))
    }

    #[test]
    fn what_is_reserved_is_free_again_once_the_call_has_ended() {
        let (ledger, above) = below(10_000);
        let looking = Looking::new(&ledger, &above);
        let begun = looking.ended();
        let take = |seen: &[Calls], spent: i64| looking.take(seen, &[(spent, 0)], (6_000, 0));
        let Took::Reserved(first) = take(&begun, 0) else { panic!("there was room") };
        assert!(matches!(take(&begun, 0), Took::Wait), "6,000 and 6,000 are more than 10,000");
        drop(first);
        assert!(matches!(take(&begun, 0), Took::Wait), "what the first took is not in what was read before");
        let ended = looking.ended();
        let Took::Reserved(second) = take(&ended, 5_000) else { panic!("one alone goes") };
        assert!(matches!(take(&ended, 10_000), Took::Refused(why) if why.contains("lead")));
        drop(second);
        drop(looking);
        assert!(ledger.lock().accounts.is_empty(), "nothing is kept of what is over");
    }

    #[test]
    fn calls_that_end_elsewhere_keep_nobody_looking() {
        let (ledger, above) = below(10_000);
        let elsewhere: Arc<[Agent]> = Arc::new([Agent {
            place: (RunId(uuid::Uuid::nil()), "other".to_owned()),
            limits: limits(10_000, None),
            own: (0, 0),
        }]);
        let looking = Looking::new(&ledger, &above);
        let seen = looking.ended();
        let other = Looking::new(&ledger, &elsewhere);
        drop(other.take(&other.ended(), &[(0, 0)], (6_000, 0)));
        assert!(matches!(looking.take(&seen, &[(0, 0)], (6_000, 0)), Took::Reserved(_)));
    }
}
