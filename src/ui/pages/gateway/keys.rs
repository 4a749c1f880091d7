//! `/gateway/keys`: what programs prove themselves with, and how they are pointed here.

use leptos::prelude::*;

use super::frame::{GatewayHeader, Part, names};
use super::key_dialog::KeyDialog;
use super::settings::Settings;
use crate::api::gateway::{delete_key, get_endpoints, list_keys};
use crate::api::providers::list_providers;
use crate::api::routes::list_routes;
use crate::model::gateway::{Endpoints, KeyInUse};
use crate::model::{ApiKeyId, Page, PageRequest, Timestamp};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Card, Column, ConfirmDialog, DataTable, EmptyState, Load,
    NeedsProvider, Now, RelativeTime, Tone, use_toasts,
};
use crate::ui::format;

/// Names of models that a row shows.
const NAMED: usize = 3;

/// What the rows do together.
#[derive(Clone, Copy)]
struct Table {
    changed: RwSignal<u32>,
    is_making: RwSignal<bool>,
    revoking: RwSignal<Option<(ApiKeyId, String)>>,
    is_asking: RwSignal<bool>,
    cursor: RwSignal<Option<String>>,
}

/// `/gateway/keys`.
#[component]
pub fn KeysPage() -> impl IntoView {
    let table = Table {
        changed: RwSignal::new(0),
        is_making: RwSignal::new(false),
        revoking: RwSignal::new(None),
        is_asking: RwSignal::new(false),
        cursor: RwSignal::new(None),
    };
    let keys = Resource::new(
        move || (table.changed.get(), table.cursor.get()),
        |(_, cursor)| list_keys(PageRequest { cursor, ..PageRequest::default() }),
    );
    // What settings are made of.
    let around =
        Resource::new(|| (), |()| async { futures::try_join!(get_endpoints(), list_routes(), list_providers()) });
    let here = RwSignal::new(None::<Endpoints>);
    let known_names = RwSignal::new(Vec::new());
    Effect::new(move |_| {
        if let Some(Ok((endpoints, routes, providers))) = around.get() {
            known_names.set(names(&routes, &providers));
            here.set(Some(endpoints));
        }
    });
    let actions = move || {
        view! {
            <Button
                label="New key" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                on_press=move |()| table.is_making.set(true)
            />
        }
    };
    view! {
        <GatewayHeader part=Part::Keys actions=ViewFnOnce::from(actions) />
        <div class="page-body stack" style="--gap: var(--space-6)">
            <NeedsProvider why="Programs with a key have no model to ask." />
            <Load resource=keys what="the keys" let:page><List page table /></Load>
            <Load resource=around what="the settings for programs" let:around>
                <Pointing endpoints=around.0 names=names(&around.1, &around.2) />
            </Load>
        </div>
        <KeyDialog open=table.is_making changed=table.changed names=known_names.into() endpoints=here.into() />
        <RevokeDialog table />
    }
}

#[component]
fn List(page: Page<KeyInUse>, table: Table) -> impl IntoView {
    let is_first = table.cursor.with_untracked(Option::is_none);
    if page.items.is_empty() && is_first {
        let actions = move || {
            view! {
                <Button label="New key" icon="plus" on_press=move |()| table.is_making.set(true) />
            }
        };
        return view! {
            <EmptyState title="No keys yet" actions=ViewFnOnce::from(actions)>
                "With a key a program asks for models here in place of their makers: Weft chooses who answers, counts what it costs, and keeps the makers' own keys to itself."
            </EmptyState>
        }
        .into_any();
    }
    let columns = vec![
        Column::text("Key"),
        Column::text("May ask for"),
        Column::text("Last used"),
        Column::text("Ends"),
        Column::number("Calls, 30 days"),
        Column::number("Cost, 30 days"),
        Column::text("Made"),
        Column::text(""),
    ];
    let next = page.next;
    let cursor = table.cursor;
    view! {
        <DataTable label="Keys" columns>
            {page.items.into_iter().map(|key| view! { <Row used=key table /> }).collect_view()}
        </DataTable>
        {(next.is_some() || !is_first).then(|| view! {
            <nav class="pager" aria-label="Pages">
                {(!is_first).then(|| view! { <Button label="From the start" size=ButtonSize::Small on_press=move |()| cursor.set(None) /> })}
                {next.map(|next| view! { <Button label="Older" size=ButtonSize::Small on_press=move |()| cursor.set(Some(next.clone())) /> })}
            </nav>
        })}
    }
    .into_any()
}

#[component]
fn Row(used: KeyInUse, table: Table) -> impl IntoView {
    let KeyInUse { key, made_by, calls, cost_micros } = used;
    let (id, name) = (key.id, key.name.clone());
    let revoke = move |()| {
        table.revoking.set(Some((id, name.clone())));
        table.is_asking.set(true);
    };
    let last_used = match key.last_used_at {
        Some(at) => view! { <RelativeTime at /> }.into_any(),
        None => view! { <span class="dimmer">"never"</span> }.into_any(),
    };
    let calls_text = format::count(calls);
    let calls = if calls == 0 {
        view! { <span class="dimmer">"0"</span> }.into_any()
    } else {
        view! { <a class="link" href=format!("/gateway/calls?period=month&key={id}")>{calls_text}</a> }.into_any()
    };
    view! {
        <tr>
            <td class="key-name">
                <strong class="truncate block">{key.name.clone()}</strong>
                <div class="small dim mono">{format!("{}…", key.hint)}</div>
            </td>
            <td data-wrap="" title=key.models.join(", ")>
                <span class="mono wrapped">{models_of(&key.models)}</span>
                {key.limits.words().map(|limits| view! { <div class="small dim">{limits}</div> })}
            </td>
            <td>{last_used}</td>
            <td><Ends at=key.expires_at /></td>
            <td class="num">{calls}</td>
            <td class="num">{format::dollars(cost_micros)}</td>
            <td><RelativeTime at=key.created_at />{made_by.map(|who| view! { <div class="small dim">{format!("by {who}")}</div> })}</td>
            <td class="row-actions"><Button label="Revoke" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=revoke /></td>
        </tr>
    }
}

/// When a key ends, and whether it has.
#[component]
fn Ends(at: Option<Timestamp>) -> impl IntoView {
    let now = use_context::<Now>();
    let Some(at) = at else { return view! { <span class="dimmer">"never"</span> }.into_any() };
    let has_ended = move || now.and_then(|now| now.0.get()).is_some_and(|now| at.unix_ms() <= now);
    view! {
        <RelativeTime at />
        {move || has_ended().then(|| view! { " "<Badge label="ended" tone=Tone::Warn /> })}
    }
    .into_any()
}

fn models_of(models: &[String]) -> String {
    match models.len() {
        0 => "any".to_owned(),
        count if count > NAMED => format!("{} and {} more", models[..NAMED].join(", "), count - NAMED),
        _ => models.join(", "),
    }
}

/// How a program is pointed here, for those who have their key already.
#[component]
fn Pointing(endpoints: Endpoints, names: Vec<String>) -> impl IntoView {
    let nothing = names.is_empty().then(|| {
        view! {
            <div class="notice" data-tone="warn">
                <crate::ui::components::Icon name="warning" />
                <span class="grow">"There is no model to ask for yet."</span>
                <a class="button" data-size="sm" href="/providers">"Add a provider"</a>
            </div>
        }
    });
    view! {
        <Card id="pointing" title="Settings for programs">
            <div class="stack">
                {nothing}
                <p class="dim">"The key stands where weft_gw_… does. It was shown when it was made; who has lost it makes another."</p>
                <Settings id="pointing-at" endpoints secret=None model=names.first().cloned() />
            </div>
        </Card>
    }
}

#[component]
fn RevokeDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.revoking.with(|one| one.as_ref().map(|(_, name)| name.clone()).unwrap_or_default());
    let revoke = Action::new(|id: &ApiKeyId| delete_key(*id));
    Effect::new(move |_| {
        let Some(answer) = revoke.value().get() else { return };
        table.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The key is revoked");
                table.changed.update(|n| *n += 1);
            }
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
    });
    let confirm = move |()| {
        if let Some(id) = table.revoking.with_untracked(|one| one.as_ref().map(|(id, _)| *id)) {
            revoke.dispatch(id);
        }
    };
    view! {
        <ConfirmDialog
            id="revoke-key"
            title=Signal::derive(move || format!("Revoke the key {}?", name()))
            open=table.is_asking
            action="Revoke"
            busy=revoke.pending()
            on_confirm=confirm
        >
            <p>"Whatever holds it is refused from the next call on. The log of its calls stays."</p>
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_models_is_cut() {
        let models: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        assert_eq!(models_of(&models), "a, b, c and 2 more");
        assert_eq!(models_of(&models[..1]), "a");
        assert_eq!(models_of(&[]), "any");
    }
}
