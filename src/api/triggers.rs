//! Triggers and their firings.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde_json::Value;

use crate::model::trigger::{Firing, KeyKind, Preview, Trigger, TriggerDraft, TriggerFilter, TriggerMade};
use crate::model::{ApiError, Page, PageRequest, TriggerId, TriggerKeyId};

/// Triggers, newest first.
#[server(prefix = "/rpc", endpoint = "triggers/list", input = Json)]
pub async fn list_triggers(filter: TriggerFilter, page: PageRequest) -> Result<Page<Trigger>, ApiError> {
    Ok(crate::trigger::list(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// One trigger.
#[server(prefix = "/rpc", endpoint = "triggers/get", input = Json)]
pub async fn get_trigger(id: TriggerId) -> Result<Trigger, ApiError> {
    Ok(crate::trigger::get(&crate::http::request_ctx().await?, id).await?)
}

/// Makes a trigger; a webhook's address and secret are in the answer only.
#[server(prefix = "/rpc", endpoint = "triggers/create", input = Json)]
pub async fn create_trigger(draft: TriggerDraft) -> Result<TriggerMade, ApiError> {
    Ok(crate::trigger::create(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes a trigger that was seen at `revision`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "triggers/update", input = Json)]
pub async fn update_trigger(id: TriggerId, revision: i64, draft: TriggerDraft) -> Result<TriggerMade, ApiError> {
    Ok(crate::trigger::update(&crate::http::request_ctx().await?, id, revision, draft).await?)
}

/// Deletes a trigger with its firings; its runs stay.
#[server(prefix = "/rpc", endpoint = "triggers/delete", input = Json)]
pub async fn delete_trigger(id: TriggerId) -> Result<(), ApiError> {
    Ok(crate::trigger::delete(&crate::http::request_ctx().await?, id).await?)
}

/// Fires a trigger by hand, with this event.
#[server(prefix = "/rpc", endpoint = "triggers/fire", input = Json)]
pub async fn fire_trigger(id: TriggerId, event: Value) -> Result<Firing, ApiError> {
    Ok(crate::trigger::fire_now(&crate::http::request_ctx().await?, id, event).await?)
}

/// The firings of one trigger, or of all, newest first.
#[server(prefix = "/rpc", endpoint = "triggers/firings", input = Json)]
pub async fn list_firings(id: Option<TriggerId>, page: PageRequest) -> Result<Page<Firing>, ApiError> {
    Ok(crate::trigger::list_firings(&crate::http::request_ctx().await?, id, &page).await?)
}

/// Makes a new token or secret of a webhook; the one before lives on for a day.
#[server(prefix = "/rpc", endpoint = "triggers/replace_key", input = Json)]
pub async fn replace_key(id: TriggerId, kind: KeyKind) -> Result<TriggerMade, ApiError> {
    Ok(crate::trigger::replace_key(&crate::http::request_ctx().await?, id, kind).await?)
}

/// Ends a token or secret that was replaced, at once.
#[server(prefix = "/rpc", endpoint = "triggers/delete_key", input = Json)]
pub async fn delete_key(id: TriggerId, key: TriggerKeyId) -> Result<(), ApiError> {
    Ok(crate::trigger::delete_key(&crate::http::request_ctx().await?, id, key).await?)
}

/// Reads a cron expression: in words, and its next five moments.
#[server(prefix = "/rpc", endpoint = "triggers/preview", input = Json)]
pub async fn preview_schedule(cron: String, timezone: String) -> Result<Preview, ApiError> {
    Ok(crate::trigger::preview(&crate::http::request_ctx().await?, &cron, &timezone)?)
}

/// The names of all zones.
#[server(prefix = "/rpc", endpoint = "triggers/zones", input = Json)]
pub async fn list_zones() -> Result<Vec<String>, ApiError> {
    Ok(crate::trigger::list_zones(&crate::http::request_ctx().await?)?)
}
