//! The owner of one run: a task that thinks, has it stored, and performs it, in this order, until the run rests.

mod load;
mod report;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(in crate::workflow) use load::fold;
use load::load;

use super::{Engine, attempt, writer};
use crate::model::workflow::{Command, Event, RunStatus, RunSummary, State, StepError, StepStatus};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::Error;
use crate::workflow::machine::{self, Effect, Input, Moment};
use crate::workflow::steps::Outcome;
use crate::workflow::store::{self, Card, Change, Create, Verdict, lease::Claim};

/// Events of one flush: thoughts beyond that are stored before the next, which bounds memory and lets watchers see.
const FLUSH: usize = 1000;
/// A wait shorter than this stays in memory; for a longer one the run is given back.
const SHORT_WAIT_MS: i64 = 5_000;
/// How long attempts in flight may go on when the process stops.
const GRACE_MS: i64 = 5_000;
/// How long to wait before trying again to give a run back: until then nobody else would take it.
const RELEASE_RETRY_MS: i64 = 1_000;

/// What reaches an owner.
#[derive(Debug)]
pub(in crate::workflow) enum Message {
    /// An attempt ended.
    Done { step: String, attempt: u32, result: Result<Outcome, StepError> },
    /// A person said so.
    Command { command: Command, by: Option<String>, reply: oneshot::Sender<Result<RunSummary, Error>> },
}

/// A run that is to begin.
#[derive(Debug)]
pub(in crate::workflow) struct New {
    pub run: RunId,
    pub workspace: WorkspaceId,
    pub create: Create,
    /// Nothing has happened to it, or what was copied from another run.
    pub state: State,
    /// What sets it in motion.
    pub first: Input,
}

/// What came of a beginning.
#[derive(Debug)]
pub(in crate::workflow) enum Begin {
    /// It runs.
    Begun,
    /// The idempotency key was used before.
    Duplicate,
}

/// The owner of one run.
pub(in crate::workflow) struct Owner {
    runtime: Runtime,
    engine: Arc<Engine>,
    workspace: WorkspaceId,
    card: Card,
    token: i64,
    state: State,
    inbox: mpsc::Receiver<Message>,
    /// For the attempts, which answer here.
    mailbox: mpsc::Sender<Message>,
    attempts: HashMap<String, CancellationToken>,
    /// The agenda was left before its end.
    more: bool,
    /// Whether the flush before gave the run back.
    given_back: bool,
}

/// Who gave a command, and what came of it.
type Reply = (oneshot::Sender<Result<RunSummary, Error>>, Result<(), Error>);

/// Begins a run: decides its first events, has them stored with its row, then goes on in a task.
pub(super) async fn begin(
    runtime: &Runtime,
    engine: &Arc<Engine>,
    new: New,
    inbox: mpsc::Receiver<Message>,
) -> Result<Begin, Error> {
    let New { run, workspace, create, state, first } = new;
    let state = state.without_old_inputs();
    let Some(mailbox) = engine.sender(run) else {
        return Err(Error::Stopping);
    };
    let mut owner = Owner {
        runtime: runtime.clone(),
        engine: Arc::clone(engine),
        workspace,
        card: create.card.clone(),
        token: 1,
        state,
        inbox,
        mailbox,
        attempts: HashMap::new(),
        more: false,
        given_back: false,
    };
    let (done, begun) = oneshot::channel();
    runtime.tasks.spawn("run", async move {
        let mut events = Vec::new();
        owner.think(first, &mut events).expect("a new run has not begun");
        let stored = owner.flush(events, Some(Box::new(create))).await;
        let goes_on = matches!(stored, Ok(Verdict::Stored));
        // Whoever asked may have gone; the run goes on.
        let _ = done.send(stored);
        if goes_on {
            owner.own().await;
        } else {
            owner.leave();
        }
    });
    match begun.await.map_err(|_| Error::Stopping)?? {
        Verdict::Stored => Ok(Begin::Begun),
        Verdict::Duplicate | Verdict::Fenced => Ok(Begin::Duplicate),
    }
}

impl Owner {
    /// Takes a claimed run in hand: folds its history and goes on in a task.
    pub(in crate::workflow) async fn take(
        runtime: &Runtime,
        engine: &Arc<Engine>,
        claim: Claim,
        inbox: mpsc::Receiver<Message>,
    ) -> Result<(), Error> {
        let Claim { run, workspace, card, definition_hash, token } = claim;
        let loaded = load(runtime, engine, workspace, run, &definition_hash).await;
        let (state, mailbox) = match (loaded, engine.sender(run)) {
            (Ok(state), Some(mailbox)) => (state.without_old_inputs(), mailbox),
            (loaded, _) => {
                engine.strike(run);
                return loaded.map(drop);
            }
        };
        let owner = Self {
            runtime: runtime.clone(),
            engine: Arc::clone(engine),
            workspace,
            card,
            token,
            state,
            inbox,
            mailbox,
            attempts: HashMap::new(),
            more: false,
            given_back: false,
        };
        runtime.tasks.spawn("run", owner.take_over());
        Ok(())
    }

    async fn take_over(mut self) {
        let mut events = Vec::new();
        let in_flight: Vec<String> =
            self.state.in_flight().map(|step| self.state.graph().step(step).id.clone()).collect();
        self.think(Input::TakeOver, &mut events).expect("a take-over is never refused");
        if !events.is_empty() && !matches!(self.flush(events, None).await, Ok(Verdict::Stored)) {
            return self.leave();
        }
        for step in in_flight {
            if let Some(attempt) = self.state.find_step(&step).map(|step| step.attempt) {
                self.execute(&step, attempt);
            }
        }
        self.own().await;
    }

    /// Goes on until the run ends, rests for long, or the process stops.
    async fn own(mut self) {
        let stopping = self.runtime.tasks.stopping().clone();
        let mut grace: Option<Timestamp> = None;
        let mut inbox = Vec::new();
        loop {
            if !self.more && self.inbox.is_empty() && self.rests_for_long() {
                break;
            }
            if stopping.is_cancelled() {
                let end = *grace.get_or_insert_with(|| self.runtime.clock.now().plus_ms(GRACE_MS));
                if self.attempts.is_empty() || self.runtime.clock.now() >= end {
                    break;
                }
            }
            if !self.more {
                self.listen(&mut inbox, grace, &stopping).await;
            }
            let mut events = Vec::new();
            let mut replies = Vec::new();
            self.hear(&mut inbox, &mut events, &mut replies);
            let outcome = if events.is_empty() { Ok(Verdict::Stored) } else { self.flush(events, None).await };
            let stored = matches!(outcome, Ok(Verdict::Stored));
            for (reply, answer) in replies {
                let answer = if stored { answer } else { Err(Error::Elsewhere) };
                // Whoever asked may have gone.
                let _ = reply.send(answer.map(|()| self.summary()));
            }
            if !stored {
                tracing::warn!(run = %self.state.id(), ?outcome, "this process lets go of a run");
                break;
            }
        }
        self.let_go().await;
    }

    async fn listen(&mut self, inbox: &mut Vec<Message>, grace: Option<Timestamp>, stopping: &CancellationToken) {
        let clock = &self.runtime.clock;
        let due = async {
            match self.state.next_due().into_iter().chain(grace).min() {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.inbox.recv_many(inbox, 256) => {}
            () = due => {}
            () = stopping.cancelled(), if grace.is_none() => {}
        }
    }

    /// Decides everything that has come together.
    fn hear(&mut self, inbox: &mut Vec<Message>, events: &mut Vec<Event>, replies: &mut Vec<Reply>) {
        for message in inbox.drain(..) {
            match message {
                Message::Done { step, attempt, result } => {
                    let current = self.state.find_step(&step);
                    if current.is_some_and(|step| step.attempt == attempt && step.status == StepStatus::Running) {
                        self.attempts.remove(&step);
                    }
                    // A stale result is of an attempt that was stopped.
                    let _ = self.think(Input::Done { step, attempt, result }, events);
                }
                Message::Command { command, by, reply } => {
                    let answer = self.think(Input::Command { command, by }, events);
                    replies.push((reply, answer.map_err(Error::Refused)));
                }
            }
        }
        // What is due, and what was left of the agenda.
        let _ = self.think(Input::Wake, events);
    }

    fn think(&mut self, input: Input, events: &mut Vec<Event>) -> Result<(), machine::Refusal> {
        let moment = Moment { now: self.runtime.clock.now(), fraction: self.runtime.ids.fraction() };
        let (new, more) = machine::advance(&mut self.state, input, &moment, FLUSH)?;
        self.more = more;
        events.extend(new);
        Ok(())
    }

    fn rests_for_long(&self) -> bool {
        let soon = self.runtime.clock.now().plus_ms(SHORT_WAIT_MS);
        self.state.is_at_rest() && self.state.next_due().is_none_or(|due| due > soon)
    }

    /// Has the events stored, then tells and performs them.
    async fn flush(&mut self, events: Vec<Event>, create: Option<Box<Create>>) -> Result<Verdict, crate::db::Error> {
        let stored_seq = events.first().map_or(self.state.last_seq(), |event| event.seq - 1);
        self.given_back = !self.more && self.inbox.is_empty() && self.rests_for_long();
        let change = Change {
            run: self.state.id(),
            workspace: self.workspace,
            token: self.token,
            stored_seq,
            create,
            events: events.clone(),
            progress: self.progress(),
        };
        let verdict = writer::store(&self.engine.writer, change).await?;
        if verdict == Verdict::Stored {
            self.publish(&events);
            for event in &events {
                self.perform(event);
            }
        }
        Ok(verdict)
    }

    fn perform(&mut self, event: &Event) {
        match machine::effect(event) {
            Some(Effect::Execute { step, attempt }) => self.execute(&step, attempt),
            Some(Effect::Stop { step }) => {
                if let Some(cancel) = self.attempts.remove(&step) {
                    cancel.cancel();
                }
            }
            Some(Effect::End) => {
                for (_, cancel) in self.attempts.drain() {
                    cancel.cancel();
                }
                // Nobody may be waiting.
                let _ = self.engine.ended.send(self.state.id());
            }
            None => {}
        }
    }

    /// Starts an attempt, unless it has ended since, or the process stops and the next one will begin it.
    fn execute(&mut self, id: &str, attempt: u32) {
        let Some(number) = self.state.graph().find(id) else {
            return;
        };
        let step = self.state.step_at(number);
        let stopping = self.runtime.tasks.stopping().is_cancelled();
        if step.status != StepStatus::Running || step.attempt != attempt || self.state.is_ended() || stopping {
            return;
        }
        let definition = self.state.graph().step(number);
        let default_ms = self.state.graph().kind(number).map_or(0, |kind| kind.default_timeout_ms);
        let cancel = CancellationToken::new();
        self.attempts.insert(id.to_owned(), cancel.clone());
        let order = attempt::Order {
            workspace: self.workspace,
            run: self.state.id(),
            workflow_name: self.card.workflow_name.clone(),
            step: id.to_owned(),
            kind: definition.kind.clone(),
            attempt,
            config: step.input.clone(),
            timeout_ms: definition.timeout_ms.unwrap_or(default_ms),
            cancel,
        };
        let work = attempt::perform(self.runtime.clone(), Arc::clone(&self.engine), order, self.mailbox.clone());
        self.runtime.tasks.spawn("step", work);
    }

    /// Gives the run back: to the table until it is due, to whoever wants to command it, to the next process.
    async fn let_go(mut self) {
        for (_, cancel) in self.attempts.drain() {
            cancel.cancel();
        }
        while !self.given_back
            && let Err(error) = store::lease::release(&self.runtime.db, self.state.id(), self.token).await
        {
            tracing::warn!(run = %self.state.id(), %error, "a run could not be given back");
            if self.runtime.tasks.stopping().is_cancelled() {
                break; // the next process takes it over
            }
            self.runtime.clock.sleep_until(self.runtime.clock.now().plus_ms(RELEASE_RETRY_MS)).await;
        }
        let due = self.state.next_due().filter(|_| self.state.status() == RunStatus::Waiting);
        let engine = Arc::clone(&self.engine);
        self.leave();
        if let Some(due) = due {
            engine.timer.set(due);
        }
    }

    /// Those who still wait in the mailbox find it closed and look again.
    fn leave(self) {
        self.engine.strike(self.state.id());
    }
}
