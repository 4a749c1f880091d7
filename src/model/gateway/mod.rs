//! The vocabulary of the gateway: what is asked of a model, what it answers, and how a call is chosen, priced and kept.
//!
//! Owns one closed set of types between every provider's wire and everybody else. Promises that what two dialects have in
//! common has one meaning here: tokens are counted one way, reasons to stop have one name each, a picture is a picture. What
//! only one dialect knows is kept beside it as it was sent ([`Extra`], [`Block::Native`]), goes back into that dialect, and
//! never quietly into another.
//!
//! Pure: no clock, no IO, no wire. The wires are in `gateway::dialect`.

mod ability;
mod budget;
mod call;
mod content;
mod context;
mod delta;
mod embed;
mod estimate;
mod explain;
mod fault;
mod flag;
mod key;
mod message;
mod policy;
mod preview;
mod price;
mod provider;
mod queue;
mod redaction;
mod replay;
mod request;
mod response;
mod route;
mod task;
mod tokens;

pub use ability::{Lack, Needs, PICTURE_TOKENS, estimate_request, weigh_block, weigh_message, weigh_request};
pub use budget::{Allowance, Budget, BudgetDraft, BudgetPeriod, BudgetScope, BudgetState, Spender};
pub use call::{CallFilter, CallLine, CallOutcome, CallRecord, CallSource, Spending, Sum, SumBy, UsageFilter};
pub use content::{
    AnswerContent, AskedContent, CallContent, Contents, Keeping, MAX_CONTENT, MAX_CONTENT_DAYS, block_words, role_word,
};
pub use context::{
    ContextRule, ContextUse, ContextWish, LEAST_WINDOW, MOST_RECENT, MOST_WINDOW, StepContext, USUAL_RECENT,
    USUAL_WINDOW, WhenFull,
};
pub use delta::{ANSWER_BLOCKS, Delta, Fold, add_beside, answer_of, parse_input};
pub use embed::{EmbedInput, EmbedRequest, Encoding, Vectors};
pub use estimate::{Asks, CostEstimate, Quote, StepEstimate, TEMPLATE_TOKENS, UNKNOWN_OUTPUT, own_texts, own_words};
pub use explain::{ExplainRequest, Explained, PassedOver, Standing, WouldAsk, WouldHedge};
pub use fault::{Fault, FaultClass, Limited, OwnLimit, ToldLimits};
pub use flag::{
    FLAG_BUCKETS, Flag, FlagAudience, FlagChange, FlagDraft, FlagState, FlagSubject, FlagTold, FlagVerdict,
    MOST_FLAG_NAMES, StickyBy,
};
pub use key::{Endpoints, GatewayKey, KeyDraft, KeyInUse, KeyLimits, KeyMade};
pub use message::{Block, CacheMark, CacheTtl, Dialect, Extra, ImageSource, Message, Role, Wire};
pub use policy::{By, Contender, Hedge, Policy, order};
pub use preview::{CostPreview, PREVIEW_RUNS, StepCalls, StepCost};
pub use price::{Price, PriceDraft, format_usd, parse_usd, short_usd};
pub use provider::{
    BreakerState, Credential, Limits, Model, ModelHealth, Provider, ProviderDraft, ProviderKind, ProviderTest,
    ProviderUse,
};
pub use queue::{HeldModel, HeldUp, HeldUpBy, QueueState};
pub use redaction::{
    MAX_MASK_PATTERN, MAX_MASK_PATTERNS, MAX_MASK_TRIAL, MaskKind, MaskPattern, Masked, Redaction, RedactionDraft,
    RedactionTrial, RedactionTried,
};
pub use replay::replay;
pub use request::{Effort, Output, Request, Sampling, Thinking, Tool, ToolChoice};
pub use response::{Other, Response, StopReason, Usage, declined, estimate_tokens, wants_tool};
pub use route::{Choice, Hedged, Route, RouteDraft, Target, Tried, Verdict};
pub use task::{Level, Points, Score, TaskRules, of_request as score_request, score as score_task};
pub use tokens::{TokensBy, Vocabulary};

#[cfg(test)]
mod tests;
