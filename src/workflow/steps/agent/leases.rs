//! Leases at work: which one a call needs, whether it has it, and what is told where one is lost.

use std::path::Path;

use serde_json::Value;

use super::work::{Call, Work};
use super::{place, repository};
use crate::agents::leases::{self, Answer, Holder};
use crate::model::LeaseId;
use crate::model::agent::{AgentTool, LeaseMode, LeaseNote, MAX_THING_CHARS, TakesLeases, Thing};
use crate::workflow::steps::{StepCall, folder};

/// Characters of the name of something that has only a name.
const MAX_NAME: usize = 200;

/// Whether a call may be done now.
#[derive(Debug)]
pub enum Ready {
    /// It has what it needs.
    Yes,
    /// It waits.
    Queued {
        /// For this lease.
        id: LeaseId,
        /// On what.
        thing: Thing,
        /// Why, in words.
        why: String,
    },
    /// It can't have what it needs, in words for the model.
    Refused(String),
}

/// Asks for the lease that a call needs, if it needs one.
pub async fn ready(step: &StepCall, work: &Work, call: &Call) -> Ready {
    let (thing, mode, is_own) = match needed(step, work, call) {
        Ok(Some(needed)) => needed,
        Ok(None) => return Ready::Yes,
        Err(why) => return Ready::Refused(why),
    };
    match leases::take(&step.ctx, &holder(step, work), &thing, mode, is_own).await {
        Ok(Answer::Held) => Ready::Yes,
        Ok(Answer::Waits(id, why)) => Ready::Queued { id, thing, why },
        Ok(Answer::Refused(why)) => Ready::Refused(format!(
            "You were not given the lease on {thing}, and this was not done. {} Give back what others wait for and try again, or do \
             something else first.",
            sentence(&why)
        )),
        Err(error) => Ready::Refused(format!("Leases can't be had right now ({error}); this was not done. Try again.")),
    }
}

/// Takes the lease that a call of `lease_take` asked for, which it has: in words, and for the journal.
///
/// # Errors
/// In words for the model.
pub fn taken(step: &StepCall, work: &Work, call: &Call) -> Result<(String, LeaseNote), String> {
    let (thing, mode) = (thing(step, work, call)?, mode(call));
    let how = if mode == LeaseMode::Exclusive { "to yourself" } else { "together with others who share it" };
    Ok((
        format!("You have {thing} {how} until your task ends or you give it back."),
        LeaseNote { thing, mode, is_held: true },
    ))
}

/// Gives back what a call of `lease_release` names.
///
/// # Errors
/// In words for the model.
pub async fn give_back(step: &StepCall, work: &Work, call: &Call) -> Result<(String, Vec<LeaseNote>), String> {
    let thing = thing(step, work, call)?;
    match leases::give_back(&step.ctx, &holder(step, work), &thing).await {
        Ok(true) => Ok((format!("You have given {thing} back."), gone(&thing))),
        Ok(false) => Err(format!("You have no lease on {thing}.")),
        Err(error) => Err(error.to_string()),
    }
}

/// Gives back what a tool took by itself for one call only.
pub async fn after(step: &StepCall, work: &Work, call: &Call) {
    if call.tool != Some(AgentTool::PublishChanges) {
        return;
    }
    let Ok(Some((thing, mode, true))) = needed(step, work, call) else { return };
    if work.leases.contains(&(thing.clone(), mode)) {
        return;
    }
    if let Err(error) = leases::give_back(&step.ctx, &holder(step, work), &thing).await {
        tracing::warn!(run = %step.run_id, %error, "a lease is given back when its step ends");
    }
}

/// The leases that the work took and has no more: somebody ended them, or its process was away for too long.
pub async fn lost(step: &StepCall, work: &Work) -> Vec<LeaseNote> {
    if work.leases.is_empty() {
        return Vec::new();
    }
    let Ok(held) = leases::list_held(&step.ctx, step.run_id, &step.step).await else { return Vec::new() };
    let has = |thing: &Thing, mode: LeaseMode| held.iter().any(|(own, of)| *of >= mode && own.covers(thing));
    let lost = work.leases.iter().filter(|(thing, mode)| !has(thing, *mode));
    lost.map(|(thing, mode)| LeaseNote { thing: thing.clone(), mode: *mode, is_held: false }).collect()
}

/// What the model is told first of leases that it has no more.
pub fn lost_words(lost: &[LeaseNote]) -> String {
    let things: Vec<String> = lost.iter().map(|note| note.thing.to_string()).collect();
    match things.len() {
        0 => String::new(),
        _ => format!("Note: you have no lease any more on {}; others may work there now.\n\n", things.join(", ")),
    }
}

fn holder(step: &StepCall, work: &Work) -> Holder {
    Holder {
        run_id: step.run_id,
        step: step.step.clone(),
        token: step.token,
        agent: work.agent,
        agent_name: work.name.clone(),
    }
}

/// The lease without which a call is not done, and whether its tool takes it by itself.
fn needed(step: &StepCall, work: &Work, call: &Call) -> Result<Option<(Thing, LeaseMode, bool)>, String> {
    let takes = work.spec.leases == TakesLeases::WhereShared;
    Ok(match call.tool {
        Some(AgentTool::LeaseTake) => Some((thing(step, work, call)?, mode(call), false)),
        Some(AgentTool::WriteFile | AgentTool::EditFile) if takes && has_shared_folder(work) => {
            Some((in_folder(step, work, text(call, "path"))?, LeaseMode::Exclusive, true))
        }
        Some(AgentTool::PublishChanges) if takes => Some((own_repository(step, work)?, LeaseMode::Exclusive, true)),
        _ => None,
    })
}

/// Whether it works in a folder that others reach too.
pub fn has_shared_folder(work: &Work) -> bool {
    !work.spec.folder.trim().is_empty()
}

fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn mode(call: &Call) -> LeaseMode {
    LeaseMode::parse(text(call, "mode")).unwrap_or(LeaseMode::Exclusive)
}

/// What a call names.
fn thing(step: &StepCall, work: &Work, call: &Call) -> Result<Thing, String> {
    let name = text(call, "name").trim();
    match text(call, "kind") {
        "file" if has_shared_folder(work) => in_folder(step, work, name),
        "file" => Err("What is in your working directory nobody else can change: you need no lease on it.".to_owned()),
        "repository" if place::has_repository(work) => own_repository(step, work),
        "repository" if has_shared_folder(work) => Ok(Thing::repository(&shared_folder(step, work)?)),
        "repository" => Err("You work in no repository.".to_owned()),
        _ if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) => {
            Err(format!("Expected a name of 1 to {MAX_NAME} characters."))
        }
        _ => Ok(Thing::named(name)),
    }
}

fn shared_folder(step: &StepCall, work: &Work) -> Result<String, String> {
    let real = folder::open(&step.ctx.config, "folder", work.spec.folder.trim()).map_err(|error| error.message)?;
    Ok(real.display().to_string())
}

fn in_folder(step: &StepCall, work: &Work, path: &str) -> Result<Thing, String> {
    let path = super::files::inside(if path.is_empty() { "." } else { path })?;
    let named = Path::new(&shared_folder(step, work)?).join(path);
    // Where links lead elsewhere it is what they lead to; of what is not there yet, the folder that it will be in.
    let real = named.canonicalize().or_else(|_| {
        let (folder, name) = (named.parent().unwrap_or(&named), named.file_name().unwrap_or_default());
        folder.canonicalize().map(|folder| folder.join(name))
    });
    let thing = Thing::file(&real.unwrap_or(named).display().to_string());
    if thing.name.chars().count() > MAX_THING_CHARS {
        return Err(format!("Expected a path of at most {MAX_THING_CHARS} characters."));
    }
    Ok(thing)
}

fn own_repository(step: &StepCall, work: &Work) -> Result<Thing, String> {
    Ok(Thing::repository(&repository::source(step, work)?.display().to_string()))
}

fn gone(thing: &Thing) -> Vec<LeaseNote> {
    LeaseMode::ALL.map(|mode| LeaseNote { thing: thing.clone(), mode, is_held: false }).to_vec()
}

/// With a mark at its end, and a capital letter at its beginning.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
