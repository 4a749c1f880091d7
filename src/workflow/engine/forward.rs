//! Commands to runs that another process of the database has in hand: stored for it, obeyed there, answered here.
//!
//! The answer is the one that the owner gives, refusals included. A command that its owner does not take in time, or that
//! changes hands before, is withdrawn, so that it is obeyed once at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::Engine;
use super::hints::Hint;
use crate::db;
use crate::model::workflow::{Command, GivenOutput, Migrated, RunSummary, Signal};
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::Error;
use crate::workflow::machine::{Input, Refusal};
use crate::workflow::store::command::{self, Taken};

/// How often whoever asked looks for the answer, behind the hint that it is there.
const LOOK: Duration = Duration::from_millis(250);
/// How long an answer is waited for beyond the deadline once the owner has taken the command.
const GRACE: Duration = Duration::from_secs(5);

/// A command on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Body {
    Command { command: Command, by: Option<String> },
    Signal { step: Option<String>, attempt: u32, signal: Signal },
    Migrate { migrated: Box<Migrated> },
    Give { gift: Box<GivenOutput> },
}

impl Body {
    fn of(input: &Input) -> Option<Self> {
        Some(match input.clone() {
            Input::Command { command, by } => Self::Command { command, by },
            Input::Signal { step, attempt, signal } => Self::Signal { step, attempt, signal },
            Input::Migrate(migrated) => Self::Migrate { migrated },
            Input::Give(gift) => Self::Give { gift },
            Input::Start { .. } | Input::Fork(_) | Input::Done { .. } | Input::Wake | Input::TakeOver => return None,
        })
    }

    fn into_input(self) -> Input {
        match self {
            Self::Command { command, by } => Input::Command { command, by },
            Self::Signal { step, attempt, signal } => Input::Signal { step, attempt, signal },
            Self::Migrate { migrated } => Input::Migrate(migrated),
            Self::Give { gift } => Input::Give(gift),
        }
    }
}

/// What the owner says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Box<RunSummary>),
    Refused(Refusal),
    NoPlace,
    /// It is not the owner any more: nothing has happened.
    Again,
    Busy,
    Stopping,
    /// It could not be stored, as far as is known.
    Failed,
}

/// Those who wait for answers.
#[derive(Debug, Default)]
pub(super) struct Desk(Mutex<HashMap<Uuid, Arc<Notify>>>);

impl Desk {
    /// The answer to a command is there.
    pub(super) fn answered(&self, command: Uuid) {
        if let Some(asker) = self.0.lock().expect("no code panics while it holds this lock").get(&command) {
            asker.notify_one();
        }
    }

    fn enter(&self, command: Uuid) -> Arc<Notify> {
        let asker = Arc::new(Notify::new());
        self.0.lock().expect("no code panics while it holds this lock").insert(command, Arc::clone(&asker));
        asker
    }

    fn leave(&self, command: Uuid) {
        self.0.lock().expect("no code panics while it holds this lock").remove(&command);
    }
}

/// Has the owner of a run obey; `None` when nobody has it in hand, or it changed hands: then nothing has happened.
///
/// # Errors
/// What the owner answers; [`Error::Elsewhere`] when it does not by `until`.
pub(super) async fn ask(
    runtime: &Runtime,
    engine: &Engine,
    workspace: WorkspaceId,
    run: RunId,
    input: &Input,
    until: Instant,
) -> Result<Option<RunSummary>, Error> {
    let Some(body) = Body::of(input) else { return Err(Error::Elsewhere) };
    let body = serde_json::to_string(&body).expect("commands are plain data");
    let id: Uuid = runtime.ids.fresh();
    let answered = engine.asked.enter(id);
    let answer = match command::insert(&runtime.db, id, workspace, run, &body, runtime.clock.now()).await {
        Ok(Some(owner)) => {
            engine.hints.add(Hint::Command(owner));
            wait(runtime, id, &answered, until).await
        }
        Ok(None) => Ok(Answer::Again),
        Err(error) => Err(error.into()),
    };
    engine.asked.leave(id);
    match answer? {
        Answer::Done(summary) => Ok(Some(*summary)),
        Answer::Refused(refusal) => Err(refusal.into()),
        Answer::NoPlace => Err(Error::NoPlace),
        Answer::Again => Ok(None),
        Answer::Busy => Err(Error::Busy),
        Answer::Stopping => Err(Error::Stopping),
        Answer::Failed => Err(db::Error::Unavailable.into()),
    }
}

async fn wait(runtime: &Runtime, id: Uuid, answered: &Notify, until: Instant) -> Result<Answer, Error> {
    loop {
        let standing = command::find(&runtime.db, id).await?.ok_or(Error::NotFound("run"))?;
        if let Some(answer) = standing.answer {
            command::delete(&runtime.db, id).await?;
            return Ok(serde_json::from_str(&answer).map_err(|e| db::Error::inconsistent("run_command", "answer", e))?);
        }
        let late = Instant::now() >= until;
        if (late || !standing.is_theirs) && command::withdraw(&runtime.db, id).await? {
            return if late { Err(Error::Elsewhere) } else { Ok(Answer::Again) };
        }
        if Instant::now() >= until + GRACE {
            return Err(Error::Elsewhere); // its owner died over it, or after it
        }
        let _ = tokio::time::timeout(LOOK, answered.notified()).await;
    }
}

/// Obeys what others have stored for this process.
pub(super) async fn serve(runtime: Runtime, engine: Arc<Engine>) {
    match command::take(&runtime.db, engine.id, runtime.clock.now()).await {
        Ok(taken) => {
            for command in taken {
                runtime.tasks.spawn("engine command", obey(runtime.clone(), Arc::clone(&engine), command));
            }
        }
        Err(error) => tracing::warn!(%error, "commands can't be looked for; it is tried again"),
    }
}

async fn obey(runtime: Runtime, engine: Arc<Engine>, taken: Taken) {
    let Taken { id, run_id, workspace_id, body } = taken;
    let answer = match serde_json::from_str::<Body>(&body) {
        Ok(body) => match engine.tell_here(&runtime, workspace_id, run_id, &body.into_input()).await {
            Ok(summary) => Answer::Done(Box::new(summary)),
            Err(Error::Refused(refusal)) => Answer::Refused(refusal),
            Err(Error::NoPlace) => Answer::NoPlace,
            Err(Error::Elsewhere) => Answer::Again,
            Err(Error::Busy) => Answer::Busy,
            Err(Error::Stopping) => Answer::Stopping,
            Err(error) => {
                tracing::warn!(run = %run_id, %error, "a command from another process failed");
                Answer::Failed
            }
        },
        // Of a newer version, which finds another way.
        Err(_) => Answer::Failed,
    };
    let answer = serde_json::to_string(&answer).expect("answers are plain data");
    if let Err(error) = command::answer(&runtime.db, id, &answer).await {
        tracing::warn!(run = %run_id, %error, "an answer to another process was not stored");
    }
    engine.hints.add(Hint::Answer(id));
}
