//! The owner of one run: a task that thinks, has it stored, and performs it, in this order, until the run rests.

mod leave;
mod load;
pub(super) mod mind;
mod perform;
mod place;
mod report;
pub(super) mod signals;
mod take;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(in crate::workflow) use load::fold;
use mind::Mind;
use perform::Flying;
pub(super) use take::Taken;

use super::{Engine, stray, writer};
use crate::model::workflow::{Event, RunStatus, RunSummary, State, StepError};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::Error;
use crate::workflow::flow::Marks;
use crate::workflow::machine::{self, Input};
use crate::workflow::steps::Outcome;
use crate::workflow::store::{Card, Change, Create, Verdict, ask::WaitChange};

/// How long attempts in flight may go on when the process stops.
const GRACE_MS: i64 = 5_000;

/// What reaches an owner.
#[derive(Debug)]
pub(in crate::workflow) enum Message {
    /// An attempt ended; `began` is the number of the event that began it.
    Done { step: String, attempt: u32, began: i64, result: Result<Outcome, StepError> },
    /// A person, or what acts for one, said so.
    Tell { input: Input, reply: oneshot::Sender<Result<RunSummary, Error>> },
    /// Signals were stored for the run.
    Signals,
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
    /// By path, so that all inside of a container are found together.
    attempts: BTreeMap<String, Flying>,
    signals: signals::Signals,
    /// The agenda was left before its end.
    more: bool,
    /// Whether the flush before gave the run back.
    given_back: bool,
    /// Whether flow control has a say.
    marks: Marks,
    /// What stands in the run's row, once this owner has written it.
    written: Option<Standing>,
    /// Held until it has said what is due: so many at once, the rest of those that are due stays in the table.
    turn: Option<OwnedSemaphorePermit>,
}

/// What of a run's row the indexes are about: status, beginning, when it is due.
type Standing = (RunStatus, Option<Timestamp>, Option<Timestamp>);

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
    let marks = Marks::of(state.graph(), &runtime.config);
    let mut owner = Owner {
        runtime: runtime.clone(),
        engine: Arc::clone(engine),
        workspace,
        card: create.card.clone(),
        token: 1,
        state,
        inbox,
        mailbox,
        attempts: BTreeMap::new(),
        signals: signals::Signals::default(),
        more: false,
        given_back: false,
        marks,
        written: None,
        turn: None,
    };
    let (done, begun) = oneshot::channel();
    stray::own(runtime, engine, (run, owner.token), async move {
        let mut events = Vec::new();
        owner.think(first, &mut events).expect("a new run has not begun");
        if !owner.state.is_started() {
            // A fork from before the beginning, which nothing holds up: the source waited in a queue, this one has none.
            let inputs = owner.state.given().clone();
            owner.think(Input::Start { inputs, until: None }, &mut events).expect("it has not begun");
        }
        let stored = owner.flush(events, Some(Box::new(create))).await;
        let outcome = stored.as_ref().ok().copied();
        // Whoever asked may have gone; the run goes on.
        let _ = done.send(stored);
        match outcome {
            Some(Verdict::Stored) => owner.own().await,
            Some(_) => owner.leave(),
            // It may be stored all the same.
            None => owner.let_go().await,
        }
    });
    match begun.await.map_err(|_| Error::Stopping)?? {
        Verdict::Stored => Ok(Begin::Begun),
        Verdict::Full => Err(Error::NoPlace),
        Verdict::Duplicate | Verdict::Fenced => Ok(Begin::Duplicate),
    }
}

impl Owner {
    /// Goes on until the run ends, rests for long, or the process stops.
    async fn own(mut self) {
        let stopping = self.runtime.tasks.stopping().clone();
        let mut grace: Option<Timestamp> = None;
        let mut inbox = Vec::new();
        loop {
            // Once it is given back, whoever looks first may have it: who commands it then finds the mailbox closed.
            let is_quiet = !self.more && self.inbox.is_empty() && !self.signals.is_unread();
            if self.given_back || (is_quiet && self.rests_for_long()) {
                break;
            }
            if stopping.is_cancelled() {
                let end = *grace.get_or_insert_with(|| self.runtime.clock.now().plus_ms(GRACE_MS));
                if self.attempts.is_empty() || self.runtime.clock.now() >= end {
                    break;
                }
            }
            if !self.more && !self.signals.is_unread() {
                if self.state.next_due().is_none_or(|due| due > self.runtime.clock.now()) {
                    self.turn = None;
                }
                self.listen(&mut inbox, grace, &stopping).await;
            }
            if let Err(error) = self.read_signals(&inbox).await {
                tracing::warn!(run = %self.state.id(), %error, "this process lets go of a run");
                break;
            }
            let mut events = Vec::new();
            let mut replies = Vec::new();
            self.hear(&mut inbox, &mut events, &mut replies);
            let silent = events.is_empty() && !self.signals.have_settled();
            let outcome = if silent { Ok(Verdict::Stored) } else { self.flush(events, None).await };
            let stored = matches!(outcome, Ok(Verdict::Stored));
            let full = matches!(outcome, Ok(Verdict::Full));
            for (reply, answer) in replies {
                let answer = match answer {
                    answer if stored => answer,
                    _ if full => Err(Error::NoPlace),
                    _ if outcome.is_err() => Err(crate::db::Error::Unavailable.into()),
                    _ => Err(Error::Elsewhere),
                };
                // Whoever asked may have gone.
                let _ = reply.send(answer.map(|()| self.summary()));
            }
            if !stored {
                tracing::warn!(run = %self.state.id(), ?outcome, "this process lets go of a run");
                break;
            }
            self.turn = None;
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
                Message::Done { step, attempt, began, result } => {
                    let is_awaited = self.attempts.get(&step).is_some_and(|flying| {
                        flying.began == began && mind::awaits(&self.state, &step, attempt, &flying.key)
                    });
                    let path = step.clone();
                    // A stale result is of an attempt that was stopped, or is about to be.
                    if is_awaited && self.think(Input::Done { step, attempt, result }, events).is_ok() {
                        self.attempts.remove(&path);
                    }
                }
                Message::Tell { input, reply } => {
                    let answer = self.think(input, events);
                    replies.push((reply, answer.map_err(Error::Refused)));
                }
                Message::Signals => {}
            }
        }
        self.mind().take_signals_in(events);
        self.mind().wake(events);
    }

    fn mind(&mut self) -> Mind<'_, Runtime> {
        Mind {
            state: &mut self.state,
            signals: &mut self.signals,
            more: &mut self.more,
            parent: self.card.parent.as_ref(),
            world: &self.runtime,
        }
    }

    fn think(&mut self, input: Input, events: &mut Vec<Event>) -> Result<(), machine::Refusal> {
        self.mind().think(input, events)
    }

    fn rests_for_long(&self) -> bool {
        mind::rests_for_long(&self.state, self.runtime.clock.now())
    }

    /// Has the events stored, then tells and performs them.
    async fn flush(&mut self, events: Vec<Event>, create: Option<Box<Create>>) -> Result<Verdict, crate::db::Error> {
        let stored_seq = events.first().map_or(self.state.last_seq(), |event| event.seq - 1);
        self.given_back = !self.more && self.inbox.is_empty() && !self.signals.is_unread() && self.rests_for_long();
        let (place, keys, leases) = (self.place(&events), self.keys(&events), self.leases(&events));
        let (handler, moved) = (self.handler(&events), self.note_move(&events));
        let calls = handler.is_some();
        let settling = self.signals.settle();
        let gives_up = !settling.unwanted.is_empty();
        let mut told: Vec<RunId> = settling.outgoing.iter().map(|signal| signal.run).collect();
        let is = |wanted: fn(&WaitChange) -> bool| settling.waits.iter().any(wanted);
        let asked = is(|wait| matches!(wait, WaitChange::Asked { .. } | WaitChange::Closed { .. }));
        if is(|wait| matches!(wait, WaitChange::Awaited { .. } | WaitChange::GaveBack { .. })) {
            // An event that came before may have reached this run in the very flush.
            told.push(self.state.id());
        }
        let (events, progress) = (Arc::<[Event]>::from(events), self.progress());
        let standing = (progress.status, progress.started_at, progress.wake_at);
        let change = Change {
            run: self.state.id(),
            workspace: self.workspace,
            token: self.token,
            stored_seq,
            create,
            events: Arc::clone(&events),
            steady: self.written == Some(standing)
                && !self.given_back
                && progress.ended_at.is_none()
                && settling.settled == 0,
            progress,
            taken_in: settling.taken_in,
            settled: settling.settled,
            outgoing: settling.outgoing,
            unwanted: settling.unwanted,
            waits: settling.waits,
            place,
            keys: keys.clone(),
            leases: leases.clone(),
            handler,
            moved,
        };
        let stored = writer::store(&self.engine.writer, change).await;
        self.given_back &= matches!(stored, Ok(Verdict::Stored));
        let verdict = stored?;
        if verdict == Verdict::Stored {
            let has_turned = self.written.replace(standing).is_none_or(|(status, ..)| status != standing.0);
            self.tell_waiting(place, &keys, &leases);
            self.engine.answers.tell(self.state.id(), self.state.graph(), &events);
            self.publish(&events);
            for event in events.iter() {
                self.perform(event);
            }
            self.tell(&told, asked);
            if asked || has_turned {
                self.tell_agents();
            }
            if calls {
                self.engine.failures.look();
            }
            if gives_up {
                self.engine.unwanted.look();
            }
        }
        Ok(verdict)
    }
}
