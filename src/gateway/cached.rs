//! The gateway and the cache: what is asked of it before a model is, and what a kept answer looks like as the answer of a call.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::call::{self, Answer, Answered, Order};
use super::candidates::Candidate;
use super::dialect::{self, Addressee};
use super::live::{Live, Source};
use super::meter::Account;
use super::store::{key::KeyRights, provider::ProviderRow};
use super::tokens::{Counted, Tokens};
use crate::cache::{self, Asker, Found, Hit, Lead, Plan, Question, Sought, Who, Wording};
use crate::model::cache::{CacheMode, CacheOutcome, CacheUse};
use crate::model::gateway::{
    Block, CallOutcome, CallSource, Choice, Fault, FaultClass, Fold, ProviderKind, Request, Role, Route, TokensBy,
    Usage, Verdict, Wire, replay,
};
use crate::runtime::{Ctx, Principal};

/// What the cache says about one of those who could answer.
#[derive(Debug)]
pub(super) enum Looked {
    /// It was not asked.
    Off,
    /// It has an answer.
    Hit(Hit),
    /// It has none; the answer is to be kept with this, if there is one.
    Miss { lead: Option<Box<Lead>>, record: CacheUse, waited: Duration },
}

/// How the cache is asked for this call; `None` for not at all. A cache that fails is none.
pub(super) async fn plan(ctx: &Ctx, order: &Order, rights: Option<&KeyRights>, route: Option<&Route>) -> Option<Plan> {
    // Who wants several answers wants them to differ: what is kept is one.
    if order.request.answers > 1 {
        return None;
    }
    let who = match (order.source, &ctx.actor.principal) {
        (CallSource::Step, _) => Who::Step,
        (CallSource::Proxy, Principal::Key { id, .. }) => {
            Who::Program { user: rights.and_then(|rights| rights.owner), key: Some(*id) }
        }
        (CallSource::Proxy | CallSource::Memory | CallSource::Cache | CallSource::Context, principal) => {
            Who::Program { user: principal.user_id(), key: None }
        }
    };
    let of_key = rights.map_or(CacheMode::Auto, |rights| rights.cache);
    let of_route = route.map_or(CacheMode::Auto, |route| route.cache);
    let run = order.step.as_ref().map(|(run, _)| *run).filter(|_| order.source == CallSource::Step);
    let asker = Asker { who, run, modes: [order.cache.mode, of_key, of_route] };
    let route = route.map(|route| route.name.as_str());
    match cache::plan(ctx, &order.request, &order.cache, asker, route).await {
        Ok(plan) => plan,
        Err(error) => {
            tracing::warn!(%error, "the cache can't be asked; the model is");
            None
        }
    }
}

/// Whether every answer is to be kept, because the call, its key or its route says so, in this order.
pub(super) fn is_wished(order: &Order, rights: Option<&KeyRights>, route: Option<&Route>) -> bool {
    let of_key = rights.map_or(CacheMode::Auto, |rights| rights.cache);
    let of_route = route.map_or(CacheMode::Auto, |route| route.cache);
    let said = [order.cache.mode, of_key, of_route].into_iter().find(|mode| *mode != CacheMode::Auto);
    said == Some(CacheMode::Always)
}

/// Asks the cache for what this one would answer.
pub(super) async fn look(
    ctx: &Ctx,
    plan: Option<&Plan>,
    request: &Request,
    row: &ProviderRow,
    candidate: &Candidate,
) -> Looked {
    let Some(plan) = plan else { return Looked::Off };
    let (Ok(kind), Ok(wire)) = (row.kind(), row.wire(request.dialect)) else { return Looked::Off };
    // What can't be said to it is refused when it is asked.
    let written = |request: &Request| {
        let mut body = dialect::write_request(request, Addressee { kind, wire, model: &candidate.model }).ok()?;
        forget_how_it_comes(&mut body);
        Some(body)
    };
    let Some(body) = written(request) else { return Looked::Off };
    let endpoint = place(kind, wire, row);
    let question = Question {
        provider: (row.id, &row.name),
        endpoint: &endpoint,
        model: &candidate.model.id,
        betas: &request.betas,
        body: &body,
    };
    match cache::begin(ctx, plan, question).await {
        Ok(Found::Hit(hit)) => Looked::Hit(hit),
        Ok(Found::Miss { lead: Some(lead), waited, .. }) if plan.seeks_meaning() => {
            let without = without_last_words(request);
            let wording = without.as_ref().and_then(|(text, rest)| Some((text, written(rest)?)));
            let wording = wording.as_ref().map(|(text, rest)| Wording { text, rest });
            match cache::begin_near(ctx, plan, question, wording, lead).await {
                Sought::Hit(hit) => Looked::Hit(Hit { waited: waited + hit.waited, ..*hit }),
                Sought::Miss { lead, took, away } => {
                    Looked::Miss { lead: Some(lead), record: missed(took), waited: waited + away }
                }
            }
        }
        Ok(Found::Miss { lead, took, waited }) => Looked::Miss { lead, record: missed(took), waited },
        Err(error) => {
            tracing::warn!(%error, "the cache can't be asked; the model is");
            Looked::Off
        }
    }
}

/// The last words of a request, and the request with a mark in their place. `None` where the last turn is not a person's, or says
/// something at several places.
fn without_last_words(request: &Request) -> Option<(String, Request)> {
    let mut rest = request.clone();
    let last = rest.messages.last_mut().filter(|last| last.role == Role::User)?;
    let mut texts = last.content.iter_mut().filter_map(|block| match block {
        Block::Text { text, .. } => Some(text),
        _ => None,
    });
    // The sign for what stands in the place of an object; it says nothing in words.
    let words = std::mem::replace(texts.next()?, "\u{fffc}".to_owned());
    let is_only = texts.next().is_none();
    is_only.then_some((words, rest))
}

/// What the log says of a kept answer.
pub(super) fn verdict(hit: &Hit) -> Verdict {
    hit.given.as_ref().map_or(Verdict::Kept, |given| Verdict::Alike { why: given.why() })
}

/// Why nobody is asked where the caller takes a kept answer or none; the log names no provider then.
pub(super) fn refuse_to_ask(account: &mut Account) -> Fault {
    let was_asked = account.record().is_some_and(|record| record.cache.is_some());
    account.note(|record| {
        record.provider_id = None;
        record.provider.clear();
    });
    let why = if was_asked {
        "no answer to this question is kept that may be given"
    } else {
        "the cache was not asked: it is switched off, or something that the answer depends on is in another state"
    };
    Fault::new(FaultClass::Uncached, format!("{why}; with x-weft-cache: only-if-cached no model is asked"))
}

/// What is at the other end, and where: what makes the same words another question.
pub(super) fn place(kind: ProviderKind, wire: Wire, row: &ProviderRow) -> String {
    format!("{} {wire:?} {}", kind.as_str(), row.base_url)
}

/// Takes out what says no more than how the answer comes: whole or in pieces.
fn forget_how_it_comes(body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("stream");
        fields.remove("stream_options");
    }
}

fn missed(took: Duration) -> CacheUse {
    CacheUse {
        outcome: CacheOutcome::Miss,
        tier: None,
        entry_id: None,
        saved: Usage::default(),
        saved_micros: None,
        took_us: took.as_micros() as i64,
        age_ms: 0,
        similarity: None,
    }
}

/// A kept answer as the answer of a call: it comes as it was asked for, and costs nothing.
pub(super) fn answer(
    hit: &Hit,
    order: &Order,
    (row, model): (&ProviderRow, String),
    mut account: Account,
    (mut choice, began, overhead_ms): (Choice, Instant, f64),
) -> Answered {
    let request = &order.request;
    let record = hit.record();
    let first_token_ms = account.elapsed_ms();
    account.note(|call| {
        call.cache = Some(record);
        call.cost_micros = Some(0);
        call.first_token_ms = request.stream.then_some(first_token_ms);
    });
    let kept = &hit.kept;
    let dialects = (kept.dialect, request.dialect);
    if !request.stream {
        choice.lost = call::lost(order.source, &kept.response, dialects);
        account.note(|call| call.choice.lost.clone_from(&choice.lost));
        account.answered(|| kept.response.clone());
        account.settle(CallOutcome::Complete, Usage::default(), TokensBy::Provider, None);
        let response = kept.response.clone();
        let (dialect, cost_micros, cache) = (kept.dialect, Some(0), Some(record));
        return Answered::Whole(Box::new(Answer {
            response,
            choice,
            dialect,
            cost_micros,
            overhead_ms,
            cache,
            masked: Vec::new(),
            told: Vec::new(),
        }));
    }
    Answered::Live(Box::new(Live {
        told: Vec::new(),
        losses: call::losses(order.source, dialects),
        pieces: Source::Kept(replay(&kept.response).into_iter()),
        fold: Fold::default(),
        permit: None,
        account: Some(account),
        choice,
        provider: row.id,
        model,
        dialect: kept.dialect,
        reads: Tokens::estimated(0),
        later: None,
        counted: Counted::default(),
        began,
        overhead_ms,
        cache: Some(record),
        lead: None,
        masked: Vec::new(),
        reveal: None,
        broken: None,
        ended: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::gateway::{Dialect, Message, Model};

    #[test]
    fn only_the_words_of_the_last_turn_are_taken_out() {
        let mut request = Request::new(Dialect::OpenAi, "m");
        request.messages.push(Message::text(Role::User, "One"));
        request.messages.push(Message::text(Role::User, "Two"));
        let (words, rest) = without_last_words(&request).unwrap();
        assert_eq!((words.as_str(), rest.messages.len()), ("Two", 2));
        assert_eq!(rest.messages[0], request.messages[0]);
        assert_ne!(rest.messages[1], request.messages[1]);
        request.messages[1].content.push(Block::text("Three"));
        assert!(without_last_words(&request).is_none(), "it is not told which words count");
        request.messages.push(Message::text(Role::Assistant, "Four"));
        assert!(without_last_words(&request).is_none());
        request.messages.clear();
        assert!(without_last_words(&request).is_none());
    }

    #[test]
    fn a_stream_asks_the_same_as_a_whole_answer() {
        for (dialect, kind) in [(Dialect::OpenAi, ProviderKind::OpenAi), (Dialect::Anthropic, ProviderKind::Anthropic)]
        {
            let mut request = Request::new(dialect, "m");
            request.messages.push(Message::text(Role::User, "Hello"));
            let model = Model::named("m");
            let written = |stream| {
                let request = Request { stream, ..request.clone() };
                let mut body = dialect::write_request(
                    &request,
                    Addressee { kind, wire: kind.wire(false, dialect), model: &model },
                )
                .unwrap();
                forget_how_it_comes(&mut body);
                body
            };
            assert_eq!(written(true), written(false));
            assert_ne!(written(true), json!({}));
        }
    }
}
