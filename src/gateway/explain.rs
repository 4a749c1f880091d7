//! What would answer, by the rules that calls go by (`candidates`) and the breakers as they stand. Nothing is called.

use std::sync::Arc;

use super::call::known;
use super::candidates::{self, Candidate, DEFAULT_ROUTE, Known};
use super::error::{Error, Result};
use super::health::Health;
use super::store::{self, provider::ProviderRow};
use crate::model::auth::Action;
use crate::model::gateway::{
    BreakerState, ExplainRequest, Explained, ModelHealth, PassedOver, Route, Standing, WouldAsk,
};
use crate::runtime::Ctx;

/// Longest name that is looked up.
const MAX_NAME: usize = 300;

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
    let rows = store::provider::list(&ctx.db, ctx.workspace()).await?;
    let name = if asked.is_empty() { DEFAULT_ROUTE } else { asked };
    let route = store::route::find_by_name(&ctx.db, ctx.workspace(), name).await?;
    let providers = rows.iter().map(known).collect::<Result<Vec<Known>>>()?;
    let (found, rule, refused) = match candidates::find(asked, question.dialect, &providers, route.as_ref()) {
        Ok((found, rule)) => (found, rule, None),
        Err(fault) => (Vec::new(), String::new(), Some(fault.message)),
    };
    let passed_over = route.map(|route| passed_over(&route, &providers, &found)).unwrap_or_default();
    let candidates = found.into_iter().map(|candidate| would_ask(ctx, &rows, candidate)).collect();
    Ok(Explained { rule, refused, candidates, passed_over })
}

fn would_ask(ctx: &Ctx, rows: &[ProviderRow], candidate: Candidate) -> WouldAsk {
    let row = &rows[candidate.provider];
    let health: Arc<Health> = ctx.shared();
    let of_model = health.of(row.id, ctx.clock.steady()).into_iter().find(|one| one.model == candidate.model.id);
    WouldAsk {
        provider_id: row.id,
        provider: row.name.clone(),
        model: candidate.model.id,
        standing: of_model.map_or(Standing::Ready, |one| standing(&one)),
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

/// The models of a route that calls pass over.
fn passed_over(route: &Route, providers: &[Known], found: &[Candidate]) -> Vec<PassedOver> {
    let is_asked = |target: &crate::model::gateway::Target| {
        found.iter().any(|one| providers[one.provider].id == target.provider_id && one.model.id == target.model)
    };
    let left = route.targets.iter().filter(|target| !is_asked(target));
    left.map(|target| {
        let provider = providers.iter().find(|known| known.id == target.provider_id);
        let why = if provider.is_some() { "its provider is switched off" } else { "its provider is gone" };
        PassedOver {
            provider: provider.map(|known| known.name.clone()).unwrap_or_default(),
            model: target.model.clone(),
            why: why.to_owned(),
        }
    })
    .collect()
}
