//! A run's state from the tables.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Engine;
use crate::db;
use crate::model::workflow::{Event, Graph, State};
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::store::history::Told;
use crate::workflow::store::lease::Claim;
use crate::workflow::{Error, store};

/// The state of a run, folded from its whole history.
pub(super) async fn load(runtime: &Runtime, engine: &Engine, claim: &Claim) -> Result<State, Error> {
    let graph = graph(runtime, engine, claim).await?;
    let mut state = State::on(claim.run, graph);
    fold(runtime, claim.workspace, &mut state).await?;
    check_end(&state, claim.last_seq)?;
    Ok(state)
}

/// A run that was loaded with others.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) state: State,
    /// Whether something waits to be taken in.
    pub(super) is_signalled: bool,
}

/// The states of several runs with short histories, in the order of their claims: one query for all of them.
///
/// The runs are in hand, so that whoever stores a signal after this has told their mailboxes.
pub(super) async fn load_some(runtime: &Runtime, engine: &Engine, claims: &[Claim]) -> Result<Vec<Loaded>, Error> {
    let runs: Vec<(WorkspaceId, RunId)> = claims.iter().map(|claim| (claim.workspace, claim.run)).collect();
    let told = store::history::list_some(&runtime.db, &runs).await?;
    let mut told: HashMap<RunId, Told> = told.into_iter().map(|told| (told.run, told)).collect();
    let mut loaded = Vec::with_capacity(claims.len());
    for claim in claims {
        let mut state = State::on(claim.run, graph(runtime, engine, claim).await?);
        let told = told.remove(&claim.run);
        let is_signalled = told.as_ref().is_none_or(|told| told.signals > 0);
        for event in told.into_iter().flat_map(|told| told.events) {
            apply(&mut state, &event)?;
        }
        check_end(&state, claim.last_seq)?;
        loaded.push(Loaded { state, is_signalled });
    }
    Ok(loaded)
}

async fn graph(runtime: &Runtime, engine: &Engine, claim: &Claim) -> Result<Arc<Graph>, Error> {
    let hash = &claim.definition_hash;
    if let Some(graph) = engine.find_graph(hash) {
        return Ok(graph);
    }
    let definition = store::history::definition(&runtime.db, claim.workspace, hash).await?;
    Ok(engine.graph(hash, || Graph::new(definition)))
}

fn check_end(state: &State, last_seq: i64) -> Result<(), Error> {
    if state.last_seq() == last_seq {
        return Ok(());
    }
    let found = format!("the history ends at event {} and not at {last_seq}", state.last_seq());
    Err(db::Error::inconsistent("run_event", "seq", found).into())
}

fn apply(state: &mut State, event: &Event) -> Result<(), Error> {
    if event.seq != state.last_seq() + 1 {
        let missing = format!("event {} is missing", state.last_seq() + 1);
        return Err(db::Error::inconsistent("run_event", "seq", missing).into());
    }
    // A history that no program has written must not take down whoever reads it, and all other runs along: it is damage.
    let folded = catch_unwind(AssertUnwindSafe(|| state.apply(event)));
    let damage = || db::Error::inconsistent("run_event", "data", format!("event {} can't be folded", event.seq));
    folded.map_err(|_| damage().into())
}

/// Folds what of the history the state has not seen.
pub(in crate::workflow) async fn fold(
    runtime: &Runtime,
    workspace: WorkspaceId,
    state: &mut State,
) -> Result<(), Error> {
    const PAGE: u32 = 1000;
    loop {
        let events = store::history::list(&runtime.db, workspace, state.id(), state.last_seq(), PAGE).await?;
        for event in &events {
            apply(state, event)?;
        }
        if events.len() < PAGE as usize {
            return Ok(());
        }
    }
}
