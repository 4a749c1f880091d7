//! `/ws/updates`: one socket a browser, topics with resume.
//!
//! A socket follows the bus of this process, which also carries what other processes of the database say. It never holds more than one message, and the ids of agents that changed in the last tenth of a second: a browser that reads slowly makes the
//! bus run over its place, and it is then told to take a snapshot. It is closed within a second after its sign-in was
//! revoked.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::authenticate::Credential;
use super::error::Refusal;
use super::gathered::Gathered;
use super::{Caller, guard};
use crate::auth::{self, Revoked};
use crate::memory;
use crate::model::live::{ClientMessage, ServerMessage, Topic, Update};
use crate::model::memory::Reach;
use crate::model::{ApiError, RunId};
use crate::runtime::Principal;
use crate::runtime::events::{BEHIND, Change};
use crate::workflow;

/// The close code after a sign-in was revoked.
const CLOSED_REVOKED: u16 = 4401;
/// Topics that one socket may follow.
const MAX_TOPICS: usize = 64;
/// Events of a run that are sent to a watcher who comes back.
const MOST_REPLAYED: u32 = 500;
/// The largest message of a browser.
const MAX_MESSAGE_BYTES: usize = 16 * 1024;
/// A browser that takes longer to read one message is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long changes of agents are gathered, so that many of them are one message.
const GATHER: Duration = Duration::from_millis(100);
/// The longest silence: then the server pings, and looks whether the sign-in still holds.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Opens the socket, for a page of ours only: browsers send cookies along with a stranger's upgrade too.
pub async fn connect(
    Caller(ctx): Caller,
    credential: Option<Extension<Credential>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let by_token = matches!(credential, Some(Extension(Credential::Bearer)));
    if !by_token && !guard::same_origin(&headers, &ctx.config) {
        return Refusal(ApiError::Forbidden { detail: "the socket opens for pages of this server only".to_owned() })
            .into_response();
    }
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| Box::pin(Session::new(ctx, socket).run()))
        .into_response()
}

struct Session {
    ctx: crate::runtime::Ctx,
    socket: WebSocket,
    topics: BTreeSet<Topic>,
    /// How far the watcher reaches into memory; `None` while they follow nothing of it.
    reach: Option<Reach>,
    gathered: Gathered,
    /// When what was gathered is told; `None` while that is nothing.
    due: Option<Instant>,
}

/// The socket is of no more use.
struct Gone;

impl Session {
    fn new(ctx: crate::runtime::Ctx, socket: WebSocket) -> Self {
        Self { ctx, socket, topics: BTreeSet::new(), reach: None, gathered: Gathered::default(), due: None }
    }

    async fn run(mut self) {
        metrics::gauge!("weft_sockets").increment(1.0);
        // Failing to send is how most sockets end; there is nobody left to tell.
        let _ = self.serve().await;
        metrics::gauge!("weft_sockets").decrement(1.0);
    }

    async fn serve(&mut self) -> Result<(), Gone> {
        let _watching = self.ctx.events.watch();
        let mut gaps = self.ctx.events.gaps();
        let mut changes = self.ctx.events.subscribe();
        let mut revocations = auth::revocations(self.ctx.runtime());
        let stopping = self.ctx.tasks.stopping().clone();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        loop {
            let due = self.due;
            // In this order: what was published before a message came is told before the message is answered.
            tokio::select! {
                biased;
                () = stopping.cancelled() => return self.close(1001, "the server is stopping").await,
                _ = heartbeat.tick() => {
                    self.check_credential().await?;
                    self.look_at_reach().await;
                    // What other processes said may have been missed.
                    if std::mem::replace(&mut gaps, self.ctx.events.gaps()) != gaps {
                        self.snapshot_all().await?;
                    }
                    self.send_frame(Message::Ping(Vec::new().into())).await?;
                }
                () = at(due) => self.tell_gathered().await?,
                revoked = revocations.recv() => match revoked {
                    Ok(revoked) if !self.is_me(revoked) => {}
                    _ => self.check_credential().await?,
                },
                change = changes.recv() => match change {
                    Ok(change) => self.tell(&change).await?,
                    Err(RecvError::Lagged(_)) => {
                        // That rules changed may be among what was missed.
                        self.look_at_reach().await;
                        self.snapshot_all().await?;
                    }
                    Err(RecvError::Closed) => return Err(Gone),
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(&text).await?,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    /// Whether a revocation is about whoever opened this socket.
    fn is_me(&self, revoked: Revoked) -> bool {
        match (&self.ctx.actor.principal, revoked) {
            (Principal::User { id, .. }, Revoked::User(gone)) => *id == gone,
            (Principal::User { session, .. }, Revoked::Session(gone)) => *session == gone,
            (Principal::Key { .. } | Principal::OnBehalf { .. } | Principal::System, _) => false,
        }
    }

    /// Closes the socket when its sign-in holds no more.
    async fn check_credential(&mut self) -> Result<(), Gone> {
        match auth::holds(self.ctx.runtime(), &self.ctx.actor).await {
            Ok(true) => Ok(()),
            Ok(false) => self.close(CLOSED_REVOKED, "the sign-in was ended").await,
            // The database is away for a moment: the next heartbeat asks again.
            Err(_) => Ok(()),
        }
    }

    /// Answers what the browser said.
    async fn hear(&mut self, text: &str) -> Result<(), Gone> {
        // serde would also read a list as the struct's fields in order.
        let read = if text.trim_start().starts_with('{') {
            serde_json::from_str::<ClientMessage>(text).map_err(|error| error.to_string())
        } else {
            Err("expected an object".to_owned())
        };
        let message = match read {
            Ok(message) => message,
            Err(error) => {
                return self.send(&ServerMessage::Error { error: format!("unreadable message: {error}") }).await;
            }
        };
        if let Some(pong) = message.ping {
            self.send(&ServerMessage::Pong { pong }).await?;
        }
        for topic in message.unsubscribe {
            self.topics.remove(&topic);
        }
        for topic in message.subscribe {
            if self.topics.len() >= MAX_TOPICS {
                return self.send(&ServerMessage::Error { error: format!("at most {MAX_TOPICS} topics") }).await;
            }
            let after = message.after.get(&topic).copied();
            self.follow(topic, after).await?;
        }
        Ok(())
    }

    /// Asks anew how far the watcher reaches into memory, if they follow any of it. While the database is away they reach as far as before.
    async fn look_at_reach(&mut self) {
        if self.reach.is_some()
            && let Ok(reach) = memory::reading(&self.ctx).await
        {
            self.reach = Some(reach);
        }
    }

    async fn follow(&mut self, topic: Topic, after: Option<i64>) -> Result<(), Gone> {
        if let Err(denied) = self.ctx.authorize(action(&topic)) {
            return self.send(&ServerMessage::Error { error: format!("{topic}: {denied}") }).await;
        }
        if matches!(topic, Topic::Memory(_)) && self.reach.is_none() {
            match memory::reading(&self.ctx).await {
                Ok(reach) => self.reach = Some(reach),
                Err(error) => {
                    let error = format!("{topic}: {}", ApiError::from(error).detail());
                    return self.send(&ServerMessage::Error { error }).await;
                }
            }
        }
        self.topics.insert(topic.clone());
        match (&topic, after) {
            (Topic::Run(id), Some(after)) => self.replay(*id, after).await,
            _ => self.snapshot(topic).await,
        }
    }

    /// Sends what a run's watcher missed after `after`; what also comes over the bus meanwhile is told twice, and known by
    /// its number. A watcher that missed more than [`MOST_REPLAYED`] reads the run anew.
    async fn replay(&mut self, id: RunId, after: i64) -> Result<(), Gone> {
        let missed = workflow::list_events(&self.ctx, id, after, MOST_REPLAYED + 1).await;
        match missed {
            Ok(events) if events.len() <= MOST_REPLAYED as usize => {
                for event in events {
                    let (seq, data) = (event.seq, serde_json::to_value(&event).unwrap_or_default());
                    let update = Update { topic: Topic::Run(id), seq, kind: "event".to_owned(), data };
                    self.send(&ServerMessage::Update(update)).await?;
                }
                Ok(())
            }
            Ok(_) => self.snapshot(Topic::Run(id)).await,
            Err(error) => {
                self.topics.remove(&Topic::Run(id));
                self.send(&ServerMessage::Error { error: format!("run:{id}: {error}") }).await
            }
        }
    }

    /// Tells that the watcher must read the topic anew.
    async fn snapshot(&mut self, topic: Topic) -> Result<(), Gone> {
        let seq = self.ctx.events.current();
        self.send(&ServerMessage::Snapshot { snapshot: topic, seq, data: Value::Null }).await
    }

    async fn snapshot_all(&mut self) -> Result<(), Gone> {
        for topic in self.topics.clone() {
            self.snapshot(topic).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, change: &Arc<Change>) -> Result<(), Gone> {
        if change.workspace != self.ctx.workspace() {
            return Ok(());
        }
        if change.update.kind == memory::ACCESS_CHANGED {
            self.look_at_reach().await;
            // What is there is another for some: everybody who follows memory reads it anew.
            let followed: Vec<Topic> = self.topics.iter().filter(|t| matches!(t, Topic::Memory(_))).cloned().collect();
            for topic in followed {
                self.snapshot(topic).await?;
            }
            return Ok(());
        }
        if change.update.kind == BEHIND && matches!(&change.update.topic, Topic::Memory(all) if all.is_empty()) {
            // Of what is told of all memory at once only its topic came: rules changed.
            self.look_at_reach().await;
        }
        let Some(update) = self.heard(&change.update) else { return Ok(()) };
        let followed: Vec<Topic> = self.topics.iter().filter(|t| covers(t, &update.topic)).cloned().collect();
        for topic in followed {
            if update.kind == BEHIND {
                self.snapshot(topic).await?;
                continue;
            }
            if self.gathered.take(&update) {
                let soon = if self.gathered.is_full() { Instant::now() } else { Instant::now() + GATHER };
                self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
                continue;
            }
            self.send(&ServerMessage::Update(Update { topic, ..update.as_ref().clone() })).await?;
        }
        Ok(())
    }

    /// What the watcher hears of a change: of memory only where they may read. An entry that was moved to where they may not is gone
    /// for them.
    fn heard<'a>(&self, update: &'a Update) -> Option<Cow<'a, Update>> {
        let Topic::Memory(namespace) = &update.topic else { return Some(Cow::Borrowed(update)) };
        let reach = self.reach.as_ref().filter(|reach| reach.may_read(namespace))?;
        let to = update.data.get("to").and_then(Value::as_str);
        if to.is_none_or(|to| reach.may_read(to)) {
            return Some(Cow::Borrowed(update));
        }
        let data = json!({"namespace": namespace, "key": update.data["key"]});
        Some(Cow::Owned(Update { kind: "entry_deleted".into(), data, ..update.clone() }))
    }

    /// Tells what was gathered.
    async fn tell_gathered(&mut self) -> Result<(), Gone> {
        self.due = None;
        match self.gathered.message() {
            // Whoever does not follow it any more is not told.
            Some(update) if self.topics.contains(&update.topic) => self.send(&ServerMessage::Update(update)).await,
            _ => Ok(()),
        }
    }

    async fn send(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        let text = serde_json::to_string(message).unwrap_or_else(|_| json!({"error": "unwritable"}).to_string());
        self.send_frame(Message::Text(text.into())).await
    }

    async fn send_frame(&mut self, frame: Message) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_TIMEOUT, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Gone> {
        self.send_frame(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
        Err(Gone)
    }
}

/// Waits until then; without a time, forever.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Whether a watcher of `followed` wants what happened at `at`.
fn covers(followed: &Topic, at: &Topic) -> bool {
    match (followed, at) {
        (Topic::Memory(subtree), Topic::Memory(namespace)) => {
            subtree.is_empty()
                || namespace.strip_prefix(subtree.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => followed == at,
    }
}

/// What one must be allowed to follow a topic.
const fn action(topic: &Topic) -> crate::model::auth::Action {
    use crate::model::auth::Action;
    match topic {
        Topic::Runs | Topic::Run(_) => Action::ReadRun,
        Topic::Memory(_) => Action::ReadMemory,
        Topic::Workflows | Topic::Triggers => Action::ReadWorkflow,
        Topic::Dashboard => Action::ViewDashboard,
        Topic::Approvals => Action::ReadRun,
        Topic::Agents => Action::ReadAgent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_followed_with_all_below_it_and_nothing_beside_it() {
        let topic = |path: &str| Topic::Memory(path.to_owned());
        assert!(covers(&topic("code"), &topic("code")));
        assert!(covers(&topic("code"), &topic("code/health")));
        assert!(covers(&topic(""), &topic("anything")));
        assert!(!covers(&topic("code"), &topic("codec")));
        assert!(!covers(&Topic::Runs, &topic("code")));
    }
}
