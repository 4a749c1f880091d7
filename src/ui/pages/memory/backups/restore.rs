//! A copy comes back: what would come of it is shown before anything is written.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::restore_backup;
use crate::model::memory::{BackupRestore, RestoreReport};
use crate::model::{ApiError, BackupId};
use crate::ui::components::{Button, ButtonVariant, Dialog, Tone, use_toasts};

/// Lines that are named in the dialog.
const NAMED: usize = 20;

/// Which copy comes back, and what would come of it.
#[derive(Clone, Copy)]
pub(super) struct Restore {
    open: RwSignal<bool>,
    of: RwSignal<Option<(BackupId, String)>>,
    told: RwSignal<Option<Result<RestoreReport, ApiError>>>,
    busy: RwSignal<bool>,
}

impl Restore {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            of: RwSignal::new(None),
            told: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// Opens the dialog for a copy, and asks what would come of it.
    pub(super) fn begin(self, id: BackupId, copy: String) {
        self.of.set(Some((id, copy.clone())));
        self.told.set(None);
        self.open.set(true);
        spawn_local(async move {
            let told = restore_backup(id, BackupRestore { copy: copy.clone(), preview: true }).await;
            // Another copy may have been chosen meanwhile.
            if self.of.try_get_untracked().flatten() == Some((id, copy)) {
                let _ = self.told.try_set(Some(told));
            }
        });
    }
}

/// The dialog.
#[component]
pub(super) fn RestoreDialog(restore: Restore) -> impl IntoView {
    let toasts = use_toasts();
    let Restore { open, of, told, busy } = restore;
    let send = move |()| {
        let Some((id, copy)) = of.get_untracked() else { return };
        busy.set(true);
        spawn_local(async move {
            match restore_backup(id, BackupRestore { copy, preview: false }).await {
                Ok(report) => {
                    toasts.say(Tone::Good, format!("{}.", said(&report, false)));
                    let _ = open.try_set(false);
                }
                Err(error) => drop(told.try_set(Some(Err(error)))),
            }
            let _ = busy.try_set(false);
        });
    };
    let refused = Signal::derive(move || {
        told.with(|told| match told {
            None => Some("What would come of it is not known yet".to_owned()),
            Some(Err(_)) => Some("The copy can't be read".to_owned()),
            Some(Ok(report)) if report.new + report.updated == 0 => Some("Everything is as in the copy".to_owned()),
            Some(Ok(_)) => None,
        })
    });
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Restore copy" variant=ButtonVariant::Primary busy refused on_press=send />
        }
    };
    let title = Signal::stored("Restore a copy".to_owned());
    let name = move || of.with(|of| of.as_ref().map(|(_, copy)| copy.clone()).unwrap_or_default());
    view! {
        <Dialog id="backup-restore" title open footer=ViewFn::from(footer)>
            <div class="stack">
                <p class="mono small over">{name}</p>
                <div class="stack" aria-live="polite">{move || match told.get() {
                    None => view! { <p class="dim">"Reading the copy…"</p> }.into_any(),
                    Some(Err(error)) => view! { <p role="alert">{error.detail().to_owned()}</p> }.into_any(),
                    Some(Ok(report)) => told_of(report),
                }}</div>
                <p class="small dim">"An entry that says something else gets a new version, so that what it says now stays in its history. What was written since under other keys stays."</p>
            </div>
        </Dialog>
    }
}

fn told_of(report: RestoreReport) -> AnyView {
    let head = format!("{}.", said(&report, true));
    let more = report.more_refused + report.refused.len().saturating_sub(NAMED) as u64;
    let lines = report.refused.into_iter().take(NAMED).map(|line| view! { <li class="small over">{line}</li> });
    let more = (more > 0).then(|| view! { <li class="small">{format!("{more} more lines")}</li> });
    view! { <p><b>{head}</b></p> <ul>{lines.collect_view()} {more}</ul> }.into_any()
}

/// What came of a copy, or would, in words.
fn said(report: &RestoreReport, would: bool) -> String {
    let RestoreReport { new, updated, unchanged, refused, more_refused } = report;
    let refused = refused.len() as u64 + more_refused;
    let verb = if would { "would come back" } else { "came back" };
    let changed = if would { "would get a new version" } else { "got a new version" };
    let mut said = format!("{new} {verb}, {updated} {changed}, {unchanged} are as in the copy");
    if refused > 0 {
        said.push_str(&format!(", {refused} do not fit"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_come_of_a_copy_is_told() {
        let report = RestoreReport { new: 1, updated: 2, unchanged: 3, ..RestoreReport::default() };
        assert_eq!(said(&report, true), "1 would come back, 2 would get a new version, 3 are as in the copy");
        let report = RestoreReport { refused: vec!["line 1".to_owned()], more_refused: 2, ..report };
        assert_eq!(said(&report, false), "1 came back, 2 got a new version, 3 are as in the copy, 3 do not fit");
    }
}
