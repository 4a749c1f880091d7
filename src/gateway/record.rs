//! What the log says of a call when it begins, and what it took.

use super::call::clean;
use crate::model::gateway::{Block, CallOutcome, CallRecord, CallSource, Choice, Response, Usage, estimate_tokens};
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
        Principal::User { .. } | Principal::System => None,
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
        provider_id: None,
        provider: String::new(),
        model: clean(asked).chars().take(200).collect(),
        choice: Choice::default(),
        outcome: CallOutcome::Failed,
        error: None,
        usage: Usage::default(),
        estimated: false,
        cost_micros: None,
        first_token_ms: None,
        took_ms: 0,
        cache: None,
        masked: Vec::new(),
    }
}

/// The provider's numbers, and our own count of what it does not tell; whether something of it is ours. `reads` are the tokens of what
/// was sent.
pub(super) fn counted(reads: i64, response: &Response) -> (Usage, bool) {
    let mut usage = response.usage;
    let written = estimate_tokens(response.blocks().map(Block::chars).sum());
    let (no_input, no_output) = (usage.prompt() == 0, usage.output == 0 && written > 0);
    if no_input {
        usage.input = reads;
    }
    if no_output {
        usage.output = written;
    }
    (usage, no_input || no_output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Extra, StopReason};

    #[test]
    fn what_a_provider_does_not_tell_is_counted_here_and_marked() {
        let told = |usage: Usage| {
            let response = Response {
                id: String::new(),
                model: String::new(),
                content: vec![Block::text("eight ch")],
                stop: StopReason::EndTurn,
                stop_sequence: None,
                usage,
                extra: Extra::new(),
                others: Vec::new(),
            };
            let (usage, estimated) = counted(40, &response);
            (usage.prompt(), usage.output, estimated)
        };
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        assert_eq!(told(usage(9, 3)), (9, 3, false));
        assert_eq!(told(usage(0, 3)), (40, 3, true));
        assert_eq!(told(usage(9, 0)), (9, 2, true));
        assert_eq!(told(usage(0, 0)), (40, 2, true));
        assert_eq!(told(Usage { cache_read: 9, ..usage(0, 3) }), (9, 3, false));
    }
}
