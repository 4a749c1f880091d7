//! Providers.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Error, Result, Tx};
use crate::model::gateway::{Dialect, Limits, Model, ProviderKind, Wire};
use crate::model::{ProviderId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A stored provider.
#[derive(Debug, Clone, FromRow)]
pub struct ProviderRow {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    kind: String,
    /// Where it is.
    pub base_url: String,
    /// Its key, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// The last characters of its key.
    pub hint: Option<String>,
    /// What it offers.
    pub models: Json<Vec<Model>>,
    /// How long it may take.
    pub limits: Json<Limits>,
    /// Whether it is always asked in Responses.
    pub responses: bool,
    /// Whether it is asked.
    pub enabled: bool,
    /// Goes up with each edit.
    pub revision: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl ProviderRow {
    /// What is at the other end.
    pub fn kind(&self) -> Result<ProviderKind> {
        ProviderKind::parse(&self.kind).ok_or_else(|| Error::inconsistent("provider", "kind", &self.kind))
    }

    /// What it is asked in, for whoever speaks `asked`.
    pub fn wire(&self, asked: Dialect) -> Result<Wire> {
        Ok(self.kind()?.wire(self.responses, asked))
    }
}

#[cfg(test)]
impl ProviderRow {
    /// One that is in no database.
    pub fn imagined(id: ProviderId, name: &str, kind: ProviderKind) -> Self {
        Self {
            id,
            name: name.to_owned(),
            kind: kind.as_str().to_owned(),
            base_url: "https://models.example/v1".to_owned(),
            sealed: None,
            hint: None,
            models: Json(Vec::new()),
            limits: Json(Limits::default()),
            responses: false,
            enabled: true,
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// What a person can set.
#[derive(Debug)]
pub struct Written<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is.
    pub base_url: &'a str,
    /// Its key, encrypted.
    pub sealed: Option<&'a [u8]>,
    /// The last characters of its key.
    pub hint: Option<&'a str>,
    /// What it offers.
    pub models: &'a [Model],
    /// How long it may take.
    pub limits: Limits,
    /// Whether it is always asked in Responses.
    pub responses: bool,
    /// Whether it is asked.
    pub enabled: bool,
}

/// Adds a provider. [`Error::Duplicate`] when the name is taken.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, kind): (ProviderId, ProviderKind),
    by: Option<UserId>,
    provider: &Written<'_>,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into provider (id, workspace_id, name, kind, base_url, sealed, hint, models, limits, enabled, revision,
            created_by, created_at, updated_at, responses)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $12, $13)",
    )
    .bind(id)
    .bind(workspace)
    .bind(provider.name)
    .bind(kind.as_str())
    .bind(provider.base_url)
    .bind(provider.sealed)
    .bind(provider.hint)
    .bind(Json(provider.models))
    .bind(Json(provider.limits))
    .bind(provider.enabled)
    .bind(by)
    .bind(now)
    .bind(provider.responses)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes a provider that is at `revision`; false when it is not any more. [`Error::Duplicate`] when the name is taken.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, revision): (ProviderId, i64),
    provider: &Written<'_>,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update provider set
            name = $4,
            base_url = $5,
            sealed = $6,
            hint = $7,
            models = $8,
            limits = $9,
            enabled = $10,
            revision = revision + 1,
            updated_at = $11,
            responses = $12
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(provider.name)
    .bind(provider.base_url)
    .bind(provider.sealed)
    .bind(provider.hint)
    .bind(Json(provider.models))
    .bind(Json(provider.limits))
    .bind(provider.enabled)
    .bind(now)
    .bind(provider.responses)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes a provider with its prices; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ProviderId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from provider where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from provider where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// All of a workspace, oldest first.
pub async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<ProviderRow>> {
    Ok(read!(db, conn => query_as(
        "select id, name, kind, base_url, sealed, hint, models, limits, responses, enabled, revision, created_at, updated_at
         from provider
         where workspace_id = $1
         order by id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?)
}

/// One provider.
pub async fn find(db: &Db, workspace: WorkspaceId, id: ProviderId) -> Result<Option<ProviderRow>> {
    Ok(read!(db, conn => query_as(
        "select id, name, kind, base_url, sealed, hint, models, limits, responses, enabled, revision, created_at, updated_at
         from provider
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}
