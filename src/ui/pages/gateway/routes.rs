//! `/gateway/routes`: which models answer under which name, and what would answer.

use leptos::prelude::*;

use super::explain::{ExplainCard, Question};
use super::frame::{GatewayHeader, NoProviders, Part, names};
use super::route_dialog::{Asked, RouteDialog};
use crate::api::flags::list_flags;
use crate::api::providers::list_providers;
use crate::api::routes::{delete_route, list_routes};
use crate::model::RouteId;
use crate::model::auth::{Action as May, Me};
use crate::model::gateway::{By, Provider, Route, Target};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, Tone,
    use_toasts,
};
use crate::ui::format;

/// The name of the route that is taken where nobody names one.
const DEFAULT: &str = "default";

/// What the rows do together.
#[derive(Clone, Copy)]
struct Table {
    asked: Asked,
    question: Question,
    deleting: RwSignal<Option<(RouteId, String)>>,
    is_asking: RwSignal<bool>,
    may_manage: bool,
}

/// `/gateway/routes`.
#[component]
pub fn RoutesPage() -> impl IntoView {
    let may_manage = expect_context::<Me>().may(May::ManageProvider);
    let asked = Asked::new();
    let table = Table {
        asked,
        question: Question::new(),
        deleting: RwSignal::new(None),
        is_asking: RwSignal::new(false),
        may_manage,
    };
    let known = Resource::new(
        move || asked.changed.get(),
        |_| async { futures::try_join!(list_routes(), list_providers(), list_flags()) },
    );
    let known_names = RwSignal::new(Vec::new());
    // Without anything to ask, nothing needs explaining.
    let is_bare = RwSignal::new(false);
    Effect::new(move |_| {
        if let Some(Ok((routes, providers, flags))) = known.get() {
            is_bare.set(routes.is_empty() && providers.is_empty());
            known_names.set(names(&routes, &providers));
            asked.providers.set(providers);
            asked.flags.set(flags.into_iter().map(|state| state.flag.name).collect());
        }
    });
    let actions = move || {
        may_manage.then(|| view! {
            <Button
                label="New route" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                refused=Signal::derive(move || asked.providers.with(Vec::is_empty).then(|| "Add a provider first".to_owned()))
                on_press=move |()| asked.add()
            />
        })
    };
    // The box stands outside of what is drawn anew: what was asked and told stays when the list changes.
    view! {
        <GatewayHeader part=Part::Routes actions=ViewFnOnce::from(actions) />
        <div class="page-body">
            <div class="with-aside">
                <div>
                    <Load resource=known what="the routes" let:loaded>
                        <List routes=loaded.0 providers=loaded.1 table />
                    </Load>
                </div>
                <div hidden=move || is_bare.get()><ExplainCard question=table.question names=known_names.into() /></div>
            </div>
        </div>
        {may_manage.then(|| view! { <RouteDialog asked /><DeleteDialog table /> })}
    }
}

#[component]
fn List(routes: Vec<Route>, providers: Vec<Provider>, table: Table) -> impl IntoView {
    if routes.is_empty() && providers.is_empty() {
        return view! {
            <NoProviders>"A route names models of providers, the first to be asked and those that stand in for it. Add a provider first."</NoProviders>
        }
        .into_any();
    }
    if routes.is_empty() {
        return view! { <Nothing table /> }.into_any();
    }
    let rows = routes.into_iter().map(|route| view! { <Row targets=targets(&route, &providers) route table /> });
    let rows = rows.collect_view();
    view! {
        <DataTable label="Routes" columns=vec![Column::text("Name"), Column::text("Asked in this order"), Column::text("")]>
            {rows}
        </DataTable>
    }
    .into_any()
}

/// The models of a route, in order.
fn targets(route: &Route, providers: &[Provider]) -> AnyView {
    let by = route.policy.by;
    route.targets.iter().map(|target| target_item(target, by, providers)).collect_view().into_any()
}

#[component]
fn Nothing(table: Table) -> impl IntoView {
    let actions = move || {
        table.may_manage.then(|| {
            view! {
                <Button label="New route" icon="plus" on_press=move |()| table.asked.add() />
            }
        })
    };
    view! {
        <EmptyState title="No routes yet" actions=ViewFnOnce::from(actions)>
            "A route puts models in order under one name: where the first does not answer, the next is asked. Without one, callers name the models themselves."
        </EmptyState>
    }
}

#[component]
fn Row(route: Route, targets: AnyView, table: Table) -> impl IntoView {
    let is_default = route.name == DEFAULT;
    let policy = route.policy.clone();
    let order = (policy.by != By::Order).then(|| policy.by.label().to_owned());
    let stays = policy.sticky.then_some("; a session stays with its first");
    let hedge = policy.hedge.map(|hedge| format!("The next one too after {} ms", hedge.after_ms));
    let shortens = route.context.as_ref().map(|context| {
        let tokens = format::count(i64::from(context.window));
        format!("Beyond {tokens} tokens: {}", context.when_full.label().to_lowercase())
    });
    let (name, description) = (route.name.clone(), route.description.clone());
    view! {
        <tr>
            <td class="route-name">
                <strong class="mono">{name}</strong>
                {is_default.then(|| view! { " "<Badge label="where none is named" tone=Tone::Accent /> })}
                {(!description.is_empty()).then(|| view! { <div class="small dim wrapped">{description}</div> })}
            </td>
            <td data-wrap="">
                <ol class="targets">{targets}</ol>
                {order.map(|order| view! { <div class="small dim">{order}{stays}</div> })}
                {hedge.map(|hedge| view! { <div class="small dim">{hedge}</div> })}
                {shortens.map(|shortens| view! { <div class="small dim">{shortens}</div> })}
            </td>
            <td class="row-actions"><Acts route table /></td>
        </tr>
    }
}

/// A model of a route, and what is wrong with its provider.
fn target_item(target: &Target, by: By, providers: &[Provider]) -> AnyView {
    let provider = providers.iter().find(|provider| provider.id == target.provider_id);
    let name = provider.map_or_else(|| target.model.clone(), |provider| format!("{}/{}", provider.name, target.model));
    let wrong = match provider {
        None => Some("provider is gone"),
        Some(provider) if !provider.enabled => Some("off"),
        Some(_) if target.weight == 0 => Some("weight 0"),
        Some(_) => None,
    };
    let part = match by {
        By::Weight => Some(format!("weight {}", target.weight)),
        By::Task => Some(format!("up to {}", target.takes.as_str())),
        By::Order | By::Cost | By::Latency => None,
    };
    let flag = target.flag.clone().map(|flag| {
        view! {
            " "<a class="link small" href="/gateway/flags">{format!("behind {flag}")}</a>
        }
    });
    view! {
        <li>
            <span class="mono">{name}</span>
            {flag}
            {part.filter(|_| wrong.is_none()).map(|part| view! { <span class="small dim">{format!(" {part}")}</span> })}
            {wrong.map(|wrong| view! { " "<Badge label=wrong tone=Tone::Warn /> })}
        </li>
    }
    .into_any()
}

#[component]
fn Acts(route: Route, table: Table) -> impl IntoView {
    let (id, name) = (route.id, route.name.clone());
    let about = name.clone();
    let delete = move |()| {
        table.deleting.set(Some((id, name.clone())));
        table.is_asking.set(true);
    };
    view! {
        <div class="row">
            <Button label="Explain" size=ButtonSize::Small on_press=move |()| table.question.about(&about) />
            {table.may_manage.then(|| view! {
                <Button label="Edit" size=ButtonSize::Small on_press=move |()| table.asked.edit(&route) />
                <Button label="Delete" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=delete />
            })}
        </div>
    }
}

#[component]
fn DeleteDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.deleting.with(|one| one.as_ref().map(|(_, name)| name.clone()).unwrap_or_default());
    let delete = Action::new(|id: &RouteId| delete_route(*id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        table.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The route is deleted");
                table.asked.changed.update(|n| *n += 1);
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
            id="delete-route"
            title=Signal::derive(move || format!("Delete the route {}?", name()))
            open=table.is_asking
            action="Delete"
            busy=delete.pending()
            on_confirm=confirm
        >
            <p>"Programs and steps that ask for it are refused from the next call on, unless a provider lists a model of that name."</p>
        </ConfirmDialog>
    }
}
