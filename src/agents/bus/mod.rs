//! The message bus: what the agents that work under one run write to each other.
//!
//! Owns teams (who sits where, and who may address whom), their messages and who has taken which. Promises: the same call sends one
//! message and takes the same messages, however often it is repeated after a crash, and no message is taken by two calls of a
//! receiver; whom the topology does not allow is not reached, and who asked is told whom it may address; a message is signed over
//! everything that counts of it, and one whose signature does not fit reaches no agent. All of it goes with the run.
//!
//! Refuses to be trusted: what an agent wrote is data for whoever reads it, with the label of the worst that the sender had read.
//!
//! The design: who may address whom is decided purely ([`Team`]); a team's row is locked by whoever joins, sends or takes, so that
//! numbers have no gaps. The team of a run is that of the run that no other is around, and so is a message's number.

mod letter;
mod sign;
mod view;

use serde_json::json;

pub use self::letter::{Letter, Said, Sender, Sent, Taken};
pub use self::sign::PURPOSE as LASTING;
pub use self::view::{current, find, list};
use super::error::{Error, Result};
use super::store::bus as store;
use crate::model::agent::{EVERYBODY, MAX_BODY, Member, MessageKind, Seat, TalkPair, Team, Topology};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::memory::Trust;
use crate::model::{AgentId, RunId, Timestamp};
use crate::runtime::Ctx;

/// Agents of one team.
const MAX_SEATS: i64 = 200;
/// Messages of one team.
const MAX_MESSAGES: i64 = 1_000;
/// Messages that are taken at once.
const MAX_TAKEN: i64 = 20;
/// Characters of what they say together: with what stands around them it stays below what a tool may give.
const MAX_TAKEN_CHARS: i64 = 14_000;

/// Who wants a seat.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    /// The run that no other run is around.
    pub root: RunId,
    /// Who may address whom, where the team is not founded yet.
    pub rule: &'a Team,
    /// The steps of other runs that this run is inside of, the nearest first.
    pub around: &'a [(RunId, String)],
    /// The run in which it works.
    pub run_id: RunId,
    /// The step that is its work.
    pub step: &'a str,
    /// Who it is.
    pub agent: AgentId,
    /// Its name.
    pub name: &'a str,
}

/// Who sits in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sitting {
    pub handle: String,
    pub name: String,
    pub above: Option<String>,
    pub run_id: RunId,
    pub step: String,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub number: i64,
    pub sender: String,
    pub agent: AgentId,
    pub run_id: RunId,
    pub step: String,
    pub addressed: String,
    /// Handles, as JSON.
    pub receivers: String,
    pub kind: String,
    pub body: String,
    /// JSON; empty: nothing.
    pub data: String,
    pub trust: String,
    pub signature: Vec<u8>,
    pub sent_at: Timestamp,
}

/// Gives an agent a seat in the team of its run, and founds the team where it is the first. The same step has the same seat for
/// good. `None`: the team names its members, and the agent is none of them.
///
/// # Errors
/// [`Error::Conflict`] when every seat is taken, [`Error::NotFound`] for a run that is gone.
pub async fn join(ctx: &Ctx, joining: Joining<'_>) -> Result<Option<Seat>> {
    ctx.authorize(Action::StartRun)?;
    let Joining { root, rule, around, run_id, step, agent, name } = joining;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    store::found(&mut tx, ctx.workspace(), root, rule, now).await?;
    let (team, taken, _) = store::lock(&mut tx, ctx.workspace(), root).await?.ok_or(Error::NotFound("run"))?;
    let seats = store::seats(&mut tx, root).await?;
    if let Some(own) = seats.iter().find(|seat| seat.run_id == run_id && seat.step == step) {
        return Ok(Some(Seat { root, handle: own.handle.clone() }));
    }
    if !team.members.is_empty() && !team.members.iter().any(|member| member == name) {
        tx.commit().await?;
        return Ok(None);
    }
    if taken >= MAX_SEATS {
        return Err(Error::Conflict(format!("at most {MAX_SEATS} agents work in one team")));
    }
    let asked_by = around.iter().find_map(|(run, step)| {
        seats.iter().find(|seat| seat.run_id == *run && seat.step == *step).map(|seat| seat.handle.clone())
    });
    let handle = fresh(name, &team, &seats);
    let sitting =
        Sitting { handle: handle.clone(), name: name.to_owned(), above: asked_by, run_id, step: step.to_owned() };
    store::sit(&mut tx, root, &sitting, agent, taken, now).await?;
    tx.commit().await?;
    publish(ctx, root);
    Ok(Some(Seat { root, handle }))
}

/// What an agent is called: its name, with the first number behind it that makes it differ from all others.
fn fresh(name: &str, team: &Team, seats: &[Sitting]) -> String {
    let is_free = |handle: &str| {
        let is_anothers_name = handle != name && team.members.iter().any(|member| member == handle);
        !is_anothers_name && !seats.iter().any(|seat| seat.handle == handle)
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|handle| is_free(handle)).unwrap_or_else(|| name.to_owned())
}

/// Sends a message. `key` names the call: the same key sends one message, and is told the same again.
///
/// # Errors
/// [`Error::Conflict`] in words for the sender: whom it may address, or which bound is reached.
pub async fn send(ctx: &Ctx, sender: Sender<'_>, letter: Letter, key: &str) -> Result<Sent> {
    ctx.authorize(Action::StartRun)?;
    let Seat { root, handle } = sender.seat;
    let plain = |text: &str| text.replace('\0', "\u{fffd}");
    let data = if letter.data.is_null() { String::new() } else { plain(&letter.data.to_string()) };
    let body = plain(&letter.body);
    let chars = body.chars().count() + data.chars().count();
    if body.trim().is_empty() || chars > MAX_BODY {
        return Err(Error::Conflict(format!("A message has 1 to {MAX_BODY} characters, found {chars}.")));
    }
    let mut tx = ctx.db.begin().await?;
    let (team, _, messages) = lock(ctx, &mut tx, *root).await?;
    if let Some((number, receivers)) = store::find_sent(&mut tx, *root, key).await? {
        return Ok(Sent { number, receivers: names(&receivers) });
    }
    if messages >= MAX_MESSAGES {
        return Err(Error::Conflict(format!("The team has sent {MAX_MESSAGES} messages, and may send no more.")));
    }
    let roster = roster(&team, &store::seats(&mut tx, *root).await?);
    let reach = team.reach(&roster, handle);
    let receivers = if letter.to.trim() == EVERYBODY {
        reach.clone()
    } else {
        reach.iter().filter(|name| *name == letter.to.trim()).cloned().collect()
    };
    if receivers.is_empty() {
        let is_known = roster.iter().any(|member| member.handle == letter.to.trim());
        return Err(Error::Conflict(refusal(&team, letter.to.trim(), is_known, &reach)));
    }
    let mut message = Message {
        number: messages + 1,
        sender: handle.clone(),
        agent: sender.agent,
        run_id: sender.run_id,
        step: sender.step.to_owned(),
        addressed: letter.to.trim().to_owned(),
        receivers: json!(receivers).to_string(),
        kind: letter.kind.as_str().to_owned(),
        body,
        data,
        trust: letter.trust.as_str().to_owned(),
        signature: Vec::new(),
        sent_at: ctx.clock.now(),
    };
    message.signature = sign::sign(&ctx.keys, ctx.workspace(), *root, &message);
    store::insert(&mut tx, *root, &message, &receivers, key).await?;
    tx.commit().await?;
    let number = message.number;
    tracing::info!(run = %root, number, from = %handle, to = %message.addressed, kind = %message.kind, "an agent sent a message");
    publish(ctx, *root);
    Ok(Sent { number, receivers })
}

/// Why nobody is reached, and who would be.
fn refusal(team: &Team, to: &str, is_known: bool, reach: &[String]) -> String {
    let allowed = if reach.is_empty() { "nobody".to_owned() } else { reach.join(", ") };
    let topology = team.topology.as_str();
    match (to == EVERYBODY, is_known) {
        (true, _) => format!("There is nobody whom you may address: the topology of the team is {topology}."),
        (false, true) => format!(
            "The message was not sent: by the topology of the team, {topology}, you may not address {to:?}. You may address: {allowed}."
        ),
        (false, false) => {
            format!("The message was not sent: nobody in the team is called {to:?}. You may address: {allowed}.")
        }
    }
}

/// Takes what waits for a seat: the oldest first, at most 20 messages and as many as fit an answer; with how many wait still. `key`
/// names the call: the same key is given the same messages again, and no other key ever those.
///
/// # Errors
/// [`Error::Conflict`] where the team is gone, or the database's.
pub async fn take(ctx: &Ctx, seat: &Seat, key: &str) -> Result<(Vec<Taken>, i64)> {
    ctx.authorize(Action::StartRun)?;
    let Seat { root, handle } = seat;
    let mut tx = ctx.db.begin().await?;
    lock(ctx, &mut tx, *root).await?;
    let mut messages = store::taken(&mut tx, *root, handle, key).await?;
    if messages.is_empty() {
        let waiting = store::waiting(&mut tx, *root, handle, MAX_TAKEN).await?;
        if let Some(last) = fitting(&waiting) {
            store::take(&mut tx, *root, handle, last, key, ctx.clock.now()).await?;
            messages = store::taken(&mut tx, *root, handle, key).await?;
        }
    }
    tx.commit().await?;
    if !messages.is_empty() {
        publish(ctx, *root);
    }
    let taken = messages.into_iter().map(|message| read(ctx, *root, handle, message)).collect();
    Ok((taken, store::count_waiting(&ctx.db, ctx.workspace(), *root, handle).await?))
}

/// The number of the last message that fits with those before it: the first always does.
fn fitting(waiting: &[(i64, i64)]) -> Option<i64> {
    let mut chars = 0;
    let fit = waiting.iter().take_while(|(_, length)| {
        let is_first = chars == 0;
        chars += length;
        is_first || chars <= MAX_TAKEN_CHARS
    });
    fit.last().map(|(number, _)| *number)
}

/// What a message says to a receiver, if it is as it was signed, and meant for them.
fn read(ctx: &Ctx, root: RunId, receiver: &str, message: Message) -> Taken {
    let number = message.number;
    let is_meant = names(&message.receivers).iter().any(|name| name == receiver);
    let kind = MessageKind::parse(&message.kind);
    match kind.filter(|_| is_meant && sign::is_genuine(&ctx.keys, ctx.workspace(), root, &message)) {
        Some(kind) => {
            let trust = if message.trust == Trust::Model.as_str() { Trust::Model } else { Trust::Web };
            let Message { sender: from, body, data, sent_at, .. } = message;
            Taken { number, said: Some(Said { from, kind, body, data, trust, sent_at }) }
        }
        None => {
            tracing::warn!(run = %root, number, receiver, "a message of agents was altered, and is refused");
            Taken { number, said: None }
        }
    }
}

/// Whether messages wait for a seat.
///
/// # Errors
/// The database's.
pub async fn has_waiting(ctx: &Ctx, seat: &Seat) -> Result<bool> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::count_waiting(&ctx.db, ctx.workspace(), seat.root, &seat.handle).await? > 0)
}

/// Whom a seat may address as the team stands.
///
/// # Errors
/// [`Error::Conflict`] where the team is gone.
pub async fn reach(ctx: &Ctx, seat: &Seat) -> Result<Vec<String>> {
    ctx.authorize(Action::ReadRun)?;
    let (team, _) = store::find(&ctx.db, ctx.workspace(), seat.root).await?.ok_or_else(gone)?;
    let roster = roster(&team, &store::list_seats(&ctx.db, seat.root).await?);
    Ok(team.reach(&roster, &seat.handle))
}

/// Changes who may address whom, as the supervisor wants it and the team allows.
///
/// # Errors
/// [`Error::Conflict`] in words for who asked: it is not the supervisor, or the rules of the team forbid it.
pub async fn set_topology(ctx: &Ctx, seat: &Seat, topology: Topology, pairs: Vec<TalkPair>) -> Result<Team> {
    ctx.authorize(Action::StartRun)?;
    let Seat { root, handle } = seat;
    let mut tx = ctx.db.begin().await?;
    let (team, ..) = lock(ctx, &mut tx, *root).await?;
    if team.supervisor != *handle {
        return Err(Error::Conflict("Only the supervisor of the team may change its topology.".to_owned()));
    }
    let changed = team.changed(topology, pairs).map_err(Error::Conflict)?;
    store::set_rule(&mut tx, *root, &changed, ctx.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(run = %root, by = %handle, topology = topology.as_str(), "the topology of a team was changed");
    publish(ctx, *root);
    Ok(changed)
}

async fn lock(ctx: &Ctx, tx: &mut crate::db::Tx, root: RunId) -> Result<(Team, i64, i64)> {
    store::lock(tx, ctx.workspace(), root).await?.ok_or_else(gone)
}

fn gone() -> Error {
    Error::Conflict("The team is gone: the run that it worked under is no longer kept.".to_owned())
}

/// Who can be addressed.
fn roster(team: &Team, seats: &[Sitting]) -> Vec<Member> {
    let seated: Vec<Member> = seats
        .iter()
        .map(|seat| Member { handle: seat.handle.clone(), name: seat.name.clone(), above: seat.above.clone() })
        .collect();
    team.roster(&seated)
}

/// Handles as they are stored.
fn names(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Tells whoever looks at a team that it differs.
fn publish(ctx: &Ctx, root: RunId) {
    ctx.events.publish(ctx.workspace(), Topic::Agents, "team_changed", json!({"run_id": root}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_whole_and_in_order_as_long_as_they_fit() {
        assert_eq!(fitting(&[]), None);
        assert_eq!(fitting(&[(4, 16_000)]), Some(4), "one always fits");
        assert_eq!(fitting(&[(1, 7_000), (2, 7_000), (3, 1)]), Some(2));
        assert_eq!(fitting(&[(1, 8_000), (2, 8_000), (3, 1)]), Some(1), "none is left out in between");
    }

    #[test]
    fn two_of_a_name_are_told_apart() {
        let sitting = |handle: &str| Sitting {
            handle: handle.into(),
            name: "coder".into(),
            above: None,
            run_id: RunId(uuid::Uuid::nil()),
            step: handle.into(),
        };
        let team = Team { members: vec!["coder".into(), "coder-2".into()], ..Team::default() };
        assert_eq!(fresh("coder", &team, &[]), "coder");
        assert_eq!(fresh("coder", &Team::default(), &[sitting("coder")]), "coder-2");
        assert_eq!(fresh("coder", &team, &[sitting("coder")]), "coder-3", "another agent has that name");
    }
}
