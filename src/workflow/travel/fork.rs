//! A fork: a new run that begins with the history of another, edited where one asks, and goes its own way from there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::prefix::{Edits, Misfit, Prefix, carry, flatten};
use super::store;
use crate::model::auth::Action;
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::flow::Limits;
use crate::model::workflow::restart;
use crate::model::workflow::{
    Definition, Event, Fact, Fork, ForkOnto, ForkPoint, Forked, Graph, Lineage, RunSummary, Signal, TriggerKind,
};
use crate::model::{FieldError, RunId, UserId};
use crate::runtime::Ctx;
use crate::workflow::engine::{Begin, Engine, New};
use crate::workflow::flow::{self, Marks};
use crate::workflow::machine::Input;
use crate::workflow::store::{Card, Create, failure, history, run as runs};
use crate::workflow::{Error, inputs};

/// Events that a fork copies at most.
pub const MAX_COPIED: usize = 50_000;
/// Forks of a run that its page lists.
const MAX_LISTED: u32 = 50;

/// Starts a run that begins as `source` did. Returns once it is durable; it goes on by itself.
///
/// Finished steps are not run again; those that were open at the cut start again under keys of their own. A final event
/// counts as the moment before the end: what failed the run is tried again.
///
/// # Errors
/// [`Error::Invalid`] for a place that the history doesn't have, inputs that don't fit, outputs of steps that had not
/// ended, and a definition that differs where the run already was, naming the step; [`Error::Problems`];
/// [`Error::NotFound`]; [`Error::KeyReused`]; [`Error::Conflict`] behind an approval that was answered, and where flow
/// control has no place for the fork, which does not wait in the queue where it has begun. One that has not is accepted as
/// a new run is, with the same errors.
pub async fn fork(ctx: &Ctx, source: RunId, fork: Fork, key: Option<String>) -> Result<RunId, Error> {
    ctx.authorize(Action::ReadRun)?;
    ctx.authorize(Action::StartRun)?;
    crate::workflow::start::check_key(key.as_deref())?;
    let request_hash = key.as_ref().map(|_| history::hash(json!(["fork", source, fork]).to_string().as_bytes()));
    if let Some(found) = crate::workflow::start::find_repeat(ctx, key.as_deref(), request_hash.as_deref()).await? {
        return Ok(found);
    }
    let (summary, hash) = runs::find(&ctx.db, ctx.workspace(), source).await?.ok_or(Error::NotFound("run"))?;
    let first = history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let moved = history::find_newest(&ctx.db, ctx.workspace(), source, "run_migrated").await?;
    let newest = match moved.map(|event| event.fact) {
        Some(Fact::RunMigrated(migrated)) => migrated.definition,
        _ => first.clone(),
    };
    let (version, definition, drafted_by) = onto(ctx, &summary, &fork, &newest).await?;
    let (old, events, seq) = cut(ctx, source, &fork, Graph::new(first)).await?;
    refuse_answers(&events)?;
    refuse_undone(ctx, source, &events).await?;
    let edits = Edits { inputs: edited_inputs(&fork, &definition, &events)?, outputs: fork.outputs.clone() };
    let run: RunId = ctx.ids.fresh();
    let engine = Engine::of(ctx.runtime());
    let keep_days = definition.retention_days;
    let bytes = serde_json::to_vec(&definition).expect("definitions are plain data");
    let definition_hash = history::hash(&bytes);
    let graph = engine.graph(&definition_hash, || Graph::new(definition));
    let Prefix { events, state } = carry(run, &old, &graph, events, &edits).map_err(refuse)?;
    let is_let_in = Marks::of(&graph, &ctx.config).place || engine.is_limited(ctx.runtime(), ctx.workspace()).await?;
    let limits = if is_let_in {
        let flow = graph.definition().flow.as_ref();
        let limits = Limits::of(flow, &graph.definition().name, run, state.given());
        Some(limits.map_err(|field| Error::Invalid(vec![field]))?)
    } else {
        None
    };
    let create = Create {
        card: card(ctx, &summary, &fork, version, &graph),
        definition: Some(bytes.into()),
        definition_hash,
        drafted_by,
        idempotency_key: key.clone(),
        request_hash: request_hash.clone(),
        owner: engine.id,
        keep_days,
        forked_from: Some((source, seq)),
        copied: events,
        limits: limits.clone().map(Box::new),
        occasion: None,
    };
    let is_begun = state.is_started();
    let first = Input::Fork(Box::new(mark(ctx, source, seq, &fork)));
    let new = New { run, workspace: ctx.workspace(), create, state, first };
    let begun = match &limits {
        Some(limits) if !is_begun => engine.accept(ctx.runtime(), new, limits.clone()).await,
        _ => engine.begin(ctx.runtime(), new).await,
    };
    match begun {
        Ok(Begin::Begun) => Ok(run),
        Err(Error::NoPlace) => {
            let key = limits.as_ref().and_then(|limits| Some((limits.key.as_ref()?, limits.lane.as_str())));
            Err(flow::refuse_for_place(ctx.runtime(), ctx.workspace(), key, "fork").await?)
        }
        Err(error) => Err(error),
        Ok(Begin::Duplicate) => crate::workflow::start::find_repeat(ctx, key.as_deref(), request_hash.as_deref())
            .await?
            .ok_or(Error::KeyReused),
    }
}

/// An answer to an approval counts for the run that it was given in: carried into another, with other inputs perhaps, it
/// would let pass what nobody has seen.
fn refuse_answers(events: &[Event]) -> Result<(), Error> {
    let answered = |event: &&Event| matches!(&event.fact, Fact::StepSignalled { signal: Signal::Vote(_), .. });
    for vote in events.iter().filter(answered) {
        let is_step = |event: &&Event| event.step == vote.step;
        let is_decided = |event: &Event| matches!(event.fact, Fact::StepSucceeded { .. }) && event.seq > vote.seq;
        let began = |event: &&Event| matches!(event.fact, Fact::StepStarted { .. }) && event.seq < vote.seq;
        if events.iter().filter(is_step).any(is_decided) {
            let asked = events.iter().filter(is_step).rfind(began).map_or(vote.seq, |event| event.seq);
            let step = vote.step.as_deref().unwrap_or_default();
            return Err(Error::Conflict(format!(
                "the approval {step} was answered for this run and does not count for another: fork before event {asked}, \
                 where it is asked anew, or move this run to another version, where the answer stays"
            )));
        }
    }
    Ok(())
}

/// What the source has undone, or is about to, can't be built upon.
async fn refuse_undone(ctx: &Ctx, source: RunId, events: &[Event]) -> Result<(), Error> {
    let is_planned = |event: &&Event| matches!(event.fact, Fact::CompensationPlanned { .. });
    let Some(planned) = events.iter().find(is_planned) else { return Ok(()) };
    if history::find_newest(&ctx.db, ctx.workspace(), source, "compensation_started").await?.is_none() {
        return Ok(());
    }
    let began = |event: &&Event| matches!(event.fact, Fact::StepStarted { .. }) && event.step == planned.step;
    let began = events.iter().find(began).map_or(planned.seq, |event| event.seq);
    let step = planned.step.as_deref().unwrap_or_default();
    Err(Error::Conflict(format!(
        "what step {step} did is undone in this run and can't be kept: fork before event {began}"
    )))
}

/// What does not change in the fork.
fn card(ctx: &Ctx, summary: &RunSummary, fork: &Fork, version: Option<i64>, graph: &Graph) -> Card {
    Card {
        workflow_id: summary.workflow_id,
        workflow_name: graph.definition().name.clone(),
        version,
        trigger: if fork.onto == ForkOnto::Draft { TriggerKind::Test } else { TriggerKind::Manual },
        started_by: ctx.actor.principal.user_name().map(str::to_owned),
        started_by_id: ctx.actor.principal.user_id(),
        parent: None,
        depth: 0,
        steps_total: graph.len() as u32,
        created_at: ctx.clock.now(),
    }
}

/// The fact that ends what was copied.
fn mark(ctx: &Ctx, source: RunId, seq: i64, fork: &Fork) -> Forked {
    Forked {
        from_run: source,
        from_seq: seq,
        by: ctx.actor.principal.user_name().map(str::to_owned),
        restarted: match &fork.from {
            ForkPoint::Step(step) => Some(step.clone()),
            ForkPoint::Seq(_) => None,
        },
        edited: edited_paths(fork),
    }
}

/// Which runs a run comes from, and which come from it.
pub(in crate::workflow) async fn lineage(ctx: &Ctx, run: RunId, until: Option<String>) -> Result<Lineage, Error> {
    let forked_from = store::origin(&ctx.db, ctx.workspace(), run).await?;
    let forks = store::forks(&ctx.db, ctx.workspace(), run, MAX_LISTED).await?;
    let handlers = failure::list(&ctx.db, ctx.workspace(), run, MAX_LISTED).await?;
    Ok(Lineage { forked_from, forks, handlers, until })
}

/// The version and the definition that the fork runs, and who saved it where it is a draft.
async fn onto(
    ctx: &Ctx,
    summary: &RunSummary,
    fork: &Fork,
    same: &Definition,
) -> Result<(Option<i64>, Definition, Option<UserId>), Error> {
    let workflow = || {
        let stored = "this run's definition was never stored, so that it has no other versions";
        summary.workflow_id.ok_or_else(|| Error::invalid("/version", stored))
    };
    let (version, definition, drafted_by) = match fork.onto {
        ForkOnto::Same => return Ok((summary.version, same.clone(), None)),
        ForkOnto::Version(version) => {
            let found = runs::find_version(&ctx.db, ctx.workspace(), workflow()?, Some(version)).await?;
            let (version, definition) = found.ok_or(Error::NotFound("version"))?;
            (Some(version), definition, None)
        }
        ForkOnto::Draft => {
            let draft = runs::find_saved_draft(&ctx.db, ctx.workspace(), workflow()?).await?;
            let (draft, saved_by) = draft.ok_or(Error::NotFound("workflow"))?;
            (None, draft, saved_by)
        }
    };
    let problems = check(&definition);
    if has_errors(&problems) { Err(Error::Problems(problems)) } else { Ok((version, definition, drafted_by)) }
}

/// What the source ran there, the events that the fork keeps, from 1, and the number of the newest of them in the source.
async fn cut(ctx: &Ctx, source: RunId, fork: &Fork, first: Arc<Graph>) -> Result<(Arc<Graph>, Vec<Event>, i64), Error> {
    let upto = match &fork.from {
        ForkPoint::Seq(seq) if *seq < 1 => {
            return Err(Error::invalid("/from_seq", format!("expected 1 or more, found {seq}")));
        }
        ForkPoint::Seq(seq) => *seq,
        ForkPoint::Step(_) => i64::MAX,
    };
    let events = load(ctx, source, upto, "/from_seq").await?;
    let newest = events.last().map_or(0, |event| event.seq);
    let (graph, events) = flatten(source, first, events).map_err(refuse)?;
    let (events, seq) = match &fork.from {
        ForkPoint::Seq(seq) if newest < *seq => {
            return Err(Error::invalid(
                "/from_seq",
                format!("expected 1 to {newest}, which is the run's newest event"),
            ));
        }
        ForkPoint::Seq(seq) => (events, *seq),
        ForkPoint::Step(path) => {
            restart::without(&events, &graph, path).map_err(|message| Error::invalid("/from_step", message))?
        }
    };
    let events = events.into_iter().zip(1..).map(|(event, seq)| Event { seq, ..event });
    Ok((graph, events.collect(), seq))
}

/// The history up to an event; `pointer` is the field that a history which is too long is said of.
pub(super) async fn load(ctx: &Ctx, run: RunId, upto: i64, pointer: &str) -> Result<Vec<Event>, Error> {
    const PAGE: u32 = 1000;
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let page = history::list(&ctx.db, ctx.workspace(), run, after, PAGE).await?;
        let whole = page.len() < PAGE as usize;
        events.extend(page.into_iter().take_while(|event| event.seq <= upto));
        if events.len() > MAX_COPIED {
            let message = format!("expected at most {MAX_COPIED} events of the run");
            return Err(Error::invalid(pointer, message));
        }
        if whole || events.last().is_none_or(|event| event.seq >= upto) || events.last().map_or(0, |e| e.seq) == after {
            return Ok(events);
        }
    }
}

/// The inputs that the fork's history is to begin with; `None` where those of the source stay.
fn edited_inputs(fork: &Fork, definition: &Definition, events: &[Event]) -> Result<Option<Value>, Error> {
    let given = events.iter().rev().find_map(|event| match &event.fact {
        Fact::RunQueued { inputs, .. } | Fact::RunStarted { inputs, .. } => Some(inputs),
        _ => None,
    });
    match (&fork.inputs, fork.onto) {
        (None, ForkOnto::Same) => Ok(None),
        // Another definition may ask for more.
        (None, _) => Ok(Some(inputs::fit(&definition.inputs, given.cloned().unwrap_or_default())?)),
        (Some(edited), _) => Ok(Some(inputs::fit(&definition.inputs, edited.clone())?)),
    }
}

fn edited_paths(fork: &Fork) -> Vec<String> {
    let inputs = fork.inputs.iter().map(|_| "inputs".to_owned());
    inputs.chain(fork.outputs.keys().map(|step| format!("steps.{step}.output"))).collect()
}

fn refuse(misfit: Misfit) -> Error {
    match misfit {
        Misfit::Definition { message, .. } => Error::Invalid(vec![FieldError::new("/version", message)]),
        Misfit::Output { step, message } => Error::invalid(format!("/state_patch/steps/{step}/output"), message),
    }
}
