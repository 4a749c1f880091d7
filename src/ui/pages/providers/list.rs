//! The table of providers, with their tests and breakers.

use leptos::prelude::*;

use super::dialog::Asked;
use crate::api::providers::{delete_provider, list_provider_use, list_providers, reset_provider, test_provider};
use crate::model::ProviderId;
use crate::model::auth::{Action as May, Me};
use crate::model::gateway::{BreakerState, ModelHealth, Provider, ProviderUse};
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, Tone, use_toasts,
};
use crate::ui::format;

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
    // What it costs is for those alone who may see that.
    let may_count = expect_context::<Me>().may(May::ReadUsage);
    let providers = Resource::new(
        move || changed.get(),
        move |_| async move {
            let uses = async { if may_count { list_provider_use().await } else { Ok(Vec::new()) } };
            futures::try_join!(list_providers(), uses)
        },
    );
    let columns = move || {
        let used = may_count.then(|| Column::text("Last 30 days"));
        let columns = [Column::text("Provider"), Column::text("Models"), Column::text("State")];
        columns.into_iter().chain(used).chain([Column::text("")]).collect::<Vec<_>>()
    };
    view! {
        <Load resource=providers what="the providers" let:loaded>
            {if loaded.0.is_empty() {
                view! { <Nothing table /> }.into_any()
            } else {
                view! {
                    <DataTable label="Providers" columns=columns()>{rows(loaded, may_count, table)}</DataTable>
                }.into_any()
            }}
        </Load>
        {may_manage.then(|| view! { <DeleteDialog table /> })}
    }
}

fn rows((list, uses): (Vec<Provider>, Vec<ProviderUse>), may_count: bool, table: Table) -> AnyView {
    let row = |provider: Provider| {
        let used = uses.iter().find(|one| one.provider_id == provider.id).copied();
        view! { <Row provider used may_count table /> }
    };
    list.into_iter().map(row).collect_view().into_any()
}

/// What it was asked, what that cost, and how soon it began to answer.
fn used_words(used: &ProviderUse) -> Vec<String> {
    if used.calls == 0 {
        return vec!["not asked".to_owned()];
    }
    let mut lines = vec![format!("{}, {}", format::plural(used.calls, "call"), format::dollars(used.cost_micros))];
    if used.failed > 0 {
        lines.push(format!("{} failed", format::count(used.failed)));
    }
    if used.unpriced > 0 {
        lines.push(format!("{} without a price", format::count(used.unpriced)));
    }
    if let (Some(half), Some(most)) = (used.began_p50_ms, used.began_p99_ms) {
        let (half, most) = (format::duration(half), format::duration(most));
        lines.push(format!("on the last day half began within {half}, 99 % within {most}"));
    }
    lines
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
fn Row(provider: Provider, used: Option<ProviderUse>, may_count: bool, table: Table) -> impl IntoView {
    let models = models_of(&provider);
    let (state, tone) = state_of(&provider);
    let notes: Vec<String> = provider.health.iter().filter(|one| one.state != BreakerState::Closed).map(note).collect();
    let has_notes = !notes.is_empty();
    let used = may_count.then(|| {
        let lines = used.as_ref().map(used_words).unwrap_or_default().into_iter();
        view! { <td data-wrap="">{lines.map(|line| view! { <div class="small">{line}</div> }).collect_view()}</td> }
    });
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
            {used}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_use_of_a_provider_is_told_as_far_as_it_is_known() {
        let used = ProviderUse {
            provider_id: ProviderId(uuid::Uuid::nil()),
            calls: 1,
            failed: 0,
            cost_micros: 250_000,
            unpriced: 0,
            began_p50_ms: Some(820),
            began_p99_ms: Some(820),
        };
        assert_eq!(used_words(&used).len(), 2);
        assert!(used_words(&used)[0].starts_with("1 call, $0.25"));
        let quiet = ProviderUse { calls: 0, began_p50_ms: None, began_p99_ms: None, ..used };
        assert_eq!(used_words(&quiet), ["not asked"]);
        let failing = ProviderUse { calls: 4, failed: 3, unpriced: 1, began_p50_ms: None, ..used };
        assert_eq!(used_words(&failing)[1..], ["3 failed", "1 without a price"]);
    }
}
