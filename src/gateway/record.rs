//! What the log says of a call when it begins.

use super::call::clean;
use crate::model::gateway::{CallOutcome, CallRecord, CallSource, Choice, TokensBy, Usage};
use crate::model::{RunId, UserId};
use crate::runtime::{Ctx, Principal};

/// The record of a call that begins.
pub(super) fn begin_record(
    ctx: &Ctx,
    source: CallSource,
    step: Option<(RunId, String)>,
    on_behalf_of: Option<UserId>,
    asked: &str,
) -> CallRecord {
    let key_id = match &ctx.actor.principal {
        Principal::Key { id, .. } => Some(*id),
        Principal::User { .. } | Principal::OnBehalf { .. } | Principal::System => None,
    };
    let (run_id, step) = step.unzip();
    CallRecord {
        id: ctx.ids.fresh(),
        at: ctx.clock.now(),
        source,
        user_id: ctx.actor.principal.user_id().or(on_behalf_of),
        key_id,
        run_id,
        step,
        agent_id: None,
        session: None,
        provider_id: None,
        provider: String::new(),
        model: clean(asked).chars().take(200).collect(),
        choice: Choice::default(),
        outcome: CallOutcome::Failed,
        error: None,
        usage: Usage::default(),
        estimated: false,
        tokens_by: TokensBy::Provider,
        cost_micros: None,
        first_token_ms: None,
        took_ms: 0,
        cache: None,
        masked: Vec::new(),
    }
}
