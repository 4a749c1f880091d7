//! Looking at triggers and their firings.

use std::collections::HashMap;

use serde_json::Value;

use super::error::Result;
use super::store::key::KeyRow;
use super::store::trigger::ListedRow;
use super::{Error, store};
use crate::memory;
use crate::model::auth::Action;
use crate::model::trigger::cron::Cron;
use crate::model::trigger::{Config, Firing, KeyInfo, KeyKind, Kind, Moment, Trigger, TriggerFilter, Webhook};
use crate::model::workflow::RunStatus;
use crate::model::{Page, PageRequest, Timestamp, TriggerId};
use crate::runtime::Ctx;
use crate::runtime::zone::{Iana, next_moments};

/// The triggers of the workspace, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list(ctx: &Ctx, filter: &TriggerFilter, page: &PageRequest) -> Result<Page<Trigger>> {
    ctx.authorize(Action::ReadWorkflow)?;
    let before = cursor::<TriggerId>(page)?;
    let limit = page.limit();
    let rows = store::trigger::list(&ctx.db, ctx.workspace(), filter, None, before, limit + 1).await?;
    let page = Page::cut(rows, limit, |row| row.trigger.id.to_string());
    Ok(Page { items: present(ctx, page.items).await?, next: page.next })
}

/// One trigger.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's.
pub async fn get(ctx: &Ctx, id: TriggerId) -> Result<Trigger> {
    ctx.authorize(Action::ReadWorkflow)?;
    let rows = store::trigger::list(&ctx.db, ctx.workspace(), &TriggerFilter::default(), Some(id), None, 1).await?;
    present(ctx, rows).await?.pop().ok_or(Error::NotFound("trigger"))
}

/// The firings of one trigger, or of all in the workspace, newest first.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list_firings(ctx: &Ctx, trigger: Option<TriggerId>, page: &PageRequest) -> Result<Page<Firing>> {
    ctx.authorize(Action::ReadWorkflow)?;
    if let Some(id) = trigger {
        store::trigger::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("trigger"))?;
    }
    let before = cursor(page)?;
    let limit = page.limit();
    let mut firings = store::firing::list(&ctx.db, ctx.workspace(), trigger, before, limit + 1).await?;
    veil(ctx, &mut firings).await?;
    Ok(Page::cut(firings, limit, |firing| firing.id.to_string()))
}

fn cursor<T: std::str::FromStr>(page: &PageRequest) -> Result<Option<T>> {
    let read = |cursor: &str| cursor.parse().map_err(|_| Error::invalid("cursor", "expected the `next` of a page"));
    page.cursor.as_deref().map(read).transpose()
}

/// Adds what is known beside the rows: the newest firings, the keys, the next moments.
async fn present(ctx: &Ctx, rows: Vec<ListedRow>) -> Result<Vec<Trigger>> {
    let ids = || rows.iter().map(|row| row.trigger.id);
    let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(Vec::new()) };
    let now = ctx.clock.now();
    let mut newest = store::firing::newest_of_each(&ctx.db, ctx.workspace(), first..=last).await?;
    veil(ctx, &mut newest).await?;
    let mut newest: HashMap<TriggerId, Firing> = newest.into_iter().map(|firing| (firing.trigger_id, firing)).collect();
    let mut keys: HashMap<TriggerId, Vec<KeyRow>> = HashMap::new();
    if rows.iter().any(|row| row.trigger.kind() == Kind::Webhook) {
        for key in store::key::list(&ctx.db, ctx.workspace(), first..=last, now).await? {
            keys.entry(key.trigger_id).or_default().push(key);
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let id = row.trigger.id;
            present_one(ctx, row, newest.remove(&id), keys.remove(&id).unwrap_or_default(), now)
        })
        .collect())
}

/// Leaves out what firings tell of entries of the memory that who asks may not read.
async fn veil(ctx: &Ctx, firings: &mut [Firing]) -> Result<()> {
    if firings.iter().all(|firing| place(&firing.event).is_none()) {
        return Ok(());
    }
    let reach = memory::reading(ctx).await?;
    for firing in firings {
        if place(&firing.event).is_some_and(|namespace| !reach.may_read(namespace)) {
            firing.event = Value::Null;
        }
    }
    Ok(())
}

/// The namespace of the change that a firing tells of.
fn place(event: &Value) -> Option<&str> {
    event.get("change").and(event.get("namespace")).and_then(Value::as_str)
}

fn present_one(ctx: &Ctx, row: ListedRow, last_firing: Option<Firing>, keys: Vec<KeyRow>, now: Timestamp) -> Trigger {
    let ListedRow { trigger, workflow_name, published_version, creator } = row;
    let config = trigger.config.0;
    let of_kind = |kind: KeyKind| {
        let keys = keys.iter().filter(|key| key.kind == kind.as_str());
        let info = |key: &KeyRow| KeyInfo {
            id: key.id,
            hint: key.hint.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        };
        keys.map(info).collect()
    };
    let webhook = (config.kind() == Kind::Webhook).then(|| Webhook {
        url_base: url_base(ctx, trigger.workflow_id.to_string().as_str()),
        tokens: of_kind(KeyKind::Token),
        secrets: of_kind(KeyKind::Secret),
    });
    Trigger {
        id: trigger.id,
        workflow_id: trigger.workflow_id,
        workflow_name,
        published_version,
        name: trigger.name,
        summary: summary(&config),
        next: if trigger.enabled { upcoming(&config, now) } else { Vec::new() },
        config,
        inputs: trigger.inputs.0,
        enabled: trigger.enabled,
        webhook,
        last_firing,
        revision: trigger.revision,
        created_by: creator,
        created_at: trigger.created_at,
        updated_at: trigger.updated_at,
    }
}

/// The address of a workflow's webhooks, without the token.
pub(super) fn url_base(ctx: &Ctx, workflow: &str) -> String {
    format!("{}/api/v1/hooks/{workflow}/", ctx.config.public_url.trim_end_matches('/'))
}

fn upcoming(config: &Config, now: Timestamp) -> Vec<Moment> {
    let Config::Schedule { cron, timezone, .. } = config else { return Vec::new() };
    match (cron.parse::<Cron>(), Iana::find(timezone)) {
        (Ok(cron), Some(zone)) => next_moments(&cron, &zone, now),
        _ => Vec::new(),
    }
}

/// What a trigger waits for, in words.
pub(super) fn summary(config: &Config) -> String {
    match config {
        Config::Schedule { cron, timezone, .. } => match cron.parse::<Cron>() {
            Ok(cron) => format!("{}, {timezone}", cron.describe()),
            Err(_) => cron.clone(),
        },
        Config::Webhook { signed: true, .. } => "Signed calls from outside".to_owned(),
        Config::Webhook { .. } => "Calls from outside".to_owned(),
        Config::Memory { namespace, on } => {
            let what: Vec<&str> = on.iter().map(|change| change.as_str()).collect();
            let place = if namespace.is_empty() { "anywhere in memory" } else { namespace };
            let within = if namespace.is_empty() { "" } else { "in " };
            format!("Entries {} {within}{place}", what.join(" or "))
        }
        Config::RunFinished { of, statuses } => {
            let how: Vec<String> = statuses.iter().map(|status: &RunStatus| status.label().to_lowercase()).collect();
            let whose = if of.is_some() { "Runs of one workflow" } else { "Runs of any other workflow" };
            format!("{whose} that {}", how.join(" or ").replace("cancelled", "were cancelled"))
        }
    }
}
