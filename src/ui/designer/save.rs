//! Autosave: an edit that has settled goes to the server; its state is always visible, and no edit of another is lost.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::change::Change;
use super::editor::Editor;
use crate::api;
use crate::model::workflow::Workflow;
use crate::model::{ApiError, WorkflowId};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonSize, Icon};

/// How long the draft is left alone before it is saved.
const SETTLE_MS: i32 = 800;

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

    fn label(&self) -> String {
        match self {
            Self::Saved => "Saved".to_owned(),
            Self::Edited | Self::Saving => "Saving…".to_owned(),
            Self::Failed(_) => "Not saved".to_owned(),
            Self::Conflict { .. } => "Conflict".to_owned(),
        }
    }
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
    saved: StoredValue<u32>,
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
            saved: StoredValue::new(0),
        };
        if editor.may_edit {
            saver.follow();
        }
        saver
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
        on_cleanup(move || {
            // Leaving by a link keeps the page alive: what has not settled yet goes out now.
            if self.state.try_get_untracked() == Some(SaveState::Edited) {
                let (id, revision) = (self.id, self.revision.get_untracked());
                let definition = self.editor.with(super::document::Document::whole);
                spawn_local(async move {
                    let _ = api::workflows::save_draft(id, revision, definition).await;
                });
            }
        });
    }

    /// Sends the draft now.
    pub fn save(self) {
        if self.state.try_get_untracked().is_none_or(|state| state == SaveState::Saving) {
            return;
        }
        let sent = self.editor.edited.get_untracked();
        let definition = self.editor.with(super::document::Document::whole);
        let (id, revision) = (self.id, self.revision.get_untracked());
        self.state.set(SaveState::Saving);
        spawn_local(async move {
            let answer = api::workflows::save_draft(id, revision, definition).await;
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
                if more {
                    self.save();
                }
            }
            Err(ApiError::Conflict { .. }) => {
                let theirs = api::workflows::get_workflow(self.id).await.ok().map(|workflow| workflow.revision);
                let _ = self.state.try_set(SaveState::Conflict { theirs });
            }
            Err(error) => {
                let _ = self.state.try_set(SaveState::Failed(super::problems::sentence(error.detail())));
            }
        }
    }

    /// Takes the server's draft in place of this one. What was edited here is gone.
    pub fn reload(self) {
        spawn_local(async move {
            match api::workflows::get_workflow(self.id).await {
                Ok(workflow) => {
                    self.editor.perform(vec![Change::Load(Box::new(workflow.draft.clone()))]);
                    self.saved.set_value(self.editor.edited.get_untracked());
                    self.revision.set(workflow.revision);
                    self.draft_changed.set(workflow.draft_changed);
                    self.state.set(SaveState::Saved);
                }
                Err(error) => self.state.set(SaveState::Failed(super::problems::sentence(error.detail()))),
            }
        });
    }

    /// Puts this draft in place of the server's.
    pub fn overwrite(self) {
        if let SaveState::Conflict { theirs: Some(theirs) } = self.state.get_untracked() {
            self.revision.set(theirs);
        }
        self.save();
    }
}

/// The saver of the designer that this stands in.
pub fn use_saver() -> Saver {
    expect_context::<Saver>()
}

/// One word about the draft, in the header.
#[component]
pub fn SaveWord() -> impl IntoView {
    let saver = use_saver();
    view! {
        <span class="save-state" role="status" data-state=move || saver.state.read().as_str()>
            {move || saver.state.read().label()}
        </span>
    }
}

/// What to do about a draft that can't be saved, across the page.
#[component]
pub fn SaveBanner() -> impl IntoView {
    let saver = use_saver();
    move || match saver.state.get() {
        SaveState::Failed(why) => Some(
            view! {
                <div class="banner" data-tone="bad" role="alert">
                    <Icon name="warning" />
                    <span class="grow">{format!("Your last edits are not saved. {why}")}</span>
                    <Button label="Save again" size=ButtonSize::Small on_press=move |()| saver.save() />
                </div>
            }
            .into_any(),
        ),
        SaveState::Conflict { theirs } => {
            let revision = theirs.map_or_else(|| "a newer revision".to_owned(), |theirs| format!("revision {theirs}"));
            let said =
                format!("Someone else saved {revision} while you edited. Your draft is kept here, and not saved.");
            Some(
                view! {
                    <div class="banner" data-tone="warn" role="alert">
                        <Icon name="warning" />
                        <span class="grow">{said}</span>
                        <Button label="Take theirs" size=ButtonSize::Small on_press=move |()| saver.reload() />
                        <Button label="Overwrite with mine" size=ButtonSize::Small on_press=move |()| saver.overwrite() />
                    </div>
                }
                .into_any(),
            )
        }
        _ => None,
    }
}
