//! The table of budgets, with what is spent.

use leptos::prelude::*;

use super::dialog::Asked;
use crate::api::budgets::{delete_budget, list_budgets};
use crate::model::BudgetId;
use crate::model::gateway::{Budget, BudgetPeriod, BudgetScope, BudgetState, Spender, short_usd};
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, Tone, use_toasts,
};
use crate::ui::format;

/// What the rows do together: ask again, ask before deleting.
#[derive(Clone, Copy)]
struct Table {
    asked: Asked,
    changed: RwSignal<u32>,
    deleting: RwSignal<Option<(BudgetId, String)>>,
    is_asking: RwSignal<bool>,
    may_manage: bool,
}

#[component]
pub(super) fn List(asked: Asked, changed: RwSignal<u32>, may_manage: bool) -> impl IntoView {
    let table = Table { asked, changed, deleting: RwSignal::new(None), is_asking: RwSignal::new(false), may_manage };
    let budgets = Resource::new(move || changed.get(), |_| list_budgets());
    view! {
        <Load resource=budgets what="the budgets" let:list>
            {if list.is_empty() {
                view! { <Nothing table /> }.into_any()
            } else {
                view! {
                    <DataTable label="Budgets" columns=vec![Column::text("Budget"), Column::text("Spent"), Column::text("State"), Column::text("")]>
                        {list.into_iter().map(|state| view! { <Row state table /> }).collect_view()}
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
            <Button label="Add a budget" icon="plus" variant=ButtonVariant::Primary on_press=move |()| table.asked.add() />
        })
    };
    let text = "Calls of models cost what they cost. A budget warns, or stops, before a day, a month or a run costs more than it should.";
    view! { <EmptyState title="No budgets" actions=ViewFnOnce::from(actions)>{text}</EmptyState> }
}

#[component]
fn Row(state: BudgetState, table: Table) -> impl IntoView {
    let BudgetState { budget, spenders } = state;
    let (label, tone) = state_of(&budget, &spenders);
    let unpriced: i64 = spenders.iter().map(|one| one.unpriced).sum();
    let (name, terms) = (budget.name.clone(), terms(&budget));
    view! {
        <tr>
            <td data-wrap="">
                <strong>{name}</strong>
                <div class="small dim">{terms}</div>
            </td>
            <td data-wrap=""><Spent budget=budget.clone() spenders /></td>
            <td data-wrap="">
                <Badge label=label tone=tone />
                {(unpriced > 0).then(|| view! {
                    <div class="small dim">
                        {format!("{} without a price, not counted; ", format::plural(unpriced, "call"))}
                        <a href="/providers">"set prices"</a>
                    </div>
                })}
            </td>
            <td>{table.may_manage.then(|| view! { <Acts budget table /> })}</td>
        </tr>
    }
}

/// What is spent, by whom where there can be several.
#[component]
fn Spent(budget: Budget, spenders: Vec<Spender>) -> impl IntoView {
    if spenders.is_empty() {
        return view! { <span class="dim">"Nothing yet"</span> }.into_any();
    }
    let lines = spenders.into_iter().map(|spender| {
        let percent = share(&budget, &spender);
        let who = who(&budget, &spender);
        let spent = format::dollars(spender.spent_micros);
        let amount = format!("{spent} of ${} ({percent} %)", short_usd(budget.limit_micros));
        let fill = format!("--value: {}%", percent.clamp(0, 100));
        view! {
            <li>
                <div class="row wrap">{who}<span class="num small end nowrap">{amount}</span></div>
                <span class="meter" data-tone=tone_of(&budget, percent).as_str() style=fill></span>
            </li>
        }
    });
    view! { <ul class="stack" role="list">{lines.collect_view()}</ul> }.into_any()
}

/// Who it is, with a link where there is something to see.
fn who(budget: &Budget, spender: &Spender) -> AnyView {
    let id = spender.of;
    match budget.scope {
        BudgetScope::Workspace => view! { <span class="small">"All together"</span> }.into_any(),
        BudgetScope::Run => {
            let start: String = id.to_string().chars().take(8).collect();
            view! { <a class="small" href=format!("/runs/{id}")>{format!("Run {start}…")}</a> }.into_any()
        }
        BudgetScope::User | BudgetScope::Key if spender.name.is_empty() => {
            view! { <span class="small dim">"gone by now"</span> }.into_any()
        }
        BudgetScope::User | BudgetScope::Key => view! { <span class="small">{spender.name.clone()}</span> }.into_any(),
    }
}

fn share(budget: &Budget, spender: &Spender) -> i64 {
    let percent = i128::from(spender.spent_micros) * 100 / i128::from(budget.limit_micros.max(1));
    i64::try_from(percent).unwrap_or(i64::MAX)
}

fn tone_of(budget: &Budget, percent: i64) -> Tone {
    match percent {
        100.. => Tone::Bad,
        _ if percent >= i64::from(budget.warn_percent) => Tone::Warn,
        _ => Tone::Good,
    }
}

/// In a word, by who spent most.
fn state_of(budget: &Budget, spenders: &[Spender]) -> (&'static str, Tone) {
    let most = spenders.iter().map(|spender| share(budget, spender)).max().unwrap_or(0);
    match (tone_of(budget, most), budget.stops) {
        (Tone::Bad, true) => ("Used up", Tone::Bad),
        (Tone::Bad, false) => ("Overspent", Tone::Warn),
        (Tone::Warn, _) => ("Nearly used up", Tone::Warn),
        _ => ("Within", Tone::Good),
    }
}

fn terms(budget: &Budget) -> String {
    let whose = match (budget.scope, budget.of) {
        (BudgetScope::Workspace, _) => "The whole workspace",
        (BudgetScope::User, None) => "Each person",
        (BudgetScope::User, Some(_)) => "One person",
        (BudgetScope::Key, None) => "Each gateway key",
        (BudgetScope::Key, Some(_)) => "One gateway key",
        (BudgetScope::Run, _) => "Each run",
    };
    let period = match budget.period {
        BudgetPeriod::Day => " a day",
        BudgetPeriod::Month => " a month",
        BudgetPeriod::Run => "",
    };
    let then = if budget.stops { "then calls are refused" } else { "only warns" };
    format!("{whose}, ${}{period}; {then}", short_usd(budget.limit_micros))
}

#[component]
fn Acts(budget: Budget, table: Table) -> impl IntoView {
    let (id, name) = (budget.id, budget.name.clone());
    let delete = move |()| {
        table.deleting.set(Some((id, name.clone())));
        table.is_asking.set(true);
    };
    view! {
        <div class="row">
            <Button label="Edit" size=ButtonSize::Small on_press=move |()| table.asked.edit(&budget) />
            <Button label="Delete" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=delete />
        </div>
    }
}

#[component]
fn DeleteDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.deleting.with(|one| one.as_ref().map(|(_, name)| name.clone()).unwrap_or_default());
    let delete = Action::new(|id: &BudgetId| delete_budget(*id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        table.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The budget is deleted");
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
            id="delete-budget"
            title=Signal::derive(move || format!("Delete {}?", name()))
            open=table.is_asking
            action="Delete"
            busy=delete.pending()
            on_confirm=confirm
        >
            <p>"Nothing is limited by it any more. What was spent stays in the log of calls."</p>
        </ConfirmDialog>
    }
}
