//! How our own types stand in columns: the same Rust type, each engine's native one.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use crate::model::{
    AgentId, ApiKeyId, ApprovalId, BackupId, BudgetId, CacheEntryId, CallId, ComparisonId, EmbedderId, EntryId,
    FiringId, FlagChangeId, FlagId, InviteId, LeaseId, LoginSessionId, ObservationId, PriceId, ProviderId,
    QueuedTaskId, RouteId, RunId, SemanticHitId, SummaryRuleId, TestId, Timestamp, TriggerId, TriggerKeyId, UserId,
    WorkflowId, WorkspaceId,
};

/// Postgres counts microseconds from 2000-01-01.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// It knows no moment before this one.
const POSTGRES_FIRST_MICROS: i64 = -211_813_488_000_000_000;

impl Type<Sqlite> for Timestamp {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(other: &sqlx::sqlite::SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(other)
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Sqlite>>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Sqlite> for Timestamp {
    fn decode(value: <Sqlite as Database>::ValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(<i64 as Decode<Sqlite>>::decode(value)?))
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::with_name("timestamptz")
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // A cursor that somebody made up may name any number.
        let micros = self.0.saturating_sub(POSTGRES_EPOCH_MICROS).max(POSTGRES_FIRST_MICROS);
        <i64 as Encode<Postgres>>::encode(micros, buffer)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: <Postgres as Database>::ValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(<i64 as Decode<Postgres>>::decode(value)? + POSTGRES_EPOCH_MICROS))
    }
}

/// Stores typed ids as the UUIDs that they are.
macro_rules! id_columns {
    ($($name:ident),* $(,)?) => {$(
        impl<D: Database> Type<D> for $name
        where
            Uuid: Type<D>,
        {
            fn type_info() -> D::TypeInfo {
                <Uuid as Type<D>>::type_info()
            }

            fn compatible(other: &D::TypeInfo) -> bool {
                <Uuid as Type<D>>::compatible(other)
            }
        }

        impl<'q, D: Database> Encode<'q, D> for $name
        where
            Uuid: Encode<'q, D>,
        {
            fn encode_by_ref(&self, buffer: &mut <D as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <Uuid as Encode<'q, D>>::encode_by_ref(&self.0, buffer)
            }
        }

        impl<'r, D: Database> Decode<'r, D> for $name
        where
            Uuid: Decode<'r, D>,
        {
            fn decode(value: <D as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(Self(<Uuid as Decode<'r, D>>::decode(value)?))
            }
        }
    )*};
}

id_columns!(
    WorkspaceId,
    UserId,
    LoginSessionId,
    InviteId,
    LeaseId,
    ComparisonId,
    ApiKeyId,
    WorkflowId,
    RunId,
    ApprovalId,
    TestId,
    EntryId,
    TriggerId,
    FiringId,
    TriggerKeyId,
    ProviderId,
    PriceId,
    RouteId,
    CallId,
    BudgetId,
    FlagId,
    FlagChangeId,
    CacheEntryId,
    SemanticHitId,
    ObservationId,
    AgentId,
    QueuedTaskId,
    EmbedderId,
    SummaryRuleId,
    BackupId,
);
