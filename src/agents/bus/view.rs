//! Teams and their messages as people see them.

use serde_json::Value;

use super::{Message, Sitting, names, roster, sign};
use crate::agents::error::{Error, Result};
use crate::agents::store::bus as store;
use crate::model::agent::{MessageKind, Receipt, Team, TeamMember, TeamMessage, TeamView};
use crate::model::auth::Action;
use crate::model::{FieldError, Page, PageRequest, RunId};
use crate::runtime::Ctx;

/// Who may address whom now in the team of a run that no other run is around; as `rule` says where nobody has founded it yet.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn current(ctx: &Ctx, root: RunId, rule: Team) -> Result<Team> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::find(&ctx.db, ctx.workspace(), root).await?.map_or(rule, |(team, _)| team))
}

/// The team of a run that no other run is around; one that nobody has founded yet as `rule` says.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn find(ctx: &Ctx, root: RunId, rule: Team) -> Result<TeamView> {
    ctx.authorize(Action::ReadRun)?;
    let found = store::find(&ctx.db, ctx.workspace(), root).await?;
    let Some((team, messages)) = found else {
        return Ok(TeamView { root, members: members(&rule, &[], &[]), team: rule, edges: Vec::new(), messages: 0 });
    };
    let seats = store::list_seats(&ctx.db, root).await?;
    let waiting = store::list_waiting(&ctx.db, root).await?;
    let edges = store::list_edges(&ctx.db, root).await?;
    Ok(TeamView { root, members: members(&team, &seats, &waiting), team, edges, messages })
}

fn members(team: &Team, seats: &[Sitting], waiting: &[(String, i64)]) -> Vec<TeamMember> {
    let roster = roster(team, seats);
    let member = |member: &crate::model::agent::Member| {
        let seat = seats.iter().find(|seat| seat.handle == member.handle);
        TeamMember {
            handle: member.handle.clone(),
            agent: member.name.clone(),
            run_id: seat.map(|seat| seat.run_id),
            step: seat.map(|seat| seat.step.clone()),
            reaches: team.reach(&roster, &member.handle),
            waiting: waiting.iter().find(|(handle, _)| *handle == member.handle).map_or(0, |(_, count)| *count),
        }
    };
    roster.iter().map(member).collect()
}

/// What was written in the team of a run that no other run is around, the newest first. What was altered says nothing.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list(ctx: &Ctx, root: RunId, page: &PageRequest) -> Result<Page<TeamMessage>> {
    ctx.authorize(Action::ReadRun)?;
    let wrong = || Error::Invalid(vec![FieldError::new("cursor", "expected the `next` of a page")]);
    let before = page.cursor.as_deref().map(|cursor| cursor.parse::<i64>().map_err(|_| wrong())).transpose()?;
    if store::find(&ctx.db, ctx.workspace(), root).await?.is_none() {
        return Ok(Page::whole(Vec::new()));
    }
    let limit = page.limit();
    let stored = store::list(&ctx.db, root, before.unwrap_or(i64::MAX), i64::from(limit) + 1).await?;
    let ends = stored.last().map(|message| message.number).zip(stored.first().map(|message| message.number));
    let receipts = match ends {
        Some((first, last)) => store::list_receipts(&ctx.db, root, first, last).await?,
        None => Vec::new(),
    };
    let messages = stored.into_iter().map(|message| {
        let of_message = receipts.iter().filter(|(number, _)| *number == message.number);
        let receipts = of_message.map(|(_, receipt)| receipt.clone()).collect();
        shown(ctx, root, message, receipts)
    });
    Ok(Page::cut(messages.collect(), limit, |message| message.number.to_string()))
}

fn shown(ctx: &Ctx, root: RunId, message: Message, mut receivers: Vec<Receipt>) -> TeamMessage {
    let kind = MessageKind::parse(&message.kind);
    // In the order of the team; and nobody whom it was not sent to.
    let order = names(&message.receivers);
    let is_meant = receivers.iter().all(|receipt| order.contains(&receipt.handle));
    receivers.sort_by_key(|receipt| order.iter().position(|handle| *handle == receipt.handle));
    let is_refused = kind.is_none() || !is_meant || !sign::is_genuine(&ctx.keys, ctx.workspace(), root, &message);
    let data = serde_json::from_str(&message.data).unwrap_or(Value::Null);
    TeamMessage {
        number: message.number,
        kind: kind.unwrap_or(MessageKind::Note),
        from: message.sender,
        to: message.addressed,
        receivers,
        body: if is_refused { String::new() } else { message.body },
        data: if is_refused { Value::Null } else { data },
        is_refused,
        run_id: message.run_id,
        step: message.step,
        sent_at: message.sent_at,
    }
}
