//! The vocabulary of the gateway: what is asked of a model, what it answers, and how a call is chosen, priced and kept.
//!
//! Owns one closed set of types between every provider's wire and everybody else. Promises that what two dialects have in
//! common has one meaning here: tokens are counted one way, reasons to stop have one name each, a picture is a picture. What
//! only one dialect knows is kept beside it as it was sent ([`Extra`], [`Block::Native`]), goes back into that dialect, and
//! never quietly into another.
//!
//! Pure: no clock, no IO, no wire. The wires are in `gateway::dialect`.

mod budget;
mod call;
mod delta;
mod embed;
mod explain;
mod fault;
mod key;
mod message;
mod policy;
mod price;
mod provider;
mod replay;
mod request;
mod response;
mod route;
mod task;

pub use budget::{Allowance, Budget, BudgetDraft, BudgetPeriod, BudgetScope, BudgetState, Spender};
pub use call::{CallFilter, CallLine, CallOutcome, CallRecord, CallSource, Spending, Sum, SumBy, UsageFilter};
pub use delta::{Delta, Fold, parse_input};
pub use embed::{EmbedInput, EmbedRequest, Encoding, Vectors};
pub use explain::{ExplainRequest, Explained, PassedOver, Standing, WouldAsk};
pub use fault::{Fault, FaultClass};
pub use key::{Endpoints, GatewayKey, KeyDraft, KeyInUse, KeyMade};
pub use message::{Block, CacheMark, CacheTtl, Dialect, Extra, ImageSource, Message, Role, Wire};
pub use policy::{By, Contender, Policy, order};
pub use price::{Price, PriceDraft, format_usd, parse_usd, short_usd};
pub use provider::{
    BreakerState, Credential, Limits, Model, ModelHealth, Provider, ProviderDraft, ProviderKind, ProviderTest,
};
pub use replay::replay;
pub use request::{Effort, Output, Request, Sampling, Thinking, Tool, ToolChoice};
pub use response::{Response, StopReason, Usage, estimate_tokens};
pub use route::{Choice, Route, RouteDraft, Target, Tried, Verdict};
pub use task::{Level, Points, Score, TaskRules, of_request as score_request, score as score_task};

#[cfg(test)]
mod tests;
