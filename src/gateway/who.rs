//! Who could answer for a name, as this workspace is set up and as whoever asks may ask.

use super::call::known;
use super::candidates::{self, Candidate, DEFAULT_ROUTE, Known};
use super::error::Result;
use super::keys::rights;
use super::rollout::{self, Asker};
use super::store::{self, key::KeyRights, provider::ProviderRow};
use crate::model::gateway::{CallSource, Dialect, Fault, FaultClass, FlagTold, Route};
use crate::runtime::Ctx;

/// Who could answer.
#[derive(Debug)]
pub(super) struct Found {
    /// What the key of who asks allows, if they have one.
    pub rights: Option<KeyRights>,
    /// The providers of the workspace.
    pub rows: Vec<ProviderRow>,
    /// The route that was asked for, if it was one, with the models that its flags leave for this call.
    pub route: Option<Route>,
    /// Those that could answer, as listed.
    pub candidates: Vec<Candidate>,
    /// The rule that found them.
    pub rule: String,
    /// What the flags of the route said.
    pub flags: Vec<FlagTold>,
}

/// Finds who could answer. What a key may ask for does not bind who summarizes for it: that one is named by whoever set up the
/// route, and sees what the key sends anyway.
///
/// # Errors
/// `no_model` for a name that the key of who asks may not ask for, or that nobody has.
pub(super) async fn could_answer(
    ctx: &Ctx,
    asked: &str,
    (dialect, source): (Dialect, CallSource),
    asker: Asker<'_>,
) -> Result<Found> {
    let rights = rights(ctx).await?;
    if let Some(allowed) = rights.as_ref().map(|rights| &rights.models)
        && !allowed.is_empty()
        && source != CallSource::Context
        && !allowed.iter().any(|name| name == asked)
    {
        let message = format!("this key may not ask for {asked:?}; it may for {}", allowed.join(", "));
        return Err(Fault { pointer: Some("/model".into()), ..Fault::new(FaultClass::NoModel, message) }.into());
    }
    let rows = store::provider::list(&ctx.db, ctx.workspace()).await?;
    let name = if asked.is_empty() { DEFAULT_ROUTE } else { asked };
    let mut route = store::route::find_by_name(&ctx.db, ctx.workspace(), name).await?;
    let mut flags = Vec::new();
    if let Some(whole) = route {
        flags = rollout::judge(ctx, &whole, asker).await?;
        route = Some(rollout::open(whole, &flags));
    }
    let known = rows.iter().map(known).collect::<Result<Vec<Known>>>()?;
    let (candidates, rule) = candidates::find(asked, dialect, &known, route.as_ref())?;
    Ok(Found { rights, rows, route, candidates, rule, flags })
}
