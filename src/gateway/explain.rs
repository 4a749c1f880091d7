//! What would answer, by the rules that calls go by (`candidates`) and the breakers as they stand. Nothing is called.

use std::sync::Arc;
use std::time::Duration;

use super::arrange;
use super::call::known;
use super::candidates::{self, Candidate, DEFAULT_ROUTE, Known};
use super::context;
use super::error::{Error, Result};
use super::health::Health;
use super::queue::{Entered, Queues};
use super::rollout::{self, Asker};
use super::store::{self, provider::ProviderRow};
use super::tokens;
use crate::model::auth::Action;
use crate::model::gateway::{
    BreakerState, By, ExplainRequest, Explained, FlagTold, Hedge, Message, ModelHealth, Needs, PassedOver, Request,
    Role, Route, Standing, TokensBy, WouldAsk, WouldHedge, score_task,
};
use crate::runtime::Ctx;

/// Longest name that is looked up.
const MAX_NAME: usize = 300;
/// Longest task that is scored.
const MAX_PROMPT: usize = 100_000;
/// Most tools that are counted.
const MAX_TOOLS: u32 = 1000;

/// Which models would be asked for a name, in which order and why, and which of them rest.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Invalid`] for a name that is too long.
pub async fn explain(ctx: &Ctx, question: &ExplainRequest) -> Result<Explained> {
    ctx.authorize(Action::ReadProvider)?;
    let asked = question.model.trim();
    if asked.chars().count() > MAX_NAME || asked.contains('\0') {
        return Err(Error::invalid("/model", format!("expected at most {MAX_NAME} characters")));
    }
    if question.prompt.chars().count() > MAX_PROMPT {
        return Err(Error::invalid("/prompt", format!("expected at most {MAX_PROMPT} characters")));
    }
    if question.tools > MAX_TOOLS {
        return Err(Error::invalid("/tools", format!("expected at most {MAX_TOOLS}")));
    }
    if question.session.chars().count() > MAX_NAME || question.session.contains('\0') {
        return Err(Error::invalid("/session", format!("expected at most {MAX_NAME} characters")));
    }
    let rows = store::provider::list(&ctx.db, ctx.workspace()).await?;
    let name = if asked.is_empty() { DEFAULT_ROUTE } else { asked };
    let whole = store::route::find_by_name(&ctx.db, ctx.workspace(), name).await?;
    let session = Some(question.session.trim()).filter(|session| !session.is_empty());
    let flags = match &whole {
        Some(route) => rollout::judge(ctx, route, Asker { session, ..Asker::default() }).await?,
        None => Vec::new(),
    };
    let route = whole.clone().map(|route| rollout::open(route, &flags));
    let providers = rows.iter().map(known).collect::<Result<Vec<Known>>>()?;
    let by_task = route.as_ref().filter(|route| route.policy.by == By::Task);
    let task = by_task.map(|route| score_task(&question.prompt, question.tools as usize, &route.policy.task));
    let mut request = Request::new(question.dialect, asked);
    request.session = session.map(str::to_owned);
    request.messages.push(Message::text(Role::User, question.prompt.as_str()));
    let found = match candidates::find(asked, question.dialect, &providers, route.as_ref()) {
        Ok(found) => match &route {
            Some(route) => arrange::arrange(ctx, (route, task.as_ref()), &request, &rows, found).await,
            None => Ok(found),
        },
        Err(fault) => Err(fault.into()),
    };
    let (found, rule, refused) = match found {
        Ok((found, rule)) => (found, rule, None),
        Err(Error::Fault(fault)) => (Vec::new(), String::new(), Some(fault.message)),
        Err(error) => return Err(error),
    };
    let mut passed_over =
        whole.as_ref().map(|route| passed_over(route, &providers, &found, &flags)).unwrap_or_default();
    let needs = Needs { tools: question.tools > 0, ..Needs::of(&request) };
    let mut candidates = Vec::with_capacity(found.len());
    for candidate in found {
        let rule = route.as_ref().and_then(|route| route.context.as_ref());
        let reads = tokens::of_request(ctx, &request, &candidate.model.id).await;
        let needs = Needs { input: reads.count, ..needs };
        let by_window = || rule.and_then(|rule| context::lack_of_one(rule, &candidate.model, &needs));
        if let Some(lack) = candidate.model.lacks(&needs).or_else(by_window) {
            let provider = rows[candidate.provider].name.clone();
            passed_over.push(PassedOver { provider, model: candidate.model.id, why: format!("it {}", lack.words()) });
            continue;
        }
        let key = (rows[candidate.provider].id, candidate.model.id.as_str());
        let why = match &route {
            Some(route) => arrange::reason(ctx, route, &request, key).await?,
            None => None,
        };
        let (reads, reads_by) = ((!question.prompt.is_empty()).then_some(reads.count), reads.by);
        candidates.push(WouldAsk { reads, reads_by, why, ..would_ask(ctx, &rows, candidate) });
    }
    let hedge = route.as_ref().and_then(|route| route.policy.hedge).and_then(|hedge| would_hedge(hedge, &candidates));
    Ok(Explained { rule, refused, flags, task, candidates, passed_over, hedge })
}

/// Who would be asked as well: the next after the first that is not left in peace, as calls find them (`attempt`).
fn would_hedge(hedge: Hedge, candidates: &[WouldAsk]) -> Option<WouldHedge> {
    let name = |one: &WouldAsk| format!("{}/{}", one.provider, one.model);
    let first = candidates.iter().position(|one| one.standing.is_asked())?;
    let also = candidates[first + 1..].iter().find(|one| !one.standing.is_left_in_peace()).map(name);
    Some(WouldHedge { after_ms: hedge.after_ms, slow: name(&candidates[first]), also })
}

fn would_ask(ctx: &Ctx, rows: &[ProviderRow], candidate: Candidate) -> WouldAsk {
    let row = &rows[candidate.provider];
    let health: Arc<Health> = ctx.shared();
    let of_model = health.of(row.id, ctx.clock.steady()).into_iter().find(|one| one.model == candidate.model.id);
    let standing = match of_model.map_or(Standing::Ready, |one| standing(&one)) {
        rests @ (Standing::Rests { .. } | Standing::Held { .. }) => rests,
        asked => room(ctx, row, &candidate.model.id).unwrap_or(asked),
    };
    WouldAsk {
        provider_id: row.id,
        provider: row.name.clone(),
        model: candidate.model.id,
        reads: None,
        reads_by: TokensBy::Estimate,
        why: None,
        standing,
    }
}

/// As the breaker would decide, without asking it: to ask would take the place of the one call that tries a model again.
const fn standing(health: &ModelHealth) -> Standing {
    match health.state {
        BreakerState::Open => Standing::Rests { for_ms: health.rests_ms, last_failure: health.last_failure },
        _ if health.rests_ms > 0 => Standing::Held { for_ms: health.rests_ms },
        BreakerState::HalfOpen => Standing::Probe,
        BreakerState::Closed => Standing::Ready,
    }
}

/// Whether a call would wait for room, or find none; `None` where there is some.
fn room(ctx: &Ctx, row: &ProviderRow, model: &str) -> Option<Standing> {
    let said = ctx.shared::<Queues>().would_say((row.id, model), row.limits.0, ctx.clock.steady());
    let for_ms = |least: Duration| u64::try_from(least.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    match said {
        Entered::Goes => None,
        Entered::Waits(ahead) => Some(Standing::Waits { ahead: u32::try_from(ahead).unwrap_or(u32::MAX) }),
        Entered::Full { waiting, least } => Some(Standing::Full { waiting, for_ms: for_ms(least) }),
        Entered::TooLong { least } => Some(Standing::Full { waiting: 0, for_ms: for_ms(least) }),
    }
}

/// The models of a route that calls pass over.
fn passed_over(route: &Route, providers: &[Known], found: &[Candidate], flags: &[FlagTold]) -> Vec<PassedOver> {
    let is_asked = |target: &crate::model::gateway::Target| {
        found.iter().any(|one| providers[one.provider].id == target.provider_id && one.model.id == target.model)
    };
    let left = route.targets.iter().filter(|target| !is_asked(target));
    left.map(|target| {
        let provider = providers.iter().find(|known| known.id == target.provider_id);
        let why = match provider {
            None => "its provider is gone".to_owned(),
            Some(known) if !known.enabled => "its provider is switched off".to_owned(),
            Some(_) => match rollout::closed_by(target, flags).filter(|_| target.weight > 0) {
                Some(told) => told.words(),
                None => "its weight is 0".to_owned(),
            },
        };
        PassedOver {
            provider: provider.map(|known| known.name.clone()).unwrap_or_default(),
            model: target.model.clone(),
            why,
        }
    })
    .collect()
}
