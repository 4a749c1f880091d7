//! The live state of one run: read once, read anew when a change is told, written where something differs.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::logbook::{Heard, Logbook};
use crate::api;
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{
    Command, CompensationDetail, Definition, Lineage, LogChunk, RunDetail, RunStatus, RunSummary, StepError,
    StepProgress, StepState, StepStatus, UNDO,
};
use crate::model::{RunId, Timestamp};
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone};
use crate::ui::designer::kernel::layout;
use crate::ui::state::live::follow;

/// How long changes are gathered before the run is read anew, in ms.
const GATHER_MS: i32 = 150;
/// Chunks of the log asked for at a time.
const LOG_PAGE: u32 = 500;

/// What went in and what came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// What it was given.
    pub inputs: Value,
    /// What came out, once succeeded.
    pub output: Value,
    /// Why it failed.
    pub error: Option<StepError>,
}

/// Has the page of a run drawn anew.
#[derive(Debug, Clone, Copy)]
pub struct Renew(pub RwSignal<u32>);

/// A run that is looked at. Copies watch the same.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Which.
    pub id: RunId,
    /// What it runs; it changes only with the version, and then the page is drawn anew.
    pub definition: StoredValue<Definition>,
    /// The row.
    pub summary: RwSignal<RunSummary>,
    /// What went in and what came out.
    pub ends: RwSignal<Ends>,
    /// Which runs it comes from, and which come from it.
    pub lineage: RwSignal<Lineage>,
    /// What it undid, if it began to.
    pub compensation: RwSignal<Option<CompensationDetail>>,
    /// How far attempts in flight are, by path.
    pub progress: RwSignal<BTreeMap<String, StepProgress>>,
    /// What was printed.
    pub log: RwSignal<Logbook>,
    /// Why the log can't be read.
    pub log_error: RwSignal<Option<crate::model::ApiError>>,
    /// The paths of what undoes steps, in the order in which it runs.
    pub undone: RwSignal<Vec<String>>,
    /// The number of the newest event that is known, for what reads the history along.
    pub moves: RwSignal<i64>,
    steps: StoredValue<BTreeMap<String, RwSignal<StepState>>>,
    last_seq: StoredValue<i64>,
    reload: browser::GuardSlot,
    reload_waits: StoredValue<bool>,
    log_loads: StoredValue<bool>,
    renew: Option<Renew>,
}

impl Watch {
    /// Begins with what was read.
    pub fn new(detail: RunDetail) -> Self {
        let RunDetail { summary, inputs, output, error, definition, steps, compensation, last_seq, lineage } = detail;
        let watch = Self {
            id: summary.id,
            definition: StoredValue::new(layout::placed(definition)),
            summary: RwSignal::new(summary),
            ends: RwSignal::new(Ends { inputs, output, error }),
            lineage: RwSignal::new(lineage),
            compensation: RwSignal::new(None),
            progress: RwSignal::new(BTreeMap::new()),
            log: RwSignal::new(Logbook::default()),
            log_error: RwSignal::new(None),
            undone: RwSignal::new(Vec::new()),
            steps: StoredValue::new(steps.into_iter().map(|step| (step.id.clone(), RwSignal::new(step))).collect()),
            moves: RwSignal::new(last_seq),
            last_seq: StoredValue::new(last_seq),
            reload: browser::GuardSlot::new(),
            reload_waits: StoredValue::new(false),
            log_loads: StoredValue::new(false),
            renew: use_context::<Renew>(),
        };
        watch.take_undone(compensation);
        watch
    }

    /// A step; `None` if the definition has none of this id.
    pub fn step(self, id: &str) -> Option<RwSignal<StepState>> {
        self.steps.with_value(|steps| steps.get(id).copied())
    }

    /// What the attempt in flight of a step tells of itself.
    pub fn progress_of(self, id: &str) -> Option<StepProgress> {
        let step = self.step(id)?;
        let attempt = step.with(|step| (step.status == StepStatus::Running).then_some(step.attempt))?;
        self.progress.with(|progress| progress.get(id).filter(|told| told.attempt == attempt).cloned())
    }

    /// The number of the newest event that is known.
    pub fn last_seq(self) -> i64 {
        self.last_seq.get_value()
    }

    /// Where the run stands.
    pub fn status(self) -> Signal<RunStatus> {
        Signal::derive(move || self.summary.read().status)
    }

    /// The newest moment that the run knows of: "now" for those without a clock, so that the server draws the same bars.
    pub fn latest(self) -> Timestamp {
        let ended = self.summary.with_untracked(|run| run.ended_at.or(run.started_at).unwrap_or(run.created_at));
        self.steps.with_value(|steps| {
            let spans = steps.values().filter_map(|step| {
                step.with_untracked(|step| step.spans.last().map(|span| span.to.unwrap_or(span.from)))
            });
            spans.fold(ended, Timestamp::max)
        })
    }

    /// Takes over what was read, unless something newer is known. Only what differs is written.
    pub fn take(self, detail: RunDetail) {
        if self.last_seq.try_get_value().is_none_or(|seen| detail.last_seq < seen) {
            return;
        }
        let RunDetail { summary, inputs, output, error, steps, compensation, last_seq, lineage, .. } = detail;
        if self.summary.try_with_untracked(|known| known.version != summary.version) == Some(true)
            && let Some(Renew(renew)) = self.renew
        {
            renew.try_update(|renew| *renew += 1);
            return;
        }
        self.last_seq.set_value(last_seq);
        write_if_other(self.moves, last_seq);
        write_if_other(self.summary, summary);
        write_if_other(self.lineage, lineage);
        self.take_undone(compensation);
        write_if_other(self.ends, Ends { inputs, output, error });
        for step in steps {
            if let Some(known) = self.step(&step.id) {
                write_if_other(known, step);
            }
        }
    }

    fn take_undone(self, compensation: Option<CompensationDetail>) {
        let steps = compensation.iter().flat_map(|undone| &undone.steps);
        let steps: Vec<StepState> =
            steps.map(|step| StepState { id: format!("{UNDO}{}", step.id), ..step.clone() }).collect();
        let ids = steps.iter().map(|step| step.id.clone()).collect();
        for step in steps {
            match self.step(&step.id) {
                Some(known) => write_if_other(known, step),
                None => self.steps.update_value(|steps| {
                    steps.insert(step.id.clone(), RwSignal::new(step));
                }),
            }
        }
        write_if_other(self.undone, ids);
        write_if_other(self.compensation, compensation);
    }

    /// Takes over the answer to a command.
    pub fn take_summary(self, summary: RunSummary) {
        // A new version is taken over with all that it runs.
        if self.summary.try_with_untracked(|known| known.version == summary.version) == Some(true) {
            write_if_other(self.summary, summary);
        }
        self.reload_soon();
    }

    /// Gives the run a command and takes over what came of it. Why it was refused is said at the edge of the page.
    pub async fn control(self, command: Command, toasts: Toasts) {
        match api::runs::control_run(self.id, command).await {
            Ok(summary) => self.take_summary(summary),
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
    }

    /// Follows the run as long as the caller's owner lives.
    pub fn follow(self) {
        let after = move || self.last_seq.try_get_value().unwrap_or_default();
        follow(Signal::stored(Some(Topic::Run(self.id))), after, move |message| {
            self.hear(message);
        });
        Effect::new(move |_| self.read_log());
    }

    fn hear(self, message: ServerMessage) {
        match message {
            ServerMessage::Snapshot { .. } => {
                self.reload_soon();
                self.read_log();
            }
            ServerMessage::Update(update) if update.kind == "log" => {
                let Ok(chunk) = serde_json::from_value::<LogChunk>(update.data) else {
                    return;
                };
                if self.log.try_update(|log| log.hear(&chunk)) == Some(Heard::Gap) {
                    self.read_log();
                }
            }
            ServerMessage::Update(update) if update.kind == "progress" => {
                // Those inside of containers are many, and shown nowhere.
                if let Ok(told) = serde_json::from_value::<StepProgress>(update.data)
                    && self.step(&told.step).is_some()
                {
                    self.progress.try_update(|progress| progress.insert(told.step.clone(), told));
                }
            }
            ServerMessage::Update(_) => self.reload_soon(),
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        }
    }

    /// Reads the run anew in a moment; what is told until then is read along.
    fn reload_soon(self) {
        if self.reload_waits.try_get_value() != Some(false) {
            return;
        }
        self.reload_waits.set_value(true);
        let read = async move {
            // A run that can't be read now keeps what is shown; the next change, or the reconnect, asks again.
            if let Ok(detail) = api::runs::get_run(self.id).await {
                self.take(detail);
            }
        };
        let timer = browser::after_ms(GATHER_MS, move || {
            self.reload_waits.try_set_value(false);
            spawn_local(read);
        });
        self.reload.keep(Some(timer));
    }

    /// Reads what the log has beyond what is known.
    pub fn read_log(self) {
        if self.log_loads.try_get_value() != Some(false) {
            return;
        }
        self.log_loads.set_value(true);
        self.log_error.set(None);
        spawn_local(async move {
            while let Some(after) = self.log.try_with_untracked(Logbook::last_seq) {
                match api::runs::list_run_logs(self.id, None, after, LOG_PAGE).await {
                    Ok(chunks) => {
                        let whole = chunks.len() < LOG_PAGE as usize;
                        if !chunks.is_empty() {
                            self.log.try_update(|log| chunks.iter().for_each(|chunk| log.add(chunk)));
                        }
                        if whole {
                            break;
                        }
                    }
                    Err(error) => {
                        self.log_error.try_set(Some(error));
                        break;
                    }
                }
            }
            self.log_loads.try_set_value(false);
        });
    }
}

/// Writes a value only if it differs, so that nothing is drawn again for nothing.
fn write_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|known| *known != value) == Some(true) {
        signal.try_set(value);
    }
}
