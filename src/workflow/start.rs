//! Starting runs: what a run is of, whether its inputs fit, and its first events, durable with its row.

use std::sync::Arc;

use super::engine::{Begin, Engine, New};
use super::flow::Marks;
use super::machine::Input;
use super::prepared::{self, Prepared};
use super::runs::{NewRun, Source};
use super::{Error, store};
use crate::model::auth::Action;
use crate::model::workflow::flow::Limits;
use crate::model::workflow::{State, Step};
use crate::model::{RunId, UserId, WorkflowId};
use crate::runtime::Ctx;

/// What a run is of: a stored workflow and its version, none for the draft.
type Of = (Option<WorkflowId>, Option<i64>);

/// Starts a run. Returns once it is durable; it goes on by itself.
///
/// # Errors
/// [`Error::Problems`] for a definition that the checker refuses, [`Error::Invalid`] for inputs that don't fit, with
/// pointers such as `/inputs/path`, [`Error::NotPublished`], [`Error::KeyReused`], [`Error::Busy`]; [`Error::Conflict`]
/// where the run's key is full and the workflow refuses runs then, [`Error::QueueFull`].
pub async fn start(ctx: &Ctx, new: NewRun) -> Result<RunId, Error> {
    ctx.authorize(Action::StartRun)?;
    check_key(new.idempotency_key.as_deref())?;
    let request_hash = new.idempotency_key.as_ref().map(|_| request_hash(&new));
    let key = new.idempotency_key.clone();
    if let Some(found) = find_repeat(ctx, key.as_deref(), request_hash.as_deref()).await? {
        return Ok(found);
    }
    let (of, prepared, drafted_by) = load(ctx, &new.source).await?;
    let run: RunId = ctx.ids.fresh();
    let engine = Engine::of(ctx.runtime());
    // Who waits for it has a place: one more would leave runs that wait for each other.
    let is_waited_for = new.origin.as_ref().is_some_and(|origin| origin.parent.waits);
    let (begun, limits) = lay_out(ctx, run, of, &prepared, new)?;
    let create = store::Create { request_hash: request_hash.clone(), drafted_by, ..begun.create };
    let begun = New { create, ..begun };
    let marks = Marks::of(&prepared.graph, &ctx.config);
    let is_let_in =
        marks.own || (!is_waited_for && (marks.place || engine.is_limited(ctx.runtime(), ctx.workspace()).await?));
    let begun = if is_let_in {
        engine.accept(ctx.runtime(), begun, limits).await?
    } else {
        engine.begin(ctx.runtime(), begun).await?
    };
    match begun {
        Begin::Begun => Ok(run),
        // Somebody with the same key was faster by a moment.
        Begin::Duplicate => find_repeat(ctx, key.as_deref(), request_hash.as_deref()).await?.ok_or(Error::KeyReused),
    }
}

/// Starts a run of a published version, under this id and within the transaction that writes down the firing which sets it
/// off. False when nothing was stored: what the firing goes by is not so any more, its occasion or the run's key was there
/// before, or flow control has a say.
///
/// # Errors
/// As [`start`].
pub async fn start_fired(
    ctx: &Ctx,
    run: RunId,
    version: i64,
    new: NewRun,
    occasion: store::Occasion,
) -> Result<bool, Error> {
    ctx.authorize(Action::StartRun)?;
    check_key(new.idempotency_key.as_deref())?;
    let Source::Version(workflow, None) = new.source else { return Ok(false) };
    let Some(prepared) = prepared::find(ctx, workflow, version).await? else { return Ok(false) };
    let engine = Engine::of(ctx.runtime());
    if Marks::of(&prepared.graph, &ctx.config).place || engine.is_limited(ctx.runtime(), ctx.workspace()).await? {
        return Ok(false);
    }
    let request_hash = new.idempotency_key.as_ref().map(|_| request_hash(&new));
    let (begun, _) = lay_out(ctx, run, (Some(workflow), Some(version)), &prepared, new)?;
    let definition = begun
        .create
        .definition
        .filter(|_| !engine.shelf.is_kept(ctx.workspace(), &prepared.hash, begun.create.card.created_at));
    let (is_new, at) = (definition.is_some(), begun.create.card.created_at);
    let create = store::Create { request_hash, definition, occasion: Some(Box::new(occasion)), ..begun.create };
    match engine.begin(ctx.runtime(), New { create, ..begun }).await? {
        Begin::Begun => {
            if is_new {
                engine.shelf.note_kept(ctx.workspace(), &prepared.hash, at);
            }
            Ok(true)
        }
        Begin::Duplicate => Ok(false),
    }
}

/// A run as it is to begin, and what limits it.
fn lay_out(ctx: &Ctx, run: RunId, of: Of, prepared: &Prepared, new: NewRun) -> Result<(New, Limits), Error> {
    let definition = prepared.definition();
    let inputs = prepared.fit(new.inputs)?;
    if let Some(until) = new.until.as_deref().filter(|until| definition.step(until).is_none()) {
        let message = match definition.steps.iter().find(|step| holds(step, until)) {
            Some(Step { id, .. }) => format!(
                "{until} is inside of {id}, which runs as a whole: expected a step that is in no container, such as {id}"
            ),
            None => format!("expected the id of a step, found {until:?}"),
        };
        return Err(Error::invalid("/until", message));
    }
    let limits = Limits::of(definition.flow.as_ref(), &definition.name, run, &inputs)
        .map_err(|field| Error::Invalid(vec![field]))?;
    let principal = &ctx.actor.principal;
    let caller = principal.user_id().zip(principal.user_name().map(str::to_owned));
    let starter = new.started_by.or(caller);
    let started_by = new.origin.as_ref().map_or(starter, |origin| origin.started_by.clone());
    let started_by_id = started_by.as_ref().map(|(id, _)| *id);
    let card = store::Card {
        workflow_id: of.0,
        workflow_name: definition.name.clone(),
        version: of.1,
        trigger: new.trigger,
        started_by: started_by.map(|(_, name)| name),
        started_by_id,
        steps_total: definition.steps.len() as u32,
        created_at: ctx.clock.now(),
        depth: new.origin.as_ref().map_or(0, |origin| origin.depth),
        parent: new.origin.map(|origin| origin.parent),
    };
    let create = store::Create {
        card,
        definition: Some(Arc::clone(&prepared.bytes)),
        definition_hash: prepared.hash.clone(),
        drafted_by: None,
        idempotency_key: new.idempotency_key,
        request_hash: None,
        owner: Engine::of(ctx.runtime()).id,
        keep_days: definition.retention_days,
        forked_from: None,
        copied: Vec::new(),
        limits: None,
        occasion: None,
    };
    let (state, first) = (State::on(run, Arc::clone(&prepared.graph)), Input::Start { inputs, until: new.until });
    Ok((New { run, workspace: ctx.workspace(), create, state, first }, limits))
}

/// Whether a step stands inside of this container, no matter how far.
fn holds(container: &Step, id: &str) -> bool {
    container.body.iter().flat_map(|body| &body.steps).any(|step| step.id == id || holds(step, id))
}

pub(super) fn check_key(key: Option<&str>) -> Result<(), Error> {
    match key {
        Some(key) if key.is_empty() || key.len() > 200 || key.chars().any(char::is_control) => {
            Err(Error::invalid("Idempotency-Key", "expected 1 to 200 characters and no control characters"))
        }
        _ => Ok(()),
    }
}

fn request_hash(new: &NewRun) -> Vec<u8> {
    let source = match &new.source {
        Source::Version(id, version) => serde_json::json!([id, version]),
        Source::Draft(id) => serde_json::json!([id, "draft"]),
        Source::Inline(definition) => {
            let mut asked = (**definition).clone();
            // How many may be in progress is a setting, such as an agent's, that changes between two requests that are the same.
            if let Some(flow) = &mut asked.flow {
                flow.concurrency = None;
            }
            serde_json::to_value(asked).unwrap_or_default()
        }
    };
    let asked = match &new.until {
        // As it was before one could ask for a part.
        None => serde_json::json!([source, new.inputs]),
        Some(until) => serde_json::json!([source, new.inputs, until]),
    };
    store::history::hash(asked.to_string().as_bytes())
}

pub(super) async fn find_repeat(
    ctx: &Ctx,
    key: Option<&str>,
    request_hash: Option<&[u8]>,
) -> Result<Option<RunId>, Error> {
    let Some(key) = key else { return Ok(None) };
    match store::run::find_by_key(&ctx.db, ctx.workspace(), key).await? {
        Some((run, hash)) if hash.as_deref() == request_hash => Ok(Some(run)),
        Some(_) => Err(Error::KeyReused),
        None => Ok(None),
    }
}

/// What to run, and who saved it where it is a draft.
async fn load(ctx: &Ctx, source: &Source) -> Result<(Of, Arc<Prepared>, Option<UserId>), Error> {
    let prepare = |definition| Prepared::of(&Engine::of(ctx.runtime()), definition).map(Arc::new);
    match source {
        Source::Inline(definition) => Ok(((None, None), prepare((**definition).clone())?, None)),
        Source::Draft(id) => {
            let draft = store::run::find_saved_draft(&ctx.db, ctx.workspace(), *id).await?;
            let (draft, saved_by) = draft.ok_or(Error::NotFound("workflow"))?;
            Ok(((Some(*id), None), prepare(draft)?, saved_by))
        }
        Source::Version(id, version) => {
            let wanted = match version {
                Some(version) => Some(*version),
                None => store::run::find_published(&ctx.db, ctx.workspace(), *id).await?,
            };
            if let Some(version) = wanted
                && let Some(prepared) = prepared::find(ctx, *id, version).await?
            {
                return Ok(((Some(*id), Some(version)), prepared, None));
            }
            let known = store::run::find_draft(&ctx.db, ctx.workspace(), *id).await?.is_some();
            Err(match version {
                None if known => Error::NotPublished,
                Some(_) if known => Error::NotFound("version"),
                _ => Error::NotFound("workflow"),
            })
        }
    }
}
