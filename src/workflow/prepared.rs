//! Definitions made ready to run: read, checked and compiled once, for every run of a published version.
//!
//! A version never changes, so what is remembered of one is never stale. Which version is the published one is asked anew by
//! whoever starts a run, or within the transaction that stores it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::engine::Engine;
use super::inputs::Schema;
use super::{Error, store};
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::{Definition, Graph};
use crate::model::{Timestamp, WorkflowId, WorkspaceId};
use crate::runtime::Ctx;

/// Versions that are remembered.
const MOST: usize = 256;
/// How long what was kept under its hash is known to be there: the collector leaves alone what was touched within a day.
const KEPT_MS: i64 = 60 * 60 * 1000;

/// A definition without errors.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The graph.
    pub(super) graph: Arc<Graph>,
    /// As JSON.
    pub(super) bytes: Arc<[u8]>,
    /// Of the bytes.
    pub(super) hash: Vec<u8>,
    schema: Schema,
}

impl Prepared {
    /// # Errors
    /// [`Error::Problems`].
    pub(super) fn of(engine: &Engine, definition: Definition) -> Result<Self, Error> {
        let problems = check(&definition);
        if has_errors(&problems) {
            return Err(Error::Problems(problems));
        }
        let bytes: Arc<[u8]> = serde_json::to_vec(&definition).expect("definitions are plain data").into();
        let hash = store::history::hash(&bytes);
        let schema = Schema::of(&definition.inputs);
        let graph = engine.graph(&hash, || Graph::new(definition));
        Ok(Self { graph, bytes, hash, schema })
    }

    pub(super) fn definition(&self) -> &Definition {
        self.graph.definition()
    }

    /// Fills in the defaults of absent inputs and checks the whole.
    pub(super) fn fit(&self, inputs: Value) -> Result<Value, Error> {
        self.schema.fit(inputs)
    }
}

/// What this process remembers.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    versions: Mutex<HashMap<(WorkspaceId, WorkflowId, i64), Arc<Prepared>>>,
    /// When definitions were last stored, by workspace and hash.
    kept: Mutex<HashMap<(WorkspaceId, Vec<u8>), Timestamp>>,
}

impl Shelf {
    fn find(&self, version: (WorkspaceId, WorkflowId, i64)) -> Option<Arc<Prepared>> {
        self.versions.lock().expect("no code panics while it holds this lock").get(&version).cloned()
    }

    fn add(&self, version: (WorkspaceId, WorkflowId, i64), prepared: &Arc<Prepared>) {
        let mut versions = self.versions.lock().expect("no code panics while it holds this lock");
        if versions.len() >= MOST {
            versions.clear();
        }
        versions.insert(version, Arc::clone(prepared));
    }

    /// Whether a definition is in the tables, and will be for long enough to start a run of it.
    pub(super) fn is_kept(&self, workspace: WorkspaceId, hash: &[u8], now: Timestamp) -> bool {
        let kept = self.kept.lock().expect("no code panics while it holds this lock");
        kept.get(&(workspace, hash.to_vec())).is_some_and(|at| now.ms_since(*at) < KEPT_MS && *at <= now)
    }

    /// Notes that a definition was stored, with a time before that.
    pub(super) fn note_kept(&self, workspace: WorkspaceId, hash: &[u8], at: Timestamp) {
        let mut kept = self.kept.lock().expect("no code panics while it holds this lock");
        if kept.len() >= 4 * MOST {
            kept.clear();
        }
        kept.insert((workspace, hash.to_vec()), at);
    }
}

/// A published version, made ready; `None` where the workspace has no such version.
///
/// # Errors
/// [`Error::Problems`] for a definition that the checker of this binary refuses.
pub(super) async fn find(ctx: &Ctx, workflow: WorkflowId, version: i64) -> Result<Option<Arc<Prepared>>, Error> {
    let engine = Engine::of(ctx.runtime());
    let key = (ctx.workspace(), workflow, version);
    if let Some(prepared) = engine.shelf.find(key) {
        return Ok(Some(prepared));
    }
    let found = store::run::find_version(&ctx.db, ctx.workspace(), workflow, Some(version)).await?;
    let Some((_, definition)) = found else { return Ok(None) };
    let prepared = Arc::new(Prepared::of(&engine, definition)?);
    engine.shelf.add(key, &prepared);
    Ok(Some(prepared))
}
