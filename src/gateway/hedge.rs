//! Asking two at once: the next of a route is asked as well when the one before has not begun to answer after a while. Whoever
//! begins first is used. The other is dropped, with its connection, and kept in the log with what that is estimated to cost.
//!
//! Such a call is paid for from the budget that retries are paid from: at most a tenth of the calls to a model bring a second one,
//! beyond the first ten. What the workspace may spend is asked for the second as for every call; where it may not, or where the first
//! answer has begun meanwhile, the first is waited for alone.
//!
//! Source: J. Dean and L. A. Barroso, "The Tail at Scale" (2013), on hedged requests.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asking::Asking;
use super::attempt::note;
use super::candidates::Candidate;
use super::health::{Health, Permit};
use super::meter::Account;
use super::signs::Signs;
use super::spending::{self, Held};
use super::store::provider::ProviderRow;
use super::upstream::Begun;
use crate::model::ProviderId;
use crate::model::gateway::{CallRecord, Choice, Fault, FaultClass, Hedged, Request, Tried, Verdict};
use crate::runtime::Ctx;

/// What became of asking one.
type Got = Result<(Begun, Permit), Fault>;

/// One of the two.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub row: &'a ProviderRow,
    pub candidate: &'a Candidate,
    /// Whether somebody else may be asked in its place.
    pub has_others: bool,
}

impl Side<'_> {
    fn key(&self) -> (ProviderId, String) {
        (self.row.id, self.candidate.model.id.clone())
    }

    fn name(&self) -> String {
        format!("{}/{}", self.row.name, self.candidate.model.id)
    }
}

/// What became of asking two.
pub(super) struct Both {
    pub got: Got,
    /// Whether it was the second that answers.
    pub by_other: bool,
    /// Whether the second was asked at all.
    pub asked_other: bool,
}

/// What is noted of one of the two, apart from the other.
#[derive(Default)]
struct Story {
    choice: Choice,
    away: Duration,
    signs: Arc<Signs>,
    /// What the budgets hold back for it.
    held: Option<Held>,
    /// Whether there was money for it.
    is_asked: bool,
}

impl Story {
    async fn ask(&mut self, ctx: &Ctx, request: &Request, side: Side<'_>, call: Option<&CallRecord>) -> Got {
        let mut asking = Asking::new(ctx, &mut self.choice, &mut self.away).of(call).watched(&self.signs);
        asking.ask(request, side.row, side.candidate, side.has_others).await
    }

    /// As above, once it is clear that the workspace may spend it; `None` where it may not.
    async fn ask_too(&mut self, ctx: &Ctx, request: &Request, side: Side<'_>, call: &CallRecord) -> Option<Got> {
        let whom = (side.row.id, side.candidate.model.id.as_str());
        let (held, _) = spending::admit(ctx, call, request, whom).await.ok()?;
        self.held = held;
        self.is_asked = true;
        Some(self.ask(ctx, request, side, Some(call)).await)
    }
}

/// Asks the first, and the other as well when the first has not begun to answer after `after_ms`.
pub(super) async fn ask(
    (ctx, request): (&Ctx, &Request),
    [first, other]: [Side<'_>; 2],
    after_ms: u32,
    account: &mut Account,
    (choice, away): (&mut Choice, &mut Duration),
) -> Both {
    let since = Instant::now();
    let (mut one, mut two) = (Story { is_asked: true, ..Story::default() }, Story::default());
    let signs = Arc::clone(&one.signs);
    account.watch(&signs);
    account.watch(&two.signs);
    let call = account.record().cloned();
    let (got, got_too) = {
        let mut one = pin!(one.ask(ctx, request, first, call.as_ref()));
        let alone = tokio::select! {
            biased;
            got = &mut one => Some(got),
            () = ctx.clock.sleep_ms(after_ms.into()) => None,
        };
        let health: Arc<Health> = ctx.shared();
        match (alone, &call) {
            (Some(got), _) => (Some(got), None),
            (None, Some(call)) if !signs.has_begun() && health.pay(&first.key(), ctx.clock.steady()) => {
                let mut two = pin!(two.ask_too(ctx, request, other, call));
                tokio::select! {
                    biased;
                    got = &mut one => match &got {
                        Err(fault) if fault.class.may_differ_elsewhere() => (Some(got), two.await),
                        _ => (Some(got), None),
                    },
                    got = &mut two => match got {
                        Some(Ok(_)) => (None, got),
                        _ => (Some(one.await), got),
                    },
                }
            }
            (None, _) => (Some(one.await), None),
        }
    };
    if !two.is_asked {
        choice.tried.append(&mut one.choice.tried);
        *away += one.away;
        // The first is always waited for where it is alone.
        let got = got.unwrap_or_else(|| Err(Fault::new(FaultClass::Upstream, "nobody was waited for")));
        return Both { got, by_other: false, asked_other: false };
    }
    *away += since.elapsed();
    choice.hedged = Some(Hedged { after_ms, slow: first.name(), also: other.name() });
    for (side, story, is_over) in [(first, &mut one, got.is_some()), (other, &mut two, got_too.is_some())] {
        choice.tried.append(&mut story.choice.tried);
        if !is_over {
            choice.tried.push(dropped(side, story.signs.sent().is_some()));
        }
    }
    let by_other = matches!(got_too, Some(Ok(_)));
    let won = if by_other { "other" } else { "first" };
    metrics::counter!("weft_gateway_hedges_total", "won" => won).increment(1);
    let held = if by_other {
        note(account, other.row, other.candidate);
        account.hold(two.held.take())
    } else {
        two.held.take()
    };
    let left = match (&got, &got_too) {
        (None, _) => Some((first, &one.signs)),
        (_, None) => Some((other, &two.signs)),
        _ => None,
    };
    if let Some((side, signs)) = left {
        let winner = if by_other { &other } else { &first };
        let why = match &got {
            Some(Err(_)) => format!("{} refused the call", winner.name()),
            _ => format!("{} began to answer first", winner.name()),
        };
        leave(ctx, side, signs, account, (choice, held), &why);
    }
    let got = match (got, got_too) {
        (_, Some(Ok(got))) | (Some(Ok(got)), _) => Ok(got),
        // Of two failures the one that tells most: that somebody rests tells least.
        (Some(Err(fault)), Some(Err(other))) if fault.class == FaultClass::Resting => Err(other),
        (Some(Err(fault)), _) | (None, Some(Err(fault))) => Err(fault),
        (None, None) => Err(Fault::new(FaultClass::Upstream, "nobody was waited for")),
    };
    Both { got, by_other, asked_other: true }
}

fn dropped(side: Side<'_>, was_sent: bool) -> Tried {
    let (provider, model) = (side.row.name.clone(), side.candidate.model.id.clone());
    Tried { provider, model, attempts: u32::from(was_sent), waited_ms: 0, verdict: Verdict::Dropped }
}

/// Keeps in the log that one was asked and dropped, and what it took: what the provider has told of it, else what it was sent to read.
/// How much it had thought or written by then nobody knows.
fn leave(
    ctx: &Ctx,
    side: Side<'_>,
    signs: &Signs,
    account: &Account,
    (choice, held): (&Choice, Option<Held>),
    why: &str,
) {
    if let Some(sent) = signs.sent() {
        // It took so long at the least.
        ctx.shared::<Health>().took(&side.key(), ctx.clock.steady(), sent.elapsed().as_millis() as u64);
    }
    if let Some(left) = signs.leave(why) {
        account.leave(&left, Some(choice), held);
    }
}
