//! Conversations that are longer than their window: what is sent of them.
//!
//! Owns what of a request is sent to one who could answer, where its route or its caller says how long it may get. Promises that
//! what is sent is never longer than the window, by the same estimate that counts tokens before every call; that the task, the
//! tools, what is pinned, the newest turns and what the person last asked stay; that no call of a tool is without its result; and
//! that the same conversation is shortened in the same way while it grows. Where that can't be, the call is refused with the
//! numbers.
//!
//! What decides is pure: the pieces of a conversation (`unit`), which of them go (`plan`), what is left (`shape`). Only a summary
//! (`summary`) asks somebody, and where it can't be had the pieces go without one. All of it sees what is masked as masked.

mod memory;
mod plan;
mod shape;
mod summary;
#[cfg(test)]
mod tests;
mod unit;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use self::plan::{Plan, Room};
use self::shape::NOTE;
use self::unit::Unit;
use super::call::{Order, clean};
use crate::model::gateway::{
    ContextRule, ContextUse, Lack, Message, Model, Needs, Request, Route, WhenFull, estimate_request, weigh_message,
    weigh_request,
};
use crate::runtime::Ctx;

/// What a token weighs: weights are quarters of a token.
const WEIGHT: i64 = 4;
/// Characters of a reason that is kept.
const MAX_REASON: usize = 300;

/// A request as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Fitted<'a> {
    /// The request.
    pub request: Cow<'a, Request>,
    /// What was left out of it; `None` for nothing.
    pub used: Option<ContextUse>,
}

/// What a request has to fit, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fits {
    /// With its answer.
    window: u32,
    /// Without.
    room: u32,
}

/// The requests that one call is made of: one for each window that its candidates have.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    order: &'a Order,
    rule: Option<ContextRule>,
    /// The last that was made, and for what.
    made: Option<(Fits, Fitted<'a>)>,
    /// Spent at those who summarize.
    pub away: Duration,
}

impl<'a> Windows<'a> {
    /// For a call, by what its route and its caller say.
    pub fn of(order: &'a Order, route: Option<&Route>) -> Self {
        let rule = order.context.over(route.and_then(|route| route.context.as_ref()));
        Self { order, rule, made: None, away: Duration::ZERO }
    }

    /// The request for one who could answer.
    ///
    /// # Errors
    /// It does not fit: its length is to be refused, or what must stay is too long.
    pub async fn fit(&mut self, ctx: &Ctx, model: &Model) -> Result<Fitted<'a>, Lack> {
        let order = self.order;
        let whole = Fitted { request: Cow::Borrowed(&order.request), used: None };
        let Some(rule) = &self.rule else { return Ok(whole) };
        let window = rule.window.min(model.context_tokens.unwrap_or(u32::MAX));
        let answer = model.answer_room(window, order.request.max_tokens);
        let fits = Fits { window, room: window - answer };
        let takes = estimate_request(&order.request);
        if takes <= i64::from(fits.room) {
            return Ok(whole);
        }
        let lack = |takes: i64, pruned| Lack::Window { holds: window, takes: takes + i64::from(answer), pruned };
        if rule.when_full == WhenFull::Refuse {
            return Err(lack(takes, false));
        }
        if let Some((of, fitted)) = &self.made
            && *of == fits
        {
            return Ok(fitted.clone());
        }
        let shortened = shorten(ctx, order, rule, fits, &mut self.away).await;
        let (request, used) = shortened.map_err(|takes| lack(takes, true))?;
        let fitted = Fitted { request: Cow::Owned(request), used: Some(used) };
        self.made = Some((fits, fitted.clone()));
        Ok(fitted)
    }
}

/// What a model lacks for a request of one turn, of which nothing can be left out, where its route says this.
pub(super) fn lack_of_one(rule: &ContextRule, model: &Model, needs: &Needs) -> Option<Lack> {
    let holds = rule.window.min(model.context_tokens.unwrap_or(u32::MAX));
    let takes = needs.input + i64::from(model.answer_room(holds, needs.output));
    let pruned = rule.when_full != WhenFull::Refuse;
    (takes > i64::from(holds)).then_some(Lack::Window { holds, takes, pruned })
}

/// Shortens a request that is too long.
///
/// # Errors
/// The tokens that it takes at least.
async fn shorten(
    ctx: &Ctx,
    order: &Order,
    rule: &ContextRule,
    Fits { window, room }: Fits,
    away: &mut Duration,
) -> Result<(Request, ContextUse), i64> {
    let long = Long::of(&order.request, &order.context.pinned);
    let length = match rule.when_full {
        WhenFull::Summarize => summary::most(i64::from(room) * WEIGHT),
        WhenFull::Prune | WhenFull::Refuse => 0,
    };
    // Where there is no room for a summary, there may be some without one.
    let (plan, length) = match long.plan(room, rule, length) {
        Ok(plan) => (plan, length),
        Err(_) if length > 0 => (long.plan(room, rule, 0)?, 0),
        Err(takes) => return Err(takes),
    };
    let mut used = ContextUse { window: i64::from(window), ..ContextUse::default() };
    let mut summary = None;
    if length > 0 && !plan.gone.is_empty() {
        let begun = Instant::now();
        match summary::of(ctx, order, rule, (&long, &plan), length).await {
            Ok(text) => summary = Some(text),
            // What goes is the same: the next call, which may have a summary, begins in the same way.
            Err(why) => used.not_summarized = Some(clean(&why).chars().take(MAX_REASON).collect()),
        }
        *away += begun.elapsed();
    } else if rule.when_full == WhenFull::Summarize && !plan.gone.is_empty() {
        used.not_summarized = Some("there is no room for one".to_owned());
    }
    let shaped = shape::shape(long.messages, &long.units, &plan, summary.as_deref());
    let request = Request { messages: shaped.messages, ..order.request.clone() };
    let left = estimate_request(&request);
    if left > i64::from(room) {
        return Err(left);
    }
    used = ContextUse {
        turns: shaped.turns,
        results: shaped.results,
        tokens: estimate_request(&order.request) - left,
        summarized: summary.is_some(),
        ..used
    };
    Ok((request, used))
}

/// A conversation that is too long.
#[derive(Debug)]
struct Long<'a> {
    messages: &'a [Message],
    units: Vec<Unit>,
    /// What the task and the tools weigh.
    fixed: i64,
}

impl<'a> Long<'a> {
    fn of(request: &'a Request, pinned: &[u32]) -> Self {
        let messages = request.messages.as_slice();
        let fixed = weigh_request(request) - messages.iter().map(weigh_message).sum::<i64>();
        Self { messages, units: unit::units(messages, pinned), fixed }
    }

    /// What goes, where a summary has at most so many characters.
    ///
    /// # Errors
    /// The tokens that it takes at least.
    fn plan(&self, room: u32, rule: &ContextRule, summary: usize) -> Result<Plan, i64> {
        let room = Room {
            weight: i64::from(room) * WEIGHT,
            fixed: self.fixed,
            instead: NOTE + summary as i64,
            keep_recent: rule.keep_recent as usize,
        };
        Plan::find(&self.units, room).map_err(|weight| (weight as u64).div_ceil(WEIGHT as u64) as i64)
    }
}
