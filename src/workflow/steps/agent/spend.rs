//! What an agent and all that it has work may spend together, while they work side by side.
//!
//! Before a step below an agent asks a model, this looks at what that agent and all below it have spent, and at what is on its way:
//! each call reserves what it may take until it has ended. A call for which there is no room beside the others waits until they
//! are done; one alone goes, so that a limit is passed by one call at most, as it is by an agent that works by itself. What is spent
//! stands in the database, for every process; what is on its way is this process' own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::above;
use crate::agents;
use crate::gateway;
use crate::model::RunId;
use crate::model::gateway::{Request, Usage, estimate_request, short_usd};
use crate::model::workflow::StepError;
use crate::workflow::steps::StepCall;
use crate::workflow::team;

/// Tokens that are reserved for what a model writes, where the call does not say how many it may write.
const USUAL_OUTPUT: i64 = 1_024;
/// Steps whose limits are remembered.
const MAX_REMEMBERED: usize = 4_096;

/// A step of a run.
type Place = (RunId, String);
/// Tokens, and millionths of a US dollar.
type Sum = (i64, i64);

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

/// What is on its way in this process.
#[derive(Debug, Default)]
struct Ledger {
    state: Mutex<State>,
    /// Somebody has ended.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    underway: HashMap<Place, Underway>,
    /// How many calls have ended: what they took is handed over to be stored by then.
    released: u64,
    /// `None` for a step that no agent works at. What an agent may spend is fixed when its work begins.
    limits: HashMap<Place, Option<Limits>>,
}

/// The calls that are on their way below one agent.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Underway {
    calls: u32,
    tokens: i64,
    cost_micros: i64,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Sums are changed by whole statements: they are right whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is reserved for a call, until this is dropped.
#[derive(Debug)]
pub struct Reserved {
    ledger: Arc<Ledger>,
    places: Vec<Place>,
    expected: Sum,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut state = self.ledger.lock();
        state.released += 1;
        for place in &self.places {
            let Some(underway) = state.underway.get_mut(place) else { continue };
            underway.calls = underway.calls.saturating_sub(1);
            underway.tokens -= self.expected.0;
            underway.cost_micros -= self.expected.1;
            if underway.calls == 0 {
                state.underway.remove(place);
            }
        }
        drop(state);
        self.ledger.freed.notify_waiters();
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

fn room(limits: &Limits, spent: Sum, underway: Underway, expected: Sum) -> Room {
    if let Some(why) = used_up(limits, spent) {
        return Room::Used(why);
    }
    let fits =
        |limit: i64, spent: i64, held: i64, expected: i64| spent.saturating_add(held).saturating_add(expected) <= limit;
    let has_tokens = fits(limits.tokens, spent.0, underway.tokens, expected.0);
    let has_money = limits.cost_micros.is_none_or(|limit| fits(limit, spent.1, underway.cost_micros, expected.1));
    if underway.calls == 0 || (has_tokens && has_money) { Room::There } else { Room::Taken }
}

/// What an agent has used up with all below it; `None` while something is left.
pub fn used_up(limits: &Limits, spent: Sum) -> Option<String> {
    if spent.0 >= limits.tokens {
        return Some(format!("used {} tokens of its {}", spent.0, limits.tokens));
    }
    let limit = limits.cost_micros.filter(|limit| spent.1 >= *limit)?;
    Some(format!("spent {} of its {}", short_usd(spent.1), short_usd(limit)))
}

/// Reserves what a call of a model may take with every agent above the step that makes it; waits while others take what is left.
/// `None` where no agent is above.
///
/// # Errors
/// Class `limit` where one of them has nothing left, `cancelled`, and `unavailable`.
pub async fn reserve(call: &StepCall, request: &Request) -> Result<Option<Reserved>, StepError> {
    if call.depth == 0 {
        return Ok(None);
    }
    let ledger: Arc<Ledger> = call.ctx.shared();
    let above = agents_above(call, &ledger).await?;
    if above.is_empty() {
        return Ok(None);
    }
    let expected = expected(call, request, above.iter().any(|(_, limits)| limits.cost_micros.is_some())).await?;
    let mut has_told = false;
    loop {
        // Whoever ends from here on wakes this up, however long the looking takes.
        let freed = ledger.freed.notified();
        tokio::pin!(freed);
        freed.as_mut().enable();
        let seen = ledger.lock().released;
        // What has ended before is stored now.
        gateway::settled(call.ctx.runtime()).await;
        let mut spent = Vec::with_capacity(above.len());
        for ((run, step), _) in &above {
            spent.push(agents::sum_spent(&call.ctx, *run, step).await.map_err(above::unavailable)?.total());
        }
        match take(&ledger, seen, &above, &spent, expected) {
            Took::Reserved(reserved) => return Ok(Some(reserved)),
            Took::Refused(why) => return Err(StepError::permanent("limit", why)),
            Took::Again => {}
            Took::Wait => {
                if !std::mem::replace(&mut has_told, true) {
                    call.progress.tell("waits until others have spent what they may: not much is left", None);
                }
                tokio::select! {
                    () = freed => {}
                    () = call.cancel.cancelled() => {
                        return Err(StepError::transient("cancelled", "the call of the model was cancelled"));
                    }
                }
            }
        }
    }
}

enum Took {
    Reserved(Reserved),
    Refused(String),
    /// Somebody ended in between: what was read may lack what they took.
    Again,
    Wait,
}

/// Decides for all agents above at once, so that nobody has one part and waits for another.
fn take(ledger: &Arc<Ledger>, seen: u64, above: &[(Place, Limits)], spent: &[Sum], expected: Sum) -> Took {
    let mut state = ledger.lock();
    if state.released != seen {
        return Took::Again;
    }
    let mut is_taken = false;
    for ((place, limits), spent) in above.iter().zip(spent) {
        let underway = state.underway.get(place).copied().unwrap_or_default();
        match room(limits, *spent, underway, expected) {
            Room::There => {}
            Room::Taken => is_taken = true,
            Room::Used(why) => {
                return Took::Refused(format!("the agent {}, with those that it had work, has {why}", limits.agent));
            }
        }
    }
    if is_taken {
        return Took::Wait;
    }
    for (place, _) in above {
        let underway = state.underway.entry(place.clone()).or_default();
        underway.calls += 1;
        underway.tokens += expected.0;
        underway.cost_micros += expected.1;
    }
    drop(state);
    let places = above.iter().map(|(place, _)| place.clone()).collect();
    Took::Reserved(Reserved { ledger: Arc::clone(ledger), places, expected })
}

/// The agents above a step, the nearest first, with what each may spend.
async fn agents_above(call: &StepCall, ledger: &Ledger) -> Result<Vec<(Place, Limits)>, StepError> {
    let lineage = team::root(&call.ctx, call.run_id).await.map_err(above::unavailable)?;
    let mut above = Vec::new();
    for place in lineage.around {
        let known = ledger.lock().limits.get(&place).cloned();
        let limits = match known {
            Some(limits) => limits,
            None => {
                let limits = above::limits_of(call, place.0, &place.1).await?;
                let mut state = ledger.lock();
                if state.limits.len() >= MAX_REMEMBERED {
                    state.limits.clear();
                }
                state.limits.insert(place.clone(), limits.clone());
                limits
            }
        };
        above.extend(limits.map(|limits| (place, limits)));
    }
    Ok(above)
}

/// What a call may take: what it reads, by the estimate, and the most that it may write. Its cost is reckoned at the price of who would
/// be asked first, and only where somebody has a limit of money.
async fn expected(call: &StepCall, request: &Request, costs: bool) -> Result<Sum, StepError> {
    let output = request.max_tokens.map_or(USUAL_OUTPUT, i64::from).saturating_mul(i64::from(request.answers).max(1));
    let usage = Usage { input: estimate_request(request), output, ..Usage::default() };
    let price =
        if costs { gateway::quote(&call.ctx, &request.model).await.map_err(above::unavailable)?.price } else { None };
    Ok((usage.input.saturating_add(output), price.map_or(0, |price| price.cost_micros(usage))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;

    const FEW: Underway = Underway { calls: 2, tokens: 4_000, cost_micros: 40 };
    const NONE: Underway = Underway { calls: 0, tokens: 0, cost_micros: 0 };

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

    #[test]
    fn what_is_reserved_is_free_again_once_the_call_has_ended() {
        let ledger = Arc::new(Ledger::default());
        let place = (RunId(uuid::Uuid::nil()), "work".to_owned());
        let above = [(place, limits(10_000, None))];
        let take = |seen: u64, spent: i64| take(&ledger, seen, &above, &[(spent, 0)], (6_000, 0));
        let Took::Reserved(first) = take(0, 0) else { panic!("there was room") };
        assert!(matches!(take(0, 0), Took::Wait), "6,000 and 6,000 are more than 10,000");
        drop(first);
        assert!(matches!(take(0, 0), Took::Again), "what the first took is not in what was read before");
        let Took::Reserved(second) = take(1, 5_000) else { panic!("one alone goes") };
        assert!(matches!(take(1, 10_000), Took::Refused(why) if why.contains("lead")));
        drop(second);
        assert!(ledger.lock().underway.is_empty());
    }
}
