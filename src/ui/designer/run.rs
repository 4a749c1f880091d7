//! Trying the draft out: a test run, followed live, laid over the graph.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};

use super::editor::Editor;
use super::overlay::{Overlay, RunView};
use super::problems::{Problems, sentence};
use super::save::{SaveState, Saver};
use crate::api;
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{Command, LogChunk, RunFilter, StepProgress};
use crate::model::{ApiError, PageRequest, RunId, Timestamp, WorkflowId};
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone};
use crate::ui::state::live;

/// The shortest time between two looks at a run in motion.
const LOOK_MS: i32 = 120;
/// How many chunks of the log are kept.
const KEPT_CHUNKS: usize = 4_000;

/// The run over the graph, and how to start another. Copied into the views through the context.
#[derive(Clone, Copy)]
pub struct Runner {
    workflow: WorkflowId,
    editor: Editor,
    saver: Saver,
    problems: Problems,
    toasts: Toasts,
    /// What the run looks like.
    pub overlay: Overlay,
    /// The run that is followed.
    pub run: RwSignal<Option<RunId>>,
    /// Whether the inputs are being asked for.
    pub asking: RwSignal<bool>,
    /// Whether one is on its way: a second press starts no second one.
    pub starting: RwSignal<bool>,
    /// Why the server did not start the one whose inputs are being asked for.
    pub refused: RwSignal<Option<ApiError>>,
    /// The step that the run asked for goes up to; `None` for the whole.
    until: RwSignal<Option<String>>,
    /// What the followed run prints, since it is followed.
    pub log: RwSignal<Vec<LogChunk>>,
    /// Inputs that wait until the draft is saved.
    waiting: RwSignal<Option<(Value, Option<String>)>>,
    looking: StoredValue<Looking>,
}

/// Whether the run is being read, and whether it moved meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Looking {
    No,
    Yes,
    Again,
}

/// The runner of the designer that this stands in.
pub fn use_runner() -> Runner {
    expect_context::<Runner>()
}

impl Runner {
    /// A runner for a workflow; owned by the calling component.
    pub fn new(
        workflow: WorkflowId,
        editor: Editor,
        saver: Saver,
        overlay: Overlay,
        problems: Problems,
        toasts: Toasts,
    ) -> Self {
        let runner = Self {
            workflow,
            editor,
            saver,
            problems,
            toasts,
            overlay,
            run: RwSignal::new(None),
            asking: RwSignal::new(false),
            starting: RwSignal::new(false),
            refused: RwSignal::new(None),
            until: RwSignal::new(None),
            log: RwSignal::new(Vec::new()),
            waiting: RwSignal::new(None),
            looking: StoredValue::new(Looking::No),
        };
        runner.follow();
        runner.start_when_saved();
        runner.tick();
        super::run_inside::follow(editor, overlay);
        Effect::new(move |_| runner.find_last());
        runner
    }

    /// Asks for the inputs, or starts at once when there are none. Says why not when the draft has errors.
    pub fn ask(self) {
        self.ask_up_to(None);
    }

    /// The same for a run that goes up to a step.
    pub fn ask_up_to(self, until: Option<String>) {
        if self.starting.get_untracked() {
            return;
        }
        self.until.set(until);
        if let Some(why) = untrack(|| self.problems.refusal()) {
            self.toasts.say(Tone::Warn, format!("{why}, then test it."));
        } else if self.editor.with(|document| super::test_run::questions(&document.details.inputs).is_empty()) {
            self.start(json!({}));
        } else {
            self.refused.set(None);
            self.asking.set(true);
        }
    }

    /// Starts a test run of the draft, as soon as it is saved.
    pub fn start(self, inputs: Value) {
        if self.starting.get_untracked() {
            return;
        }
        self.starting.set(true);
        self.refused.set(None);
        if self.saver.state.get_untracked() == SaveState::Edited {
            self.saver.save();
        }
        self.waiting.set(Some((inputs, self.until.get_untracked())));
    }

    /// Tells the run something.
    pub fn command(self, command: Command) {
        let Some(id) = self.run.get_untracked() else { return };
        spawn_local(async move {
            if let Err(error) = api::runs::control_run(id, command).await {
                self.toasts.say(Tone::Bad, sentence(error.detail()));
            }
            self.look();
        });
    }

    /// Takes the run off the graph; its data stays for previews.
    pub fn hide(self) {
        self.overlay.shown.set(false);
    }

    fn start_when_saved(self) {
        Effect::new(move |_| {
            let Some((inputs, until)) = self.waiting.get() else { return };
            match self.saver.state.get() {
                SaveState::Edited | SaveState::Saving => {}
                SaveState::Saved => {
                    self.waiting.set(None);
                    self.send(inputs, until);
                }
                SaveState::Failed(_) | SaveState::Conflict { .. } => {
                    self.waiting.set(None);
                    self.starting.set(false);
                    self.toasts.say(Tone::Bad, "Not started: the draft is not saved.");
                }
            }
        });
    }

    fn send(self, inputs: Value, until: Option<String>) {
        spawn_local(async move {
            let seen = self.saver.revision.try_get_untracked();
            let answer = api::runs::start_run(self.workflow, inputs, None, true, until, seen).await;
            let _ = self.starting.try_set(false);
            match answer {
                Ok(id) => {
                    let _ = self.asking.try_set(false);
                    let _ = self.log.try_set(Vec::new());
                    self.overlay.forget();
                    let _ = self.run.try_set(Some(id));
                    self.editor.say("Test run started");
                    self.look();
                }
                Err(error @ ApiError::Conflict { .. }) => self.saver.overtaken(&error),
                Err(error) if self.asking.try_get_untracked() == Some(true) => self.refused.set(Some(error)),
                Err(error) => self.toasts.say(Tone::Bad, refused(&error)),
            }
        });
    }

    /// The newest run of this workflow lends its data to previews; it is not laid over the graph.
    fn find_last(self) {
        let filter = RunFilter { workflow_id: Some(self.workflow), ..RunFilter::default() };
        spawn_local(async move {
            let page = PageRequest { limit: 1, cursor: None };
            let Ok(found) = api::runs::list_runs(filter, page).await else {
                return;
            };
            let Some(last) = found.items.into_iter().next() else {
                return;
            };
            if self.run.try_get_untracked() == Some(None) {
                let moving = !last.status.is_final();
                let _ = self.overlay.shown.try_set(moving);
                let _ = self.run.try_set(Some(last.id));
                self.look();
            }
        });
    }

    fn follow(self) {
        let topic = Signal::derive(move || self.run.get().map(Topic::Run));
        let after = move || {
            self.overlay.run.try_with_untracked(|run| run.as_ref().map_or(0, |run| run.detail.last_seq)).unwrap_or(0)
        };
        live::follow(topic, after, move |message| match message {
            ServerMessage::Update(update) if update.kind == "log" => {
                if let Ok(chunk) = serde_json::from_value::<LogChunk>(update.data) {
                    self.log.try_update(|log| {
                        log.push(chunk);
                        let over = log.len().saturating_sub(KEPT_CHUNKS);
                        log.drain(..over);
                    });
                }
            }
            ServerMessage::Update(update) if update.kind == "progress" => {
                if let Ok(told) = serde_json::from_value::<StepProgress>(update.data) {
                    self.overlay.hear(told);
                }
            }
            ServerMessage::Update(_) | ServerMessage::Snapshot { .. } => self.look(),
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        });
    }

    /// Reads the run anew; while it is being read, once more afterwards.
    fn look(self) {
        let Some(id) = self.run.try_get_untracked().flatten() else {
            return;
        };
        if self.looking.try_get_value() != Some(Looking::No) {
            self.looking.try_update_value(|looking| *looking = Looking::Again);
            return;
        }
        self.looking.set_value(Looking::Yes);
        spawn_local(async move {
            let answer = api::runs::get_run(id).await;
            if let Ok(detail) = answer
                && self.run.try_get_untracked() == Some(Some(id))
            {
                self.announce(&detail);
                let _ = self.overlay.run.try_update(|run| {
                    // The bodies that are looked at stay until they are read anew.
                    let known = run.take().filter(|run| run.detail.summary.id == detail.summary.id);
                    let inside = known.map(|run| run.inside).unwrap_or_default();
                    *run = Some(RunView::new(detail).looking_into(inside));
                });
            }
            let again = self.looking.try_update_value(|looking| std::mem::replace(looking, Looking::No));
            if again == Some(Looking::Again) {
                browser::after_ms_detached(LOOK_MS, move || self.look());
            }
        });
    }

    /// Only the end of the run is said: steps come too fast to be listened to.
    fn announce(self, detail: &crate::model::workflow::RunDetail) {
        let status = detail.summary.status;
        let was_final = self
            .overlay
            .run
            .try_with_untracked(|run| run.as_ref().is_some_and(|run| run.detail.summary.status.is_final()));
        if status.is_final() && was_final == Some(false) {
            self.editor.say(format!("Test run {}", status.label().to_lowercase()));
        }
    }

    /// Moves the clock on while the run is in motion.
    fn tick(self) {
        let moving = Memo::new(move |_| {
            self.overlay.shown.get()
                && self.overlay.run.read().as_ref().is_some_and(|run| !run.detail.summary.status.is_final())
        });
        Effect::new(move |_| {
            let now = move || {
                let _ = self.overlay.now.try_set(Timestamp(browser::now_ms() as i64 * 1000));
            };
            if moving.get() {
                now();
                let guard = StoredValue::new_local(browser::every_ms(1000, now));
                on_cleanup(move || guard.dispose());
            }
        });
    }
}

/// That a run was not started, and why.
pub fn refused(error: &ApiError) -> String {
    format!("Not started. {}", sentence(error.detail()))
}
