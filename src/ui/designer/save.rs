//! Autosave: an edit that has settled goes to the server; its state is always visible, and no edit is lost: not one of
//! another, and not one's own by leaving.

use std::sync::Arc;

use futures::lock::Mutex;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::editor::Editor;
use crate::api;
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{Definition, Workflow};
use crate::model::{ApiError, WorkflowId};
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone, use_toasts};
use crate::ui::state::live;

/// How long the draft is left alone before it is saved.
const SETTLE_MS: i32 = 800;
/// How long after a failure that may pass it is tried again.
const RETRY_MS: i32 = 5_000;

/// Where the draft stands.
#[derive(Debug, Clone, PartialEq)]
pub enum SaveState {
    /// The server has it.
    Saved,
    /// Edited; it will be sent in a moment.
    Edited,
    /// On its way.
    Saving,
    /// It could not be sent; the sentence says why.
    Failed(String),
    /// Someone else saved revision `theirs` meanwhile; nothing is sent until a person decides.
    Conflict {
        /// The server's revision, once known.
        theirs: Option<i64>,
    },
}

impl SaveState {
    /// As `data-state` of `.save-state`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Edited | Self::Saving => "saving",
            Self::Failed(_) => "failed",
            Self::Conflict { .. } => "conflict",
        }
    }

    /// As it is said in the header.
    pub fn label(&self) -> String {
        match self {
            Self::Saved => "Saved".to_owned(),
            Self::Edited | Self::Saving => "Saving…".to_owned(),
            Self::Failed(_) => "Not saved".to_owned(),
            Self::Conflict { .. } => "Conflict".to_owned(),
        }
    }
}

/// Edits that could not be saved before their page was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsaved {
    /// From which revision they were made.
    pub revision: i64,
    /// The whole draft.
    pub draft: Definition,
}

/// Where they are kept in the tab.
fn unsaved_key(id: WorkflowId) -> String {
    format!("weft-unsaved-{id}")
}

/// What the server is known to have. Locked while something is on its way to it, also after the page is gone.
#[derive(Debug)]
struct Standing {
    revision: i64,
    /// The number of the edit that it has.
    saved: u32,
}

/// The saving of one draft. Copied into the views through the context.
#[derive(Clone, Copy)]
pub struct Saver {
    editor: Editor,
    id: WorkflowId,
    /// Where the draft stands.
    pub state: RwSignal<SaveState>,
    /// The revision that the server has, from which this draft is edited.
    pub revision: RwSignal<i64>,
    /// Whether the draft differs from the newest version.
    pub draft_changed: RwSignal<bool>,
    /// The newest version.
    pub published: RwSignal<Option<i64>>,
    /// What was not saved when this page was left before, until somebody decides.
    pub unsaved: RwSignal<Option<Unsaved>>,
    saved: StoredValue<u32>,
    standing: StoredValue<Arc<Mutex<Standing>>>,
    toasts: Toasts,
}

impl Saver {
    /// Saves the editor's draft from now on, as long as the caller's owner lives.
    pub fn new(editor: Editor, workflow: &Workflow) -> Self {
        let saver = Self {
            editor,
            id: workflow.id,
            state: RwSignal::new(SaveState::Saved),
            revision: RwSignal::new(workflow.revision),
            draft_changed: RwSignal::new(workflow.draft_changed),
            published: RwSignal::new(workflow.published_version),
            unsaved: RwSignal::new(None),
            saved: StoredValue::new(0),
            standing: StoredValue::new(Arc::new(Mutex::new(Standing { revision: workflow.revision, saved: 0 }))),
            toasts: use_toasts(),
        };
        saver.listen();
        if editor.may_edit {
            saver.follow();
            let draft = workflow.draft.clone();
            Effect::new(move |_| saver.remember(&draft));
        }
        saver
    }

    /// Looks whether something was left here that is not saved.
    fn remember(self, draft: &Definition) {
        let key = unsaved_key(self.id);
        let Some(text) = browser::kept_in_tab(&key) else { return };
        match serde_json::from_str::<Unsaved>(&text) {
            Ok(unsaved) if unsaved.draft != *draft => self.unsaved.set(Some(unsaved)),
            _ => browser::forget_in_tab(&key),
        }
    }

    /// Shows what others save, as long as nothing is edited here.
    fn listen(self) {
        let after = || 0;
        live::follow(Signal::stored(Some(Topic::Workflows)), after, move |message| {
            let ServerMessage::Update(update) = message else { return };
            let is_this = update.data.get("id").and_then(|id| id.as_str()) == Some(self.id.to_string().as_str());
            if is_this && self.is_untouched() {
                spawn_local(self.catch_up());
            }
        });
    }

    /// Whether the server has everything that was edited here, and nobody is in the middle of something.
    fn is_untouched(self) -> bool {
        let at_rest = self.state.try_get_untracked() == Some(SaveState::Saved);
        at_rest && self.editor.tool.try_with_untracked(super::tool::Tool::is_idle) == Some(true)
    }

    /// Reads the draft, and shows it where it is newer than what is shown.
    async fn catch_up(self) {
        let Ok(workflow) = api::workflows::get_workflow(self.id).await else { return };
        let is_newer = self.revision.try_get_untracked().is_some_and(|seen| workflow.revision > seen);
        if is_newer && self.is_untouched() {
            self.take(workflow);
            self.editor.say("Somebody else changed this workflow");
        } else if self.revision.try_get_untracked() == Some(workflow.revision) {
            let _ = self.published.try_set(workflow.published_version);
            let _ = self.draft_changed.try_set(workflow.draft_changed);
        }
    }

    /// Something that was asked for what is shown met a conflict: shows what somebody else saved, if that is why, and says so;
    /// else says what the server said.
    pub fn overtaken(self, error: &ApiError) {
        let said = super::problems::sentence(error.detail());
        spawn_local(async move {
            let seen = self.revision.try_get_untracked();
            if self.is_untouched() {
                self.catch_up().await;
            }
            if self.revision.try_get_untracked() == seen {
                self.toasts.say(Tone::Bad, said);
            } else {
                self.toasts
                    .say(Tone::Warn, "Somebody else changed this workflow just now: look at it, then do that again.");
            }
        });
    }

    /// Shows what the server has.
    fn take(self, workflow: Workflow) {
        self.editor.load(workflow.draft);
        let edited = self.editor.edited.get_untracked();
        self.stands(workflow.revision, edited);
        self.published.set(workflow.published_version);
        self.draft_changed.set(workflow.draft_changed);
        self.state.set(SaveState::Saved);
    }

    /// The server has this revision, and in it this edit.
    fn stands(self, revision: i64, saved: u32) {
        self.saved.set_value(saved);
        self.revision.set(revision);
        // While it is locked, what is on its way says so itself.
        if let Some(mut standing) = self.standing.get_value().try_lock() {
            *standing = Standing { revision, saved };
        }
    }

    fn follow(self) {
        Effect::new(move |_| {
            let edited = self.editor.edited.get();
            if edited == self.saved.get_value() || matches!(self.state.get_untracked(), SaveState::Conflict { .. }) {
                return;
            }
            self.state.set(SaveState::Edited);
            let guard = StoredValue::new_local(browser::after_ms(SETTLE_MS, move || self.save()));
            on_cleanup(move || guard.dispose());
        });
        Effect::new(move |_| {
            let guard = StoredValue::new_local(browser::warn_before_leaving(move || {
                self.state.try_get_untracked().is_some_and(|state| state != SaveState::Saved)
            }));
            on_cleanup(move || guard.dispose());
        });
        on_cleanup(move || self.leave());
    }

    /// Leaving by a link keeps the page alive: what the server does not have yet goes out now, after what is on its way. What
    /// can't is kept in the tab.
    fn leave(self) {
        let Some(state) = self.state.try_get_untracked().filter(|state| *state != SaveState::Saved) else { return };
        let (id, toasts, standing) = (self.id, self.toasts, self.standing.get_value());
        let draft = self.editor.with(Document::whole);
        let edited = self.editor.edited.get_untracked();
        let is_conflict = matches!(state, SaveState::Conflict { .. });
        spawn_local(async move {
            let standing = standing.lock().await;
            if standing.saved == edited && !is_conflict {
                return;
            }
            let revision = standing.revision;
            let failed = is_conflict || api::workflows::save_draft(id, revision, draft.clone()).await.is_err();
            if !failed {
                return;
            }
            let name = draft.name.clone();
            let text = serde_json::to_string(&Unsaved { revision, draft }).unwrap_or_default();
            if browser::keep_in_tab(&unsaved_key(id), &text) {
                toasts.say(
                    Tone::Warn,
                    format!("Your last edits of “{name}” are not saved. Open it in this tab to take them up."),
                );
            } else {
                toasts.say(Tone::Bad, format!("Your last edits of “{name}” could not be saved and are lost."));
            }
        });
    }

    /// Sends the draft now.
    pub fn save(self) {
        if self.state.try_get_untracked().is_none_or(|state| state == SaveState::Saving) {
            return;
        }
        let sent = self.editor.edited.get_untracked();
        let definition = self.editor.with(Document::whole);
        let (id, revision, standing) = (self.id, self.revision.get_untracked(), self.standing.get_value());
        self.state.set(SaveState::Saving);
        spawn_local(async move {
            let answer = {
                let mut standing = standing.lock().await;
                let answer = api::workflows::save_draft(id, revision, definition).await;
                if let Ok(workflow) = &answer {
                    *standing = Standing { revision: workflow.revision, saved: sent };
                }
                answer
            };
            self.answered(sent, answer).await;
        });
    }

    async fn answered(self, sent: u32, answer: Result<Workflow, ApiError>) {
        match answer {
            Ok(workflow) => {
                if self.revision.try_set(workflow.revision).is_some() {
                    return; // the page is gone
                }
                self.draft_changed.set(workflow.draft_changed);
                self.published.set(workflow.published_version);
                self.saved.set_value(sent);
                let more = self.editor.edited.get_untracked() != sent;
                self.state.set(if more { SaveState::Edited } else { SaveState::Saved });
                self.settle_unsaved();
                if more {
                    self.save();
                }
            }
            Err(ApiError::Conflict { .. }) => {
                let theirs = api::workflows::get_workflow(self.id).await.ok().map(|workflow| workflow.revision);
                let _ = self.state.try_set(SaveState::Conflict { theirs });
            }
            Err(error) => {
                let may_pass = matches!(
                    error,
                    ApiError::Network { .. } | ApiError::Unavailable { .. } | ApiError::RateLimited { .. }
                );
                let _ = self.state.try_set(SaveState::Failed(why(&error)));
                if may_pass {
                    browser::after_ms_detached(RETRY_MS, move || {
                        if matches!(self.state.try_get_untracked(), Some(SaveState::Failed(_))) {
                            self.save();
                        }
                    });
                }
            }
        }
    }

    /// Puts what was left unsaved in the place of this draft. Where somebody saved since it is asked which one counts.
    pub fn take_up(self) {
        let Some(unsaved) = self.unsaved.get_untracked() else { return };
        let revision = self.revision.get_untracked();
        if unsaved.revision != revision {
            self.state.set(SaveState::Conflict { theirs: Some(revision) });
        }
        self.editor.load(unsaved.draft);
        self.editor.edited.update(|edited| *edited += 1);
        self.unsaved.set(None);
    }

    /// Forgets what was left unsaved, once it was taken up and that is decided; what nobody has looked at stays.
    fn settle_unsaved(self) {
        if self.unsaved.try_with_untracked(Option::is_none) == Some(true) {
            browser::forget_in_tab(&unsaved_key(self.id));
        }
    }

    /// Forgets what was left unsaved.
    pub fn forget_unsaved(self) {
        browser::forget_in_tab(&unsaved_key(self.id));
        let _ = self.unsaved.try_set(None);
    }

    /// Takes the server's draft in place of this one. What was edited here is gone.
    pub fn reload(self) {
        spawn_local(async move {
            match api::workflows::get_workflow(self.id).await {
                Ok(workflow) => {
                    self.take(workflow);
                    self.settle_unsaved();
                }
                Err(error) => self.state.set(SaveState::Failed(why(&error))),
            }
        });
    }

    /// Puts this draft in place of the server's.
    pub fn overwrite(self) {
        if let SaveState::Conflict { theirs: Some(theirs) } = self.state.get_untracked() {
            self.stands(theirs, self.saved.get_value());
        }
        self.save();
    }
}

/// Why it is not saved, in a sentence.
fn why(error: &ApiError) -> String {
    match error {
        ApiError::Unauthenticated { .. } => "You are signed out: log in in another tab, then save again.".to_owned(),
        ApiError::Network { .. } => "Weft doesn't answer; it is tried again by itself.".to_owned(),
        error => super::problems::sentence(error.detail()),
    }
}

/// The saver of the designer that this stands in.
pub fn use_saver() -> Saver {
    expect_context::<Saver>()
}
