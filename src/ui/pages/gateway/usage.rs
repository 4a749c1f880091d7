//! What calls cost: the whole in tiles, and what it is made of.

use std::collections::HashMap;

use leptos::prelude::*;

use super::place::{Place, SUMS, period_label};
use crate::model::ProviderId;
use crate::model::dashboard::Period;
use crate::model::gateway::{Spending, Sum, SumBy};
use crate::ui::components::{Card, Column, DataTable};
use crate::ui::format;

/// Rows that are shown at once.
const SHOWN: usize = 8;

/// Where the providers of these names are, for links.
pub(super) type Known = HashMap<String, ProviderId>;

/// Chooses how far back is looked.
#[component]
pub(super) fn PeriodSwitch(place: Memo<Place>) -> impl IntoView {
    let link = move |own: Period| {
        let current = move || (place.read().period == own).then_some("true");
        let href = move || Place { period: own, ..place.get() }.href();
        view! { <a href=href data-noscroll="" aria-current=current>{period_label(own)}</a> }
    };
    view! { <div class="segmented" role="group" aria-label="Time range">{Period::ALL.map(link).into_iter().collect_view()}</div> }
}

/// Tiles and the table under them.
#[component]
pub(super) fn Usage(spent: Spending, known: Known, place: Place) -> impl IntoView {
    let Spending { total, sums, .. } = spent;
    view! {
        <Tiles total=total.clone() />
        <Parts total sums known place />
    }
}

#[component]
fn Tiles(total: Sum) -> impl IntoView {
    let usage = total.usage;
    let unpriced = match total.unpriced {
        0 => "of calls whose model has a price".to_owned(),
        count => format!("{} without a price", format::plural(count, "call")),
    };
    let went = match (total.failed, total.partial) {
        (0, 0) => "all answered".to_owned(),
        (failed, 0) => format!("{} failed", format::count(failed)),
        (0, partial) => format!("{} partial", format::count(partial)),
        (failed, partial) => format!("{} failed, {} partial", format::count(failed), format::count(partial)),
    };
    let went = if total.calls == 0 { "none in this time".to_owned() } else { went };
    let cached = match usage.cache_read {
        0 => "none from providers' caches".to_owned(),
        read => format!("{} from providers' caches", format::percent(read as f64 / usage.prompt() as f64)),
    };
    let thought = match usage.reasoning {
        0 => "thoughts included".to_owned(),
        thoughts => format!("{} of them thoughts", format::short_count(thoughts)),
    };
    view! {
        <div class="grid tiles-4">
            <Tile label="Cost" value=format::dollars(total.cost_micros) note=unpriced />
            <Tile label="Calls" value=format::short_count(total.calls) note=went />
            <Tile label="Tokens read" value=format::short_count(usage.prompt()) note=cached />
            <Tile label="Tokens written" value=format::short_count(usage.output) note=thought />
        </div>
    }
}

#[component]
fn Tile(label: &'static str, value: String, note: String) -> impl IntoView {
    view! {
        <div class="tile">
            <span class="tile-label">{label}</span>
            <span class="tile-value">{value}</span>
            <span class="tile-note">{note}</span>
        </div>
    }
}

/// What the whole is made of.
#[component]
fn Parts(total: Sum, sums: Vec<Sum>, known: Known, place: Place) -> impl IntoView {
    let by = place.by;
    let by_cost = total.cost_micros > 0;
    let switch = {
        let place = place.clone();
        move || {
            let link = |own: SumBy| {
                let href = Place { by: own, ..place.clone() }.href();
                view! { <a href=href data-noscroll="" aria-current=(own == by).then_some("true")>{by_label(own)}</a> }
            };
            view! { <div class="segmented" role="group" aria-label="Sum up by">{SUMS.map(link).into_iter().collect_view()}</div> }
        }
    };
    let left = sums.len().saturating_sub(SHOWN);
    let rows = sums.into_iter().map(|sum| {
        let share = share(&sum, &total, by_cost);
        part(&sum, share, &known, &place)
    });
    let mut rows = rows.collect::<Vec<_>>();
    let rest = rows.split_off(rows.len().min(SHOWN));
    let is_open = RwSignal::new(false);
    let columns = vec![
        Column::text(by_label(by)),
        Column::text(if by_cost { "Share of the cost" } else { "Share of the tokens" }),
        Column::number("Calls"),
        Column::number("Read"),
        Column::number("Written"),
        Column::number("Cost"),
    ];
    view! {
        <Card id="usage" title="Usage" actions=ViewFnOnce::from(switch) flush=true>
            <div class="usage" data-all=move || is_open.get().then_some("")>
                <DataTable label="Usage" columns>
                    {rows}
                    {rest}
                </DataTable>
            </div>
            {(left > 0).then(|| view! {
                <button type="button" class="link usage-more" aria-expanded=move || is_open.get().to_string() on:click=move |_| is_open.update(|open| *open = !*open)>
                    {move || if is_open.get() { "Show fewer".to_owned() } else { format!("Show {left} more") }}
                </button>
            })}
        </Card>
    }
}

/// A row: what it is about, its share and its sums.
fn part(sum: &Sum, share: f64, known: &Known, place: &Place) -> AnyView {
    let percent = format::percent(share);
    let set_price = (sum.unpriced > 0).then(|| {
        let text = format!("{} without a price", format::count(sum.unpriced));
        match price_href(&sum.of, place.by, known) {
            Some(href) => view! { <a class="link small" href=href>{format!("{text}: set one")}</a> }.into_any(),
            None => view! { <span class="small dim">{text}</span> }.into_any(),
        }
    });
    // Where every call is without a price, a sum would say that they cost nothing.
    let is_free = sum.unpriced == sum.calls - sum.failed && sum.cost_micros == 0 && sum.unpriced > 0;
    let cost = (!is_free).then(|| view! { <span class="block">{format::dollars(sum.cost_micros)}</span> });
    view! {
        <tr>
            <td class="usage-of">{named(sum, place)}</td>
            <td class="usage-share">
                <span class="meter" style=format!("--value: {:.1}%", share * 100.0) aria-hidden="true"></span>
                <span class="small dim num">{percent}</span>
            </td>
            <td class="num">{format::count(sum.calls)}</td>
            <td class="num">{format::count(sum.usage.prompt())}</td>
            <td class="num">{format::count(sum.usage.output)}</td>
            <td class="num">{cost}{set_price}</td>
        </tr>
    }
    .into_any()
}

/// What a row is about, as a link to its calls where there is one.
fn named(sum: &Sum, place: &Place) -> AnyView {
    let of = sum.of.clone();
    if of.is_empty() {
        return view! { <span class="dim">{nobody(place.by)}</span> }.into_any();
    }
    let mut there = place.unfiltered();
    match place.by {
        SumBy::Model => there.filter.model = Some(of.clone()),
        SumBy::Provider => there.filter.provider = Some(of.clone()),
        SumBy::Run => {
            let short: String = of.chars().take(8).collect();
            return view! { <a class="link" href=format!("/runs/{of}")>"Run "<span class="mono">{short}</span></a> }
                .into_any();
        }
        SumBy::Session => there.filter.session = Some(of.clone()),
        SumBy::User | SumBy::Key | SumBy::Agent | SumBy::Step => return view! { <span>{of}</span> }.into_any(),
    }
    view! { <a class="link mono" href=there.href() data-noscroll="">{of}</a> }.into_any()
}

/// Where the price of a model is set.
fn price_href(of: &str, by: SumBy, known: &Known) -> Option<String> {
    match by {
        SumBy::Model => {
            let (provider, model) = of.split_once('/')?;
            let model = crate::model::credentials::query_value(model);
            Some(format!("/providers/{}?price={model}", known.get(provider)?))
        }
        SumBy::Provider => Some(format!("/providers/{}", known.get(of)?)),
        _ => None,
    }
}

const fn by_label(by: SumBy) -> &'static str {
    match by {
        SumBy::Model => "Model",
        SumBy::Provider => "Provider",
        SumBy::User => "Person",
        SumBy::Key => "Key",
        SumBy::Agent => "Agent",
        SumBy::Session => "Session",
        SumBy::Run | SumBy::Step => "Run",
    }
}

/// What the rest is called that has none of the kind.
const fn nobody(by: SumBy) -> &'static str {
    match by {
        SumBy::Model | SumBy::Provider => "Nobody was asked",
        SumBy::User => "No person",
        SumBy::Key => "Without a key",
        SumBy::Agent => "Not by an agent",
        SumBy::Session => "Without a session",
        SumBy::Run | SumBy::Step => "Not by a run",
    }
}

/// A part of the whole, 0 to 1: of the cost, or where nothing has a price of the tokens.
fn share(sum: &Sum, total: &Sum, by_cost: bool) -> f64 {
    let tokens = |sum: &Sum| sum.usage.prompt() + sum.usage.output;
    let (part, whole) = if by_cost { (sum.cost_micros, total.cost_micros) } else { (tokens(sum), tokens(total)) };
    if whole > 0 { (part as f64 / whole as f64).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::Usage;

    fn sum(cost_micros: i64, tokens: i64) -> Sum {
        let usage = Usage { output: tokens, ..Usage::default() };
        Sum { usage, cost_micros, ..Sum::total([]) }
    }

    #[test]
    fn shares_are_of_the_cost_and_of_the_tokens_where_nothing_has_a_price() {
        let total = sum(200, 10);
        assert!((share(&sum(50, 10), &total, true) - 0.25).abs() < 1e-9);
        assert!((share(&sum(0, 5), &sum(0, 10), false) - 0.5).abs() < 1e-9);
        assert!((share(&sum(0, 0), &sum(0, 0), false) - 0.0).abs() < 1e-9);
    }

    #[test]
    fn a_price_is_set_at_its_provider_while_there_is_one() {
        let id = ProviderId(uuid::Uuid::nil());
        let known = Known::from([("acme".to_owned(), id)]);
        assert_eq!(price_href("acme/org/big", SumBy::Model, &known), Some(format!("/providers/{id}?price=org/big")));
        assert_eq!(price_href("gone/big", SumBy::Model, &known), None);
    }
}
