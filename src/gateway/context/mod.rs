//! Conversations that are longer than their window: what is sent of them.
//!
//! Owns what of a request is sent to one who could answer, where its route or its caller says how long it may get. Promises that
//! what is sent is never longer than the window, by the count of tokens before every call (`tokens`: by the model's own vocabulary
//! where that is published, else by the estimate); that the task, the tools, what is pinned, the newest turns and what the person
//! last asked stay; that no call of a tool is without its result; and
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
use super::tokens::{self, Tokens};
use crate::model::gateway::{
    ContextRule, ContextUse, Lack, Message, Model, Needs, Request, Route, TokensBy, Vocabulary, WhenFull,
    estimate_request, weigh_message, weigh_request,
};
use crate::runtime::Ctx;

/// What a token weighs: weights are quarters of a token.
const WEIGHT: i64 = 4;
/// Characters of a reason that is kept.
const MAX_REASON: usize = 300;
/// A text that has more tokens than the estimate says is taken to be denser in steps of an eighth: so that a conversation that grows
/// is shortened in the same way from call to call.
const EIGHTHS: i64 = 8;
/// How often a request that is still too long is taken to be denser yet.
const DENSER: usize = 8;
/// The same where each time a model is asked for a summary.
const DENSER_SUMMARIES: usize = 3;

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
    /// By what its tokens are counted, where that is known.
    vocabulary: Option<Vocabulary>,
}

/// The requests that one call is made of: one for each window that its candidates have.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    order: &'a Order,
    rule: Option<ContextRule>,
    /// The last that was made, and for what.
    made: Option<(Fits, Fitted<'a>)>,
    /// What the whole has by a vocabulary.
    counted: Option<(Vocabulary, i64)>,
    /// Spent at those who summarize.
    pub away: Duration,
}

impl<'a> Windows<'a> {
    /// For a call, by what its route and its caller say.
    pub fn of(order: &'a Order, route: Option<&Route>) -> Self {
        let rule = order.context.over(route.and_then(|route| route.context.as_ref()));
        Self { order, rule, made: None, counted: None, away: Duration::ZERO }
    }

    /// The request for one who could answer.
    ///
    /// # Errors
    /// It does not fit: its length is to be refused, or what must stay is too long.
    pub async fn fit(&mut self, ctx: &Ctx, model: &Model) -> Result<Fitted<'a>, Lack> {
        let order = self.order;
        let whole = Fitted { request: Cow::Borrowed(&order.request), used: None };
        let Some(rule) = &self.rule.clone() else { return Ok(whole) };
        let window = rule.window.min(model.context_tokens.unwrap_or(u32::MAX));
        let answer = model.answer_room(window, order.request.max_tokens);
        let fits = Fits { window, room: window - answer, vocabulary: Vocabulary::of(&model.id) };
        let takes = self.count_whole(ctx, model, fits.room).await;
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
        let shortened = shorten(ctx, order, rule, (fits, takes, &model.id), &mut self.away).await;
        let (request, used) = shortened.map_err(|takes| lack(takes, true))?;
        let fitted = Fitted { request: Cow::Owned(request), used: Some(used) };
        self.made = Some((fits, fitted.clone()));
        Ok(fitted)
    }

    /// Tokens of the whole for a model: counted once for all candidates of a vocabulary, and only where that decides whether it fits.
    async fn count_whole(&mut self, ctx: &Ctx, model: &Model, room: u32) -> i64 {
        let order = self.order;
        let request = &order.request;
        let Some(vocabulary) = Vocabulary::of(&model.id).filter(|_| !tokens::fits_surely(request, room)) else {
            return estimate_request(request);
        };
        if let Some((of, counted)) = self.counted
            && of == vocabulary
        {
            return counted;
        }
        let counted = tokens::of_request(ctx, request, &model.id).await.count;
        self.counted = Some((vocabulary, counted));
        counted
    }

    /// Tokens of what is sent to a model, exactly only where that can decide whether it fits into so many.
    pub async fn takes(&mut self, ctx: &Ctx, model: &Model, sent: &Request, room: u32) -> i64 {
        if std::ptr::eq(sent, &raw const self.order.request) {
            return self.count_whole(ctx, model, room).await;
        }
        if tokens::fits_surely(sent, room) {
            return estimate_request(sent);
        }
        tokens::of_request(ctx, sent, &model.id).await.count
    }
}

/// What a model lacks for a request of one turn, of which nothing can be left out, where its route says this.
pub(super) fn lack_of_one(rule: &ContextRule, model: &Model, needs: &Needs) -> Option<Lack> {
    let holds = rule.window.min(model.context_tokens.unwrap_or(u32::MAX));
    let takes = needs.input + i64::from(model.answer_room(holds, needs.output));
    let pruned = rule.when_full != WhenFull::Refuse;
    (takes > i64::from(holds)).then_some(Lack::Window { holds, takes, pruned })
}

/// Shortens a request that is too long: `takes` tokens for this model. What goes is planned by weights, which the estimate reckons;
/// where the model's vocabulary counts more than that, the room is taken to be so much smaller, and what is left is counted.
///
/// # Errors
/// The tokens that it takes at least.
async fn shorten(
    ctx: &Ctx,
    order: &Order,
    rule: &ContextRule,
    (fits, takes, model): (Fits, i64, &str),
    away: &mut Duration,
) -> Result<(Request, ContextUse), i64> {
    let estimated = estimate_request(&order.request).max(1);
    let first = if fits.vocabulary.is_some() { density(takes, estimated) } else { EIGHTHS };
    let mut least = takes;
    let tries = if rule.when_full == WhenFull::Summarize { DENSER_SUMMARIES } else { DENSER };
    for eighths in (first..).take(tries) {
        let room = i64::from(fits.room) * EIGHTHS / eighths;
        let planned = Fits { room: u32::try_from(room).unwrap_or(fits.room), ..fits };
        let (request, used) = match shorten_by_weight(ctx, order, rule, planned, away).await {
            Ok(made) => made,
            // In the tokens of the model.
            Err(takes) => return Err(takes.saturating_mul(eighths) / EIGHTHS),
        };
        if fits.vocabulary.is_none() {
            return Ok((request, used));
        }
        let Tokens { count, by } = tokens::of_request(ctx, &request, model).await;
        if count <= i64::from(fits.room) {
            return Ok((request, ContextUse { tokens: takes - count, by, ..used }));
        }
        // What stays is denser than the whole.
        least = count;
    }
    Err(least)
}

/// How many eighths of the estimate the tokens of a text are, rounded up; never less than the estimate.
fn density(takes: i64, estimated: i64) -> i64 {
    takes
        .saturating_mul(EIGHTHS)
        .saturating_add(estimated - 1)
        .max(0)
        .checked_div(estimated)
        .map_or(EIGHTHS, |eighths| eighths.max(EIGHTHS))
}

/// The same by weights alone.
///
/// # Errors
/// The tokens that it takes at least, by the estimate.
async fn shorten_by_weight(
    ctx: &Ctx,
    order: &Order,
    rule: &ContextRule,
    Fits { window, room, .. }: Fits,
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
    let mut used = ContextUse { window: i64::from(window), by: TokensBy::Estimate, ..ContextUse::default() };
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
