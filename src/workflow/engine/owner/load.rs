//! A run's state from the tables.

use super::Engine;
use crate::db;
use crate::model::workflow::{Graph, State};
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::{Error, store};

/// The state of a run, folded from its whole history.
pub(super) async fn load(
    runtime: &Runtime,
    engine: &Engine,
    workspace: WorkspaceId,
    run: RunId,
    definition_hash: &[u8],
    last_seq: i64,
) -> Result<State, Error> {
    let graph = match engine.find_graph(definition_hash) {
        Some(graph) => graph,
        None => {
            let definition = store::history::definition(&runtime.db, workspace, definition_hash).await?;
            engine.graph(definition_hash, || Graph::new(definition))
        }
    };
    let mut state = State::on(run, graph);
    fold(runtime, workspace, &mut state).await?;
    if state.last_seq() != last_seq {
        let found = format!("the history ends at event {} and not at {last_seq}", state.last_seq());
        return Err(db::Error::inconsistent("run_event", "seq", found).into());
    }
    Ok(state)
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
            if event.seq != state.last_seq() + 1 {
                let missing = format!("event {} is missing", state.last_seq() + 1);
                return Err(db::Error::inconsistent("run_event", "seq", missing).into());
            }
            state.apply(event);
        }
        if events.len() < PAGE as usize {
            return Ok(());
        }
    }
}
