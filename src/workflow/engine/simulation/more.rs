//! What the seeds from [`MORE`] on have besides: steps that undo, maps over pages, moves to a newer version, and commands
//! that one process forwards to another. Seeds below play as they did before there was any of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::bugs::Bug;
use super::check::Promise;
use super::faults::Commit;
use super::generate::WORKFLOWS;
use super::owner::{Flown, Owner};
use super::process::Attempt;
use super::rng;
use super::tables::Forwarded;
use super::world::Sim;
use crate::model::workflow::compensation::{CompensateWhen, Compensation, CompensationFailure, CompensationPolicy};
use crate::model::workflow::migration::Migrated;
use crate::model::workflow::{
    Command, Definition, Edge, Event, Fact, Graph, RunStatus, Step, StepError, StepStatus, state,
};
use crate::model::{RunId, Timestamp};
use crate::workflow::machine::{self, Input};
use crate::workflow::steps::Outcome;
use crate::workflow::store::Moved;

/// From this seed on.
pub const MORE: u64 = 1 << 41;
/// How long the answer to a forwarded command is waited for, and how much longer once it was taken.
const PATIENCE_MS: i64 = 5_000;

/// Adds to a workflow of a seed.
pub fn add(seed: u64, number: usize, definition: &mut Definition) {
    let chance = rng::hash(seed, &format!("policy {number}"));
    let when = [CompensateWhen::Always, CompensateWhen::Always, CompensateWhen::Failed, CompensateWhen::Cancelled];
    let on_error = [CompensationFailure::Continue, CompensationFailure::Stop][(chance >> 8) as usize % 2];
    definition.compensation = Some(CompensationPolicy { when: when[chance as usize % 4], on_error });
    add_to(seed, number, &mut definition.steps);
}

fn add_to(seed: u64, number: usize, steps: &mut [Step]) {
    for step in steps {
        if let Some(body) = &mut step.body {
            add_to(seed, number, &mut body.steps);
        }
        let chance = |what: &str| rng::hash(seed, &format!("{what} {number}/{}", step.id));
        let works = matches!(step.kind.as_str(), "http" | "workflow") && step.pinned.is_none();
        if works && !chance("undo").is_multiple_of(4) {
            let mut config = Map::new();
            config.insert("url".to_owned(), json!("http://undo"));
            let (kind, name, retry) = ("http".to_owned(), String::new(), step.retry.clone());
            step.compensate = Some(Compensation { kind, name, config, retry, timeout_ms: None });
        }
        if step.kind == "map" && chance("pages").is_multiple_of(2) {
            step.config.remove("items");
            step.config.insert("pages".to_owned(), json!("http://pages"));
        }
    }
}

/// A newer version of a workflow: it has one step more, and some steps that lie ahead are others.
pub fn newer(seed: u64, number: usize, definition: &Definition) -> Definition {
    let mut newer = definition.clone();
    for step in &mut newer.steps {
        let chance = rng::hash(seed, &format!("newer {number}/{}", step.id));
        if step.kind == "http" && chance.is_multiple_of(4) {
            step.config.insert("url".to_owned(), json!("http://newer"));
        }
    }
    let last = newer.steps.last().expect("a workflow has a step");
    let (from, port) = (last.id.clone(), if last.kind == "condition" { "true" } else { "out" }.to_owned());
    let mut step = Step::new("newest", "http");
    step.config = Map::from_iter([("url".to_owned(), json!("http://newest"))]);
    let has_port =
        matches!(last.kind.as_str(), "http" | "transform" | "wait" | "event" | "group" | "map" | "condition");
    newer.steps.push(step);
    if has_port {
        newer.edges.push(Edge { from, port, to: "newest".to_owned(), when: None });
    }
    newer
}

/// The version that these events move a run to.
pub fn moved(events: &[Event]) -> Option<Moved> {
    let migrated = events.iter().rev().find_map(|event| match &event.fact {
        Fact::RunMigrated(migrated) => Some(migrated),
        _ => None,
    })?;
    let steps_total = migrated.definition.steps.len() as u32;
    Some(Moved { version: migrated.version, steps_total, keep_days: migrated.definition.retention_days })
}

/// A command that was stored for another process, as the one that asked knows it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub id: Uuid,
    pub until: Timestamp,
}

impl Sim {
    pub fn has_more(&self) -> bool {
        self.seed >= MORE
    }

    /// `Owner::pull`: has a page brought.
    pub fn pull(&mut self, p: usize, owner: &mut Owner, path: &str, began: i64) {
        let Some(slot) = owner.state.find_slot(path) else { return };
        let step = owner.state.step_at(slot);
        let asked = owner.state.cell(slot).map(state::Cell::items).filter(|items| items.is_asked());
        let Some((page, cursor)) = asked.and_then(state::Items::next_page) else { return };
        if step.status != StepStatus::Running || owner.state.is_ended() {
            return;
        }
        let (attempt, config) = (step.attempt, json!({"page": page, "cursor": cursor}));
        let key = machine::key(&owner.state, slot, attempt);
        let page_key = format!("{key}/page/{page}");
        owner.attempts.insert(path.to_owned(), Flown { began, key });
        let run = owner.state.id();
        self.begin_attempt(p, Attempt::new(run, (path, attempt, began), page_key, "page", config));
    }

    /// `steps::pages`: a source that gives something else each time it is asked.
    pub fn bring_page(&mut self, p: usize, at: usize) {
        let Attempt { key, config, .. } = &self.processes[p].attempts[at];
        let brought = self.brought.entry(key.clone()).or_default();
        let chance = rng::hash(self.seed, &format!("{key} {}", brought.len()));
        let answer = if self.faults.are_on && chance.is_multiple_of(9) {
            Err(StepError::transient("http_status", "the source is away"))
        } else {
            let page = config["page"].as_u64().unwrap_or(0);
            let items: Vec<u64> = (0..chance % 4).map(|n| page * 10 + n).collect();
            let next = if page < 2 && !chance.is_multiple_of(5) { json!(page + 1) } else { Value::Null };
            let output = json!({"items": items, "next": next});
            brought.push(output.clone());
            Ok(Outcome::out(output))
        };
        self.processes[p].attempts[at].result = Some(answer);
    }

    /// Somebody moves a run to the newer version.
    pub fn migrate(&mut self, p: usize) {
        let runs = self.runs(|status| !status.is_final());
        if runs.is_empty() {
            return;
        }
        let run = *self.ambient.rng.pick(&runs);
        let row = self.tables.row(run);
        if row.version == 2 {
            return;
        }
        let definition = newer(self.seed, row.workflow, self.graphs[row.workflow].definition());
        let by = Some(self.ambient.fresh_id::<Uuid>().to_string());
        let migrated =
            Migrated { from: Some(1), version: 2, by: by.clone(), definition, inputs: None, taken: Vec::new() };
        self.tell(p, run, Input::Migrate(Box::new(migrated)), by.map(|by| Promise::Obeyed { run, by }));
    }

    /// Somebody commands a run, under a name that nobody else has.
    pub fn command_by_name(&mut self, p: usize, run: RunId, command: Command) {
        let paused = self.runs(|status| status == RunStatus::Paused);
        // What people have paused they often cancel.
        let often = command == Command::Cancel && !paused.is_empty() && self.ambient.rng.chance(60);
        let run = if often { *self.ambient.rng.pick(&paused) } else { run };
        let by = self.ambient.fresh_id::<Uuid>().to_string();
        self.tell(p, run, Input::Command { command, by: Some(by.clone()) }, Some(Promise::Obeyed { run, by }));
    }

    /// `engine::forward::ask`: stores a command for the process that has the run in hand.
    pub fn forward(&mut self, p: usize, run: RunId, input: Input) {
        let Some(by) = name_of(&input) else { return };
        let (id, now) = (self.ambient.fresh_id::<Uuid>(), self.ambient.now());
        let outcome = self.commit();
        let Some(owner) = self.tables.row(run).owner.filter(|_| outcome != Commit::Lost) else { return };
        let forwarded = Forwarded { run, owner, input, by, is_taken: false, is_done: false };
        self.tables.commands.insert(id, forwarded);
        if outcome == Commit::Done {
            self.processes[p].asked.push(Asked { id, until: now.plus_ms(PATIENCE_MS) });
        }
    }

    /// `engine::forward::serve`: obeys what others have stored.
    pub fn serve(&mut self, p: usize) {
        let owner = self.processes[p].id;
        let mine = |(_, command): &(&Uuid, &Forwarded)| command.owner == owner && !command.is_taken;
        let taken: Vec<Uuid> = self.tables.commands.iter().filter(mine).map(|(id, _)| *id).collect();
        let outcome = self.commit();
        if outcome == Commit::Lost {
            return;
        }
        for id in taken {
            let Some(command) = self.tables.commands.get_mut(&id) else { continue };
            command.is_taken = true;
            self.served += 1;
            let (run, input) = (command.run, command.input.clone());
            if outcome == Commit::Done {
                self.tell_here(p, run, input, Some(Promise::Forwarded { id }));
            }
        }
    }

    /// What was promised is stored: those who asked from another process find their answer.
    pub fn keep(&mut self, promises: Vec<Promise>) {
        for promise in promises {
            let Promise::Forwarded { id } = promise else {
                self.promises.push(promise);
                continue;
            };
            if !self.write_fails()
                && let Some(command) = self.tables.commands.get_mut(&id)
            {
                command.is_done = true;
            }
        }
    }

    /// Which of those whom a process has asked it would look at: answered, too late, or in other hands.
    pub fn to_look_at(&self, p: usize) -> Option<usize> {
        let now = self.ambient.now();
        self.processes[p].asked.iter().position(|asked| {
            let Some(command) = self.tables.commands.get(&asked.id) else { return true };
            let is_theirs = self.tables.row(command.run).owner == Some(command.owner);
            command.is_done
                || (!command.is_taken && (!is_theirs || now >= asked.until))
                || now >= asked.until.plus_ms(PATIENCE_MS)
        })
    }

    /// `engine::forward::wait`: one look.
    pub fn look_at_answer(&mut self, p: usize, at: usize) {
        let asked = self.processes[p].asked[at];
        let Some(command) = self.tables.commands.get(&asked.id) else {
            self.processes[p].asked.remove(at);
            return;
        };
        let promise = Promise::Obeyed { run: command.run, by: command.by.clone() };
        let (is_done, is_taken) = (command.is_done, command.is_taken);
        let outcome = self.commit();
        if outcome == Commit::Lost {
            return;
        }
        let withdraws = !is_taken || (self.has(Bug::WithdrawnThoughTaken) && !is_done);
        if is_done || withdraws {
            self.tables.commands.remove(&asked.id);
        }
        self.processes[p].asked.remove(at);
        match promise {
            promise if is_done => self.promises.push(promise),
            Promise::Obeyed { run, by } if withdraws && outcome == Commit::Done => self.withdrawn.push((run, by)),
            // Its owner died over it, or after it.
            _ => {}
        }
    }
}

/// Who gave a command; votes and what else is said to a run have no name of their own.
pub fn name_of(input: &Input) -> Option<String> {
    match input {
        Input::Command { by, .. } => by.clone(),
        Input::Migrate(migrated) => migrated.by.clone(),
        Input::Give(gift) => gift.given.by.clone(),
        _ => None,
    }
}

/// How often a history has a command of this name; what a fork has copied is another run's.
pub fn obeyed(history: &[Event], name: &str) -> usize {
    let own = history.iter().rposition(|event| matches!(event.fact, Fact::RunForked(_))).unwrap_or(0);
    let named = |event: &&Event| match &event.fact {
        Fact::RunPaused { by, .. }
        | Fact::RunResumed { by }
        | Fact::RunRetried { by, .. }
        | Fact::CancelRequested { by } => by.as_deref() == Some(name),
        Fact::RunMigrated(migrated) => migrated.by.as_deref() == Some(name),
        Fact::StepSucceeded { given: Some(given), .. } => given.by.as_deref() == Some(name),
        _ => false,
    };
    history[own..].iter().filter(named).count()
}

/// The pages of a map come one after the other, each as the source gave it, and no body begins for an item that has not come.
pub fn check_pages(history: &[Event], brought: &BTreeMap<String, Vec<Value>>) {
    let own = history.iter().rposition(|event| matches!(event.fact, Fact::RunForked(_))).unwrap_or(0) as i64;
    // By path: the attempt's key, pages that came, items that came, whether one is asked for, whether there is more.
    let mut open = BTreeMap::<&str, (&str, u32, usize, bool, bool)>::new();
    for (place, event) in history.iter().enumerate() {
        // What a fork has copied was asked for by another run, under keys of its own; it goes on behind that.
        let is_copied = (place as i64) < own;
        let path = event.step.as_deref().unwrap_or_default();
        match &event.fact {
            // It goes on after the pages that came, and asks for the next under a key of its own.
            Fact::StepStarted { key, goes_on: true, .. } => {
                let known = open.entry(path).or_insert(("", 0, 0, false, true));
                (known.0, known.3) = (if is_copied { "" } else { key.as_str() }, false);
            }
            Fact::StepStarted { key, .. } => {
                let own_key = if is_copied { "" } else { key.as_str() };
                open.insert(path, (own_key, 0, 0, false, true));
            }
            _ => {}
        }
        let Some((key, pages, items_seen, is_asked, has_more)) = open.get_mut(path) else { continue };
        match &event.fact {
            Fact::PageAsked { page, .. } => {
                let is_next = *page == *pages && *has_more;
                assert!(is_next || is_copied, "{path} asks for the page {page} after {pages} came");
                *is_asked = true;
            }
            Fact::PageCame { page, items, next } => {
                let was_asked = std::mem::take(is_asked) && *page == *pages;
                assert!(was_asked || is_copied, "the page {page} of {path} was not asked for");
                let mut given = brought.get(&format!("{key}/page/{page}")).into_iter().flatten();
                let is_given = given.any(|output| output["items"] == json!(items) && output["next"] == *next);
                assert!(is_given || key.is_empty(), "the page {page} of {path} is none that came: {items:?}");
                (*pages, *items_seen, *has_more) = (*pages + 1, *items_seen + items.len(), !next.is_null());
            }
            Fact::BodyStarted { index } if *pages > 0 => {
                assert!((*index as usize) < *items_seen, "{path} begins the item {index} of {items_seen} that came");
            }
            _ => {}
        }
    }
}

#[test]
fn what_undoes_pages_moves_and_is_forwarded_keeps_every_promise() {
    super::simulate(MORE..MORE + 2_000);
}

#[test]
fn workflows_with_more_and_their_newer_versions_are_ones_that_the_checker_accepts() {
    for seed in MORE..MORE + 200 {
        let rng = rng::Rng::new(seed);
        for number in 0..WORKFLOWS {
            let mut definition = super::generate::workflow(&rng, number);
            add(seed, number, &mut definition);
            for definition in [newer(seed, number, &definition), definition] {
                let problems = crate::model::workflow::check::check(&definition);
                assert!(!crate::model::workflow::check::has_errors(&problems), "seed {seed}: {problems:#?}");
                Graph::new(definition);
            }
        }
    }
}
