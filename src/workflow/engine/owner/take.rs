//! How an owner takes a run in hand that was just claimed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::load::{Loaded, load, load_some};
use super::{Message, Owner, signals};
use crate::model::workflow::State;
use crate::runtime::Runtime;
use crate::runtime::tasks::contained;
use crate::workflow::Error;
use crate::workflow::engine::{Engine, stray};
use crate::workflow::flow::Marks;
use crate::workflow::machine::Input;
use crate::workflow::store::{Verdict, lease::Claim};

/// What the log calls it.
const READING: &str = "a run's history";

/// A run that was claimed with others, and whose mailbox is there.
#[derive(Debug)]
pub(in crate::workflow::engine) struct Taken {
    pub(in crate::workflow::engine) claim: Claim,
    pub(in crate::workflow::engine) inbox: mpsc::Receiver<Message>,
    /// See [`Owner::turn`].
    pub(in crate::workflow::engine) turn: Option<OwnedSemaphorePermit>,
}

impl Owner {
    /// Takes a claimed run in hand: folds its history and goes on in a task. A panic over its history is its own, and costs
    /// neither whoever takes it nor the others that are taken along.
    pub(in crate::workflow) async fn take(
        runtime: &Runtime,
        engine: &Arc<Engine>,
        claim: Claim,
        inbox: mpsc::Receiver<Message>,
    ) -> Result<(), Error> {
        Self::take_one(runtime, engine, Taken { claim, inbox, turn: None }).await
    }

    async fn take_one(runtime: &Runtime, engine: &Arc<Engine>, taken: Taken) -> Result<(), Error> {
        let loaded = contained(READING, load(runtime, engine, &taken.claim)).await;
        match loaded.unwrap_or_else(|| Err(stray::broken(runtime, taken.claim.run))) {
            Ok(state) => Self::go_on(runtime, engine, taken, Loaded { state, is_signalled: true }),
            Err(error) => {
                engine.strike(taken.claim.run);
                engine.hand_back(runtime, taken.claim.run, taken.claim.token, &error);
                Err(error)
            }
        }
    }

    /// Takes runs with short histories in hand. Those that can't be are given back, each by itself.
    pub(in crate::workflow::engine) async fn take_some(runtime: &Runtime, engine: &Arc<Engine>, taken: Vec<Taken>) {
        let (claims, rest): (Vec<Claim>, Vec<_>) =
            taken.into_iter().map(|taken| (taken.claim, (taken.inbox, taken.turn))).unzip();
        let loaded = match claims.len() {
            1 => None,
            // Which of them it was is found by asking for each.
            _ => contained(READING, load_some(runtime, engine, &claims)).await.and_then(Result::ok),
        };
        let taken = claims.into_iter().zip(rest).map(|(claim, (inbox, turn))| Taken { claim, inbox, turn });
        match loaded {
            Some(loaded) => {
                for (taken, loaded) in taken.zip(loaded) {
                    // What can't be is handed back and said in the log.
                    let _ = Self::go_on(runtime, engine, taken, loaded);
                }
            }
            None => {
                for taken in taken {
                    let _ = Self::take_one(runtime, engine, taken).await;
                }
            }
        }
    }

    fn go_on(runtime: &Runtime, engine: &Arc<Engine>, taken: Taken, loaded: Loaded) -> Result<(), Error> {
        let Taken { claim, inbox, turn } = taken;
        let Claim { run, workspace, card, token, admitted, .. } = claim;
        let Some(mailbox) = engine.sender(run) else {
            engine.hand_back(runtime, run, token, &Error::Stopping);
            return Err(Error::Stopping);
        };
        let state: State = loaded.state.without_old_inputs();
        let marks = Marks::of(state.graph(), &runtime.config);
        let owner = Self {
            runtime: runtime.clone(),
            engine: Arc::clone(engine),
            workspace,
            card,
            token,
            state,
            inbox,
            mailbox,
            attempts: BTreeMap::new(),
            signals: if loaded.is_signalled { signals::Signals::unread() } else { signals::Signals::default() },
            more: false,
            given_back: false,
            marks,
            written: None,
            turn,
        };
        stray::own(runtime, engine, (run, token), owner.take_over(admitted));
        Ok(())
    }

    /// Goes on with a run; with one that was let in and has not begun, it begins.
    async fn take_over(mut self, admitted: bool) {
        let mut events = Vec::new();
        if admitted && !self.state.is_started() && !self.state.is_ended() {
            let until = self.state.until().map(|step| self.state.steps()[step as usize].id.clone());
            let inputs = self.state.given().clone();
            self.think(Input::Start { inputs, until }, &mut events).expect("it has not begun");
            return match self.flush(events, None).await {
                Ok(Verdict::Stored) => self.own().await,
                _ => self.let_go().await,
            };
        }
        let in_flight: Vec<(String, u32)> = self.list_in_flight();
        self.think(Input::TakeOver, &mut events).expect("a take-over is never refused");
        if !events.is_empty() && !matches!(self.flush(events, None).await, Ok(Verdict::Stored)) {
            return self.let_go().await;
        }
        for (step, attempt) in in_flight {
            self.execute(&step, attempt, self.state.last_seq(), false);
            self.pull(&step, self.state.last_seq());
        }
        self.own().await;
    }
}
