//! Bringing a file's entries into the memory: choose it, see what would come of it, import it with progress, and take it back.
//!
//! The file is cut here and sent in parts, each a call, so that one sees how it goes on and can stop it. What is imported twice is
//! written once: the same file can be sent again.

mod told;

use leptos::ev::DragEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::told::Told;
use super::State;
use crate::api::memory::{change_entries, import_memory_part, preview_memory_import};
use crate::model::ApiError;
use crate::model::memory::{
    EntryBulk, EntryBulkDone, EntryStep, ImportItem, ImportKind, ImportPart, ImportRefusal, ImportReport, cut_import,
    import_parts,
};
use crate::ui::browser::{self, FileTexts};
use crate::ui::components::{
    Bound, Button, ButtonSize, ButtonVariant, Dialog, DialogSize, Icon, TextInput, Tone, use_toasts,
};
use crate::ui::format;

/// The largest file, or files together, in bytes; the command line reads larger ones.
const MOST_BYTES: u32 = 32 << 20;
/// Steps that one call takes back.
const PART: usize = 100;

/// What is being imported, and how far it is.
#[derive(Clone, Copy)]
pub(super) struct Import {
    open: RwSignal<bool>,
    /// What was chosen, in words.
    chosen: RwSignal<Option<String>>,
    kind: RwSignal<Option<ImportKind>>,
    parts: StoredValue<Vec<Vec<ImportItem>>>,
    /// Items that are too large for any call.
    too_large: StoredValue<Vec<ImportRefusal>>,
    into: RwSignal<String>,
    /// What would come of it, into the namespace that is asked for.
    preview: RwSignal<Option<ImportReport>>,
    /// What came of it.
    done: RwSignal<Option<ImportReport>>,
    /// How many of how many parts are done, while something is.
    progress: RwSignal<Option<(usize, usize)>>,
    stop: RwSignal<bool>,
    error: RwSignal<Option<String>>,
}

impl Import {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            chosen: RwSignal::new(None),
            kind: RwSignal::new(None),
            parts: StoredValue::new(Vec::new()),
            too_large: StoredValue::new(Vec::new()),
            into: RwSignal::new(String::new()),
            preview: RwSignal::new(None),
            done: RwSignal::new(None),
            progress: RwSignal::new(None),
            stop: RwSignal::new(false),
            error: RwSignal::new(None),
        }
    }

    /// Opens the dialog, where it stood if something is on its way.
    pub(super) fn begin(self) {
        if self.progress.with_untracked(Option::is_none) {
            self.chosen.set(None);
            self.kind.set(None);
            self.parts.set_value(Vec::new());
            self.too_large.set_value(Vec::new());
            self.into.set(String::new());
            self.preview.set(None);
            self.done.set(None);
            self.error.set(None);
        }
        self.open.set(true);
    }

    /// Takes files that a person gave, and says what would come of them.
    fn take(self, read: FileTexts) {
        if self.progress.with_untracked(Option::is_some) {
            self.error.set(Some("Another file is on its way: stop it first, or wait for it".to_owned()));
            return;
        }
        self.preview.set(None);
        self.done.set(None);
        match read.and_then(cut_all) {
            Err(why) => self.error.set(Some(why)),
            Ok((said, kind, items)) => {
                let (parts, too_large) = import_parts(items);
                self.error.set(None);
                self.chosen.set(Some(said));
                self.kind.set(Some(kind));
                self.parts.set_value(parts);
                self.too_large.set_value(too_large);
                self.run(false);
            }
        }
    }

    /// The namespace that was asked for.
    fn place(self) -> String {
        self.into.with_untracked(|into| trimmed(into).to_owned())
    }

    /// Sends part after part: to be looked at, or to be written.
    fn run(self, writes: bool) {
        let Some(kind) = self.kind.get_untracked().filter(|_| self.progress.with_untracked(Option::is_none)) else {
            return;
        };
        let (parts, into) = (self.parts.get_value(), self.place());
        self.error.set(None);
        self.stop.set(false);
        self.progress.set(Some((0, parts.len())));
        spawn_local(async move {
            let mut all = ImportReport::default();
            for ImportRefusal { place, reason } in self.too_large.try_get_value().unwrap_or_default() {
                all.refuse(&place, reason);
            }
            let of = parts.len();
            for (at, items) in parts.into_iter().enumerate() {
                let goes_on = self.progress.try_set(Some((at, of))).is_none();
                if !goes_on || self.stop.try_get_untracked() != Some(false) {
                    let _ = self.error.try_set(Some("It was stopped before the end".to_owned()));
                    break;
                }
                let part = ImportPart { kind, items, into: into.clone() };
                let answer = if writes { import_memory_part(part).await } else { preview_memory_import(part).await };
                match answer {
                    Ok(report) => all.join(report),
                    Err(error) => {
                        let _ = self.error.try_set(Some(error.detail().to_owned()));
                        break;
                    }
                }
            }
            if writes {
                let _ = self.done.try_set(Some(all));
            } else if self.into.try_with_untracked(|now| trimmed(now) == into) == Some(true) {
                // For another place it would come out otherwise.
                let _ = self.preview.try_set(Some(all));
            }
            let _ = self.progress.try_set(None);
        });
    }
}

/// A namespace as it was typed.
fn trimmed(into: &str) -> &str {
    into.trim().trim_matches('/')
}

/// What files are together: one of any kind, or several of Markdown.
fn cut_all(files: Vec<(String, String)>) -> Result<(String, ImportKind, Vec<ImportItem>), String> {
    let is_markdown = |name: &str| matches!(name.rsplit('.').next(), Some("md" | "markdown"));
    // Of a folder only its Markdown is read; one file alone is read as what it is.
    let files = match files.len() {
        1 => files,
        _ => files.into_iter().filter(|(name, _)| is_markdown(name)).collect(),
    };
    let said = match files.as_slice() {
        [] => return Err("expected one file, or files of Markdown".to_owned()),
        [(name, _)] => name.clone(),
        many => format!("{} files", format::count(many.len() as i64)),
    };
    let (mut kind, mut items) = (ImportKind::Markdown, Vec::new());
    for (name, text) in files {
        let (own, cut) = cut_import(&name, &text).map_err(|why| format!("{name}: {why}"))?;
        kind = own;
        items.extend(cut);
    }
    Ok((said, kind, items))
}

/// The dialog; it stands at the level of the page.
#[component]
pub(super) fn ImportDialog(state: State) -> impl IntoView {
    let import = state.import;
    let busy = Signal::derive(move || import.progress.with(Option::is_some));
    let no_file = move || import.kind.with(Option::is_none).then(|| "Choose a file first".to_owned());
    let lacks_file = Signal::derive(no_file);
    let lacks = Signal::derive(move || {
        state.refused.get().or_else(no_file).or_else(|| {
            import.preview.with(|preview| match preview {
                None => Some("See first what would come of it".to_owned()),
                Some(report) if report.new + report.updated == 0 => Some("Nothing of it would be written".to_owned()),
                Some(_) => None,
            })
        })
    });
    // What is written shows in the list, whenever it ends.
    Effect::new(move |before: Option<bool>| {
        let is_done = import.done.with(Option::is_some);
        if before == Some(false) && is_done {
            state.load_anew();
        }
        is_done
    });
    let footer = move || {
        view! {
            <Button label="Close" on_press=move |()| import.open.set(false) />
            <Show when=move || import.done.with(Option::is_none) fallback=move || view! { <UndoButton state /> }>
                <Button label="Preview" busy refused=lacks_file on_press=move |()| import.run(false) />
                <Button label="Import" icon="upload" variant=ButtonVariant::Primary busy refused=lacks on_press=move |()| import.run(true) />
            </Show>
        }
    };
    // Another place is another import: what was seen is not what would come.
    let place = Bound::from((
        Signal::from(import.into),
        Callback::new(move |into: String| {
            import.into.set(into);
            import.preview.set(None);
        }),
    ));
    let hint = Signal::stored(Some("Everything goes below it; empty: each entry where its file says.".to_owned()));
    view! {
        <Dialog id="memory-import" title="Import entries" open=import.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <div class="form">
                <Show when=move || import.done.with(Option::is_none)>
                    <Choose import />
                    <TextInput id="import-into" label="Into the namespace" value=place hint />
                </Show>
                <Progress import />
                {move || import.error.get().map(|error| view! { <p class="notice" data-tone="bad" role="alert">{error}</p> })}
                {move || match (import.done.get(), import.preview.get()) {
                    (Some(report), _) => Some(view! { <Told report is_done=true /> }),
                    (None, Some(report)) => Some(view! { <Told report is_done=false /> }),
                    (None, None) => None,
                }}
            </div>
        </Dialog>
    }
}

/// Where files are dropped or chosen.
#[component]
fn Choose(import: Import) -> impl IntoView {
    let over = RwSignal::new(false);
    let take = Callback::new(move |read: FileTexts| import.take(read));
    let drag = move |is_over: bool| {
        move |event: DragEvent| {
            event.prevent_default();
            over.set(is_over);
        }
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        browser::read_dropped_files(&event, MOST_BYTES, take);
    };
    let said = move || match (import.chosen.get(), import.kind.get()) {
        (Some(name), Some(kind)) => format!("{name}, {}. Drop another, or ", kind.label()),
        _ => "Drop JSON Lines, CSV, Markdown, or an export of ChatGPT, Claude or mem0, or ".to_owned(),
    };
    view! {
        <label
            class="dropzone"
            data-over=move || over.get().then_some("")
            on:dragover=drag(true)
            on:dragenter=drag(true)
            on:dragleave=drag(false)
            on:drop=dropped
        >
            <Icon name="upload" />
            <span>{said}<span class="link">"choose a file"</span></span>
            <input
                class="visually-hidden"
                type="file"
                multiple
                accept=".jsonl,.ndjson,.json,.csv,.md,.markdown"
                on:change=move |event| browser::read_chosen_files(&event, MOST_BYTES, take)
            />
        </label>
        <label class="small">
            <span class="link">"Choose a folder of Markdown"</span>
            " (its folders become namespaces)"
            <input
                class="visually-hidden"
                type="file"
                prop:webkitdirectory=true
                on:change=move |event| browser::read_chosen_files(&event, MOST_BYTES, take)
            />
        </label>
    }
}

/// How far it is, and a way to stop.
#[component]
fn Progress(import: Import) -> impl IntoView {
    move || {
        let (at, of) = import.progress.get()?;
        let share = if of == 0 { 100.0 } else { at as f64 * 100.0 / of as f64 };
        Some(view! {
            <div class="row">
                <span
                    class="meter grow"
                    role="progressbar"
                    aria-label="Import"
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=format!("{share:.0}")
                    style=format!("--value: {share:.0}%")
                ></span>
                <span class="small num">{format!("{share:.0} %")}</span>
                <Button label="Stop" icon="stop" size=ButtonSize::Small on_press=move |()| import.stop.set(true) />
            </div>
        })
    }
}

/// Takes back what was imported.
#[component]
fn UndoButton(state: State) -> impl IntoView {
    let import = state.import;
    let toasts = use_toasts();
    let busy = Signal::derive(move || import.progress.with(Option::is_some));
    let nothing = Signal::derive(move || {
        let is_empty = import.done.with(|done| done.as_ref().is_none_or(|done| done.undo.is_empty()));
        is_empty.then(|| "Nothing was written".to_owned())
    });
    let undo = move |()| {
        let Some(steps) = import.done.get_untracked().map(|done| done.undo) else { return };
        import.progress.set(Some((0, 1)));
        spawn_local(async move {
            let (done, sent, error) = take_back(import, steps).await;
            let _ = import.progress.try_set(None);
            if let Some(error) = error {
                let _ = import.error.try_set(Some(error.detail().to_owned()));
            } else {
                let _ = import.open.try_set(false);
                let said = format!("{} as before", super::bulk::entries(done.done as usize));
                let kept = done.refused.len();
                match kept {
                    0 => toasts.say(Tone::Good, said),
                    kept => toasts.say(Tone::Warn, format!("{said}; {kept} were changed meanwhile and stay")),
                }
            }
            // What is taken back is not taken back twice; what is left can be.
            let _ = import.done.try_update(|report| {
                if let Some(report) = report {
                    report.undo.drain(..sent.min(report.undo.len()));
                }
            });
            state.load_anew();
        });
    };
    view! { <Button label="Undo the import" icon="undo" busy refused=nothing on_press=undo /> }
}

/// What came of the steps, how many of them were sent, and why not all were.
async fn take_back(import: Import, steps: Vec<EntryStep>) -> (EntryBulkDone, usize, Option<ApiError>) {
    let (of, mut all, mut sent) = (steps.len(), EntryBulkDone::default(), 0);
    for (at, part) in steps.chunks(PART).enumerate() {
        import.progress.try_set(Some((at * PART, of)));
        match change_entries(EntryBulk { steps: part.to_vec() }).await {
            Ok(done) => all.join(done),
            Err(error) => return (all, sent, Some(error)),
        }
        sent += part.len();
    }
    (all, sent, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn one_file_is_what_it_is_and_several_are_markdown() {
        let (said, kind, items) = cut_all(vec![file("a.csv", "key,content\nk,text")]).unwrap();
        assert_eq!((said.as_str(), kind, items.len()), ("a.csv", ImportKind::Csv, 1));
        let folder = vec![file("a.md", "A"), file("code/b.md", "B"), file("code/b.png", "x")];
        let (said, kind, items) = cut_all(folder).unwrap();
        assert_eq!((said.as_str(), kind), ("2 files", ImportKind::Markdown));
        assert_eq!(items.iter().map(|item| item.place.as_str()).collect::<Vec<_>>(), ["a.md", "code/b.md"]);
        assert!(cut_all(vec![file("a.jsonl", "{}"), file("b.jsonl", "{}")]).is_err());
        assert!(cut_all(vec![file("a.json", "[]")]).unwrap_err().starts_with("a.json: "));
    }
}
