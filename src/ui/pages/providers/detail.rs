//! `/providers/ID`: one provider, how its models are, and what they cost.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::dialog::{Asked, ProviderDialog};
use super::list::{note, state_of};
use super::prices::{Current, DeletePriceDialog, History, PriceDialog, Prices, models};
use crate::api::providers::{get_provider, list_prices, test_provider};
use crate::model::auth::{Action as May, Me};
use crate::model::gateway::{BreakerState, Price, Provider};
use crate::model::{ApiError, ProviderId, Timestamp};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, Crumb, EmptyState, Icon, Load, Now, PageHeader, Tone, use_toasts,
};

/// The page of one provider: `/providers/ID`, with `?price=MODEL` where a price is to be set.
#[component]
pub fn ProviderPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let may_manage = expect_context::<Me>().may(May::ManageProvider);
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<ProviderId>().ok()));
    let changed = RwSignal::new(0_u32);
    let asked = Asked::new(changed);
    let prices = Prices::new(changed);
    let loaded = Resource::new(
        move || (id.get(), changed.get()),
        |(id, _)| async move {
            let Some(id) = id else { return Err(ApiError::not_found("provider")) };
            futures::try_join!(get_provider(id), list_prices(id))
        },
    );
    // What the address asks for is done once what it is about is there.
    let is_done = StoredValue::new(false);
    Effect::new(move |_| {
        if let Some(Ok((provider, lines))) = loaded.get() {
            let mut names = models(&provider, &lines);
            let wanted = query.with_untracked(|query| query.get("price")).filter(|model| !model.is_empty());
            if let Some(model) = wanted.filter(|_| may_manage && !is_done.get_value()) {
                is_done.set_value(true);
                if !names.contains(&model) && !names.is_empty() {
                    names.push(model.clone());
                }
                prices.set(&model);
            }
            prices.offer(if provider.models.is_empty() { Vec::new() } else { names });
        }
    });
    view! {
        <Load resource=loaded what="the provider" let:loaded>
            <Shown provider=loaded.0 lines=loaded.1 asked prices may_manage />
        </Load>
        {may_manage.then(|| view! {
            <ProviderDialog asked />
            <PriceDialog prices provider=id />
            <DeletePriceDialog prices />
        })}
    }
}

#[component]
fn Shown(provider: Provider, lines: Vec<Price>, asked: Asked, prices: Prices, may_manage: bool) -> impl IntoView {
    let (state, tone) = state_of(&provider);
    let names = models(&provider, &lines);
    let (title, edited) = (provider.name.clone(), provider.clone());
    let id = provider.id;
    let actions = move || {
        may_manage.then(|| view! {
        <Test id />
        <Button label="Edit" icon="edit" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| asked.edit(&edited) />
    })
    };
    let priced = if names.is_empty() {
        let add = move || {
            may_manage.then(|| {
                view! {
                    <Button label="Add a price" icon="plus" on_press=move |()| prices.set("") />
                }
            })
        };
        view! {
            <EmptyState title="No prices yet" actions=ViewFnOnce::from(add)>
                "Without a price the calls of a model are listed and counted, and what they cost is not known."
            </EmptyState>
        }
        .into_any()
    } else {
        let lines = StoredValue::new(lines);
        let names = StoredValue::new(names);
        // Until the browser has its clock every line counts as begun; then with a minute to spare, since its clock may lag.
        let now = use_context::<Now>();
        let minute = Memo::new(move |_| now.and_then(|now| now.0.get()));
        let tables = move || {
            let now = minute.get().map_or(Timestamp(i64::MAX), |ms| Timestamp(ms * 1000 + 60_000_000));
            let lines = lines.get_value();
            view! {
                <Current names=names.get_value() lines=lines.clone() now prices may_manage />
                <History lines now prices may_manage />
            }
        };
        view! { {tables} }.into_any()
    };
    view! {
        <PageHeader title part="Gateway" crumbs=vec![Crumb::new("/providers", "Gateway")] actions=ViewFnOnce::from(actions)>
            <Badge label=state tone />
        </PageHeader>
        <Facts provider=provider.clone() />
        <div class="page-body stack">
            <Notes provider />
            {priced}
        </div>
    }
}

#[component]
fn Facts(provider: Provider) -> impl IntoView {
    let key = provider.credential_hint.unwrap_or_else(|| "none".to_owned());
    let models = match provider.models.len() {
        0 => "any that is asked for".to_owned(),
        count => format!("{count} listed"),
    };
    let queue = provider.queue.words(provider.limits);
    let queue = (!queue.is_empty()).then(|| view! { <div><dt>"Calls"</dt><dd>{queue}</dd></div> });
    let by = if provider.responses { ", always by the Responses API" } else { "" };
    view! {
        <dl class="facts">
            <div><dt>"Kind"</dt><dd>{provider.kind.label()}{by}</dd></div>
            <div><dt>"Address"</dt><dd class="mono truncate">{provider.base_url}</dd></div>
            <div><dt>"Key"</dt><dd class="mono">{key}</dd></div>
            <div><dt>"Models"</dt><dd>{models}</dd></div>
            {queue}
        </dl>
    }
}

/// What rests, and why.
#[component]
fn Notes(provider: Provider) -> impl IntoView {
    let notes: Vec<String> = provider.health.iter().filter(|one| one.state != BreakerState::Closed).map(note).collect();
    (!notes.is_empty()).then(|| {
        let notes = notes.into_iter().map(|note| view! { <div>{note}</div> }).collect_view();
        view! { <div class="notice" data-tone="bad"><Icon name="s-failed" /><span class="grow">{notes}</span></div> }
    })
}

#[component]
fn Test(id: ProviderId) -> impl IntoView {
    let toasts = use_toasts();
    let test = Action::new(move |(): &()| test_provider(id));
    Effect::new(move |_| match test.value().get() {
        Some(Ok(found)) => toasts.say(if found.ok { Tone::Good } else { Tone::Bad }, found.message),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    view! { <Button label="Test" icon="check" size=ButtonSize::Small busy=test.pending() on_press=move |()| drop(test.dispatch(())) /> }
}
