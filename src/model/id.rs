//! Typed ids: a UUIDv7 that can't be confused with another noun's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Declares id types; each is a transparent UUID on the wire.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    WorkspaceId,
    /// A person.
    UserId,
    /// A browser's sign-in, or the family of refresh tokens of an API client.
    LoginSessionId,
    /// A one-time link that lets a person join a workspace.
    InviteId,
    /// A machine's credential.
    ApiKeyId,
    /// A named graph.
    WorkflowId,
    /// One execution of one version of a workflow.
    RunId,
    /// A journaled wait for people.
    ApprovalId,
    /// A run that was kept as a regression test of its workflow.
    TestId,
    /// A piece of knowledge.
    EntryId,
    /// What starts runs by itself.
    TriggerId,
    /// What became of one occasion of a trigger.
    FiringId,
    /// A token or a secret of a webhook.
    TriggerKeyId,
    /// An endpoint with a credential, and the models behind it.
    ProviderId,
    /// A line of the price table.
    PriceId,
    /// An ordered choice of models under one name.
    RouteId,
    /// A call of a model.
    CallId,
    /// A limit of what calls may cost.
    BudgetId,
    /// Who already gets what is being rolled out.
    FlagId,
    /// A change of such a flag.
    FlagChangeId,
    /// An answer of a model that is kept.
    CacheEntryId,
    /// An answer that was given to a question that only means the same.
    SemanticHitId,
    /// Whether a question like a kept one had the same answer, noticed once.
    ObservationId,
    /// A named configuration of a model that works with tools.
    AgentId,
    /// A task that is given to whichever agent is best for it.
    QueuedTaskId,
    /// What an agent has to itself, or shares, for a while.
    LeaseId,
    /// Two versions of an agent at the same tasks.
    ComparisonId,
    /// What makes vectors of a workspace's entries.
    EmbedderId,
    /// When a model summarizes entries by itself.
    SummaryRuleId,
    /// Copies of namespaces that are written by themselves.
    BackupId,
}
