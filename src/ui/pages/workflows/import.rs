//! Making a workflow from a file: chosen, dropped or pasted.

use leptos::ev::{DragEvent, SubmitEvent};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;

use crate::api;
use crate::ui::browser;
use crate::ui::components::{Button, ButtonVariant, Dialog, DialogSize, Icon, TextArea};

const FORM: &str = "import-form";
/// The largest file in bytes, as the server has it.
const MOST_BYTES: u32 = 4 * 1024 * 1024;

/// Takes the text of a YAML or JSON file, makes a workflow and opens it.
#[component]
pub fn ImportDialog(open: RwSignal<bool>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let footer = move || {
        view! {
            <Button label="Close" on_press=move |()| open.set(false) />
            <Button label="Import the workflow" icon="upload" variant=ButtonVariant::Primary submit=true busy attr:form=FORM />
        }
    };
    view! {
        <Dialog id="import" title="Import a workflow" open size=DialogSize::Large footer=ViewFn::from(footer)>
            <ImportForm busy />
        </Dialog>
    }
}

#[component]
fn ImportForm(busy: RwSignal<bool>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let file = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let take = Callback::new(move |read: browser::FileText| match read {
        Ok((name, content)) => {
            file.set(Some(name));
            text.set(content);
            error.set(None);
        }
        Err(reason) => error.set(Some(reason)),
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let content = text.get_untracked();
        if busy.get_untracked() {
            return;
        }
        if content.trim().is_empty() {
            error.set(Some("choose a file, or paste its text".to_owned()));
            return;
        }
        busy.set(true);
        error.set(None);
        let navigate = navigate.clone();
        spawn_local(async move {
            match api::workflows::import_workflow(content).await {
                Ok(workflow) => {
                    navigate(&format!("/workflows/{}", workflow.id), leptos_router::NavigateOptions::default())
                }
                Err(refused) => {
                    error.try_set(Some(refused.detail().to_owned()));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            <Drop file take />
            <TextArea
                id="import-text"
                label="Text of the file"
                hint=Some("YAML or JSON, as the export writes it.".to_owned())
                value=text
                error=Signal::derive(move || error.get())
                rows=14
                mono=true
            />
        </form>
    }
}

#[component]
fn Drop(file: RwSignal<Option<String>>, take: Callback<browser::FileText>) -> impl IntoView {
    let over = RwSignal::new(false);
    let drag = move |is_over: bool| {
        move |event: DragEvent| {
            event.prevent_default();
            over.set(is_over);
        }
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        browser::read_dropped_file(&event, MOST_BYTES, take);
    };
    let said = move || {
        file.get().map_or_else(
            || "Drop a YAML or JSON file, or ".to_owned(),
            |name| format!("{name} is read. Drop another, or "),
        )
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
            <span>{said}<span class="link">"choose one"</span></span>
            <input
                class="visually-hidden"
                type="file"
                accept=".yaml,.yml,.json"
                on:change=move |event| browser::read_chosen_file(&event, MOST_BYTES, take)
            />
        </label>
    }
}
