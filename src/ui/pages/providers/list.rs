//! The table of providers, with their tests and breakers.

use leptos::prelude::*;

use super::dialog::Asked;
use crate::api::providers::{delete_provider, list_providers, reset_provider, test_provider};
use crate::model::ProviderId;
use crate::model::gateway::{BreakerState, ModelHealth, Provider};
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, Tone, use_toasts,
};

/// Models that a row names.
const NAMED: usize = 3;

/// What the rows do together: ask again, ask before deleting.
#[derive(Clone, Copy)]
struct Table {
    asked: Asked,
    changed: RwSignal<u32>,
    deleting: RwSignal<Option<(ProviderId, String)>>,
    is_asking: RwSignal<bool>,
    may_manage: bool,
}

#[component]
pub(super) fn List(asked: Asked, changed: RwSignal<u32>, may_manage: bool) -> impl IntoView {
    let table = Table { asked, changed, deleting: RwSignal::new(None), is_asking: RwSignal::new(false), may_manage };
    let providers = Resource::new(move || changed.get(), |_| list_providers());
    view! {
        <Load resource=providers what="the providers" let:list>
            {if list.is_empty() {
                view! { <Nothing table /> }.into_any()
            } else {
                view! {
                    <DataTable label="Providers" columns=vec![Column::text("Provider"), Column::text("Models"), Column::text("State"), Column::text("")]>
                        {list.into_iter().map(|provider| view! { <Row provider table /> }).collect_view()}
                    </DataTable>
                }.into_any()
            }}
        </Load>
        {may_manage.then(|| view! { <DeleteDialog table /> })}
    }
}

#[component]
fn Nothing(table: Table) -> impl IntoView {
    let actions = move || {
        table.may_manage.then(|| view! {
            <Button label="Add a provider" icon="plus" variant=ButtonVariant::Primary on_press=move |()| table.asked.add() />
        })
    };
    let text = if table.may_manage {
        "Add one, so that prompt steps and programs that are pointed at Weft have a model to ask."
    } else {
        "Prompt steps have no model to ask until an admin of the workspace adds one."
    };
    view! { <EmptyState title="No providers yet" actions=ViewFnOnce::from(actions)>{text}</EmptyState> }
}

#[component]
fn Row(provider: Provider, table: Table) -> impl IntoView {
    let models = models_of(&provider);
    let (state, tone) = state_of(&provider);
    let notes: Vec<String> = provider.health.iter().filter(|one| one.state != BreakerState::Closed).map(note).collect();
    let has_notes = !notes.is_empty();
    let waiting = (provider.queue.waiting > 0).then(|| provider.queue.words(provider.limits));
    let key = provider.credential_hint.clone().map_or_else(|| "no key".to_owned(), |hint| format!("key {hint}"));
    let (name, kind, url) = (provider.name.clone(), provider.kind.label(), provider.base_url.clone());
    view! {
        <tr>
            <td>
                <a class="cover" href=format!("/providers/{}", provider.id)>{name}</a>
                <div class="small dim">{format!("{kind}, {key}")}</div>
                <div class="small dim mono">{url}</div>
            </td>
            <td data-wrap="">{models}</td>
            <td data-wrap="">
                <Badge label=state tone=tone />
                {notes.into_iter().chain(waiting).map(|note| view! { <div class="small dim">{note}</div> }).collect_view()}
            </td>
            <td class="row-actions">{table.may_manage.then(|| view! { <Acts provider has_notes table /> })}</td>
        </tr>
    }
}

#[component]
fn Acts(provider: Provider, has_notes: bool, table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let (id, name) = (provider.id, provider.name.clone());
    let test = Action::new(move |(): &()| test_provider(id));
    Effect::new(move |_| match test.value().get() {
        Some(Ok(found)) if found.ok => {
            let some: Vec<String> = found.models.iter().take(5).cloned().collect();
            let such = if some.is_empty() { String::new() } else { format!(" Such as {}.", some.join(", ")) };
            toasts.say(Tone::Good, format!("{}{such}", found.message));
        }
        Some(Ok(found)) => toasts.say(Tone::Bad, found.message),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let reset = Action::new(move |(): &()| reset_provider(id));
    Effect::new(move |_| match reset.value().get() {
        Some(Ok(provider)) => {
            toasts.say(Tone::Good, format!("{} is asked again at once", provider.name));
            table.changed.update(|n| *n += 1);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let delete = move |()| {
        table.deleting.set(Some((id, name.clone())));
        table.is_asking.set(true);
    };
    view! {
        <div class="row">
            <Button label="Test" size=ButtonSize::Small busy=test.pending() on_press=move |()| drop(test.dispatch(())) />
            {has_notes.then(|| view! {
                <Button label="Ask again" size=ButtonSize::Small busy=reset.pending() on_press=move |()| drop(reset.dispatch(())) />
            })}
            <Button label="Edit" size=ButtonSize::Small on_press=move |()| table.asked.edit(&provider) />
            <Button label="Delete" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=delete />
        </div>
    }
}

#[component]
fn DeleteDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.deleting.with(|one| one.as_ref().map(|(_, name)| name.clone()).unwrap_or_default());
    let delete = Action::new(|id: &ProviderId| delete_provider(*id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        table.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The provider is deleted");
                table.changed.update(|n| *n += 1);
            }
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
    });
    let confirm = move |()| {
        if let Some(id) = table.deleting.with_untracked(|one| one.as_ref().map(|(id, _)| *id)) {
            delete.dispatch(id);
        }
    };
    view! {
        <ConfirmDialog
            id="delete-provider"
            title=Signal::derive(move || format!("Delete {}?", name()))
            open=table.is_asking
            action="Delete"
            busy=delete.pending()
            on_confirm=confirm
        >
            <p>"Its key and its prices are gone, and routes go on without it. The log of its calls stays."</p>
        </ConfirmDialog>
    }
}

fn models_of(provider: &Provider) -> String {
    let names: Vec<&str> = provider.models.iter().take(NAMED).map(|model| model.id.as_str()).collect();
    match provider.models.len() {
        0 => "any that is asked for".to_owned(),
        count if count > NAMED => format!("{} and {} more", names.join(", "), count - NAMED),
        _ => names.join(", "),
    }
}

/// In a word, and its tone. The breakers are this server's: another one makes up its own mind.
pub(super) fn state_of(provider: &Provider) -> (&'static str, Tone) {
    let rests = provider.health.iter().any(|one| one.state != BreakerState::Closed);
    let fails = provider.health.iter().any(|one| one.failures > 0);
    match (provider.enabled, rests, fails) {
        (false, ..) => ("Off", Tone::Plain),
        (true, true, _) => ("Resting", Tone::Bad),
        (true, false, true) => ("Some calls fail", Tone::Warn),
        (true, false, false) => ("Ready", Tone::Good),
    }
}

pub(super) fn note(one: &ModelHealth) -> String {
    let why = one.last_failure.map(|class| format!(" ({})", class.as_str().replace('_', " "))).unwrap_or_default();
    match one.state {
        BreakerState::Open => {
            format!("{} fails too often{why}; tried again in {} s", one.model, one.rests_ms.div_ceil(1000))
        }
        BreakerState::HalfOpen => format!("{} failed too often{why}; the next call tries it", one.model),
        BreakerState::Closed => one.model.clone(),
    }
}
