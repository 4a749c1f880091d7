//! What models of a provider cost: what holds now, every dated line, and the dialog that adds one.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::price_form::{Form, rate};
use crate::api::providers::{delete_price, put_price};
use crate::model::gateway::{Price, Provider};
use crate::model::{ApiError, PriceId, ProviderId, Timestamp};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Bound, Button, ButtonSize, ButtonVariant, Card, Choice, Column, ConfirmDialog, DataTable, Dialog,
    DialogSize, Icon, RelativeTime, Select, TextInput, Tone, use_toasts,
};
use crate::ui::format;

/// The form that the button of the dialog sends.
const FORM: &str = "price-form";

/// What the page does with prices.
#[derive(Clone, Copy)]
pub(super) struct Prices {
    pub(super) open: RwSignal<bool>,
    form: RwSignal<Form>,
    /// What the provider lists, for the dialog; empty where it takes any name.
    models: RwSignal<Vec<String>>,
    deleting: RwSignal<Option<Price>>,
    is_asking: RwSignal<bool>,
    changed: RwSignal<u32>,
}

impl Prices {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self {
            open: RwSignal::new(false),
            form: RwSignal::new(Form::default()),
            models: RwSignal::new(Vec::new()),
            deleting: RwSignal::new(None),
            is_asking: RwSignal::new(false),
            changed,
        }
    }

    /// Opens the dialog for a model.
    pub(super) fn set(self, model: &str) {
        self.form.set(Form::of(model));
        self.open.set(true);
    }

    /// Opens the dialog with what holds now, to be changed.
    fn change(self, price: &Price) {
        self.form.set(Form::like(price));
        self.open.set(true);
    }

    pub(super) fn offer(self, models: Vec<String>) {
        self.models.set(models);
    }

    fn bind(self, get: fn(&Form) -> &String, set: fn(&mut Form) -> &mut String) -> Bound<String> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(|form| get(form).clone()));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| *set(form) = value))))
    }
}

/// The models of a provider, those that it lists first, then others that have a price.
pub(super) fn models(provider: &Provider, prices: &[Price]) -> Vec<String> {
    let mut names: Vec<String> = provider.models.iter().map(|model| model.id.clone()).collect();
    for price in prices {
        if !names.contains(&price.model) {
            names.push(price.model.clone());
        }
    }
    names
}

/// The line that holds at a moment; `prices` are by model, newest first.
fn current<'a>(prices: &'a [Price], model: &str, now: Timestamp) -> Option<&'a Price> {
    prices.iter().find(|price| price.model == model && price.from <= now)
}

/// Each model with what it costs now.
#[component]
pub(super) fn Current(
    names: Vec<String>,
    lines: Vec<Price>,
    /// When the lines were read.
    now: Timestamp,
    prices: Prices,
    may_manage: bool,
) -> impl IntoView {
    let columns = vec![
        Column::text("Model"),
        Column::number("Read"),
        Column::number("Written"),
        Column::number("From the cache"),
        Column::number("Into the cache"),
        Column::text("Since"),
        Column::text(""),
    ];
    let rows = names.into_iter().map(|model| {
        let line = current(&lines, &model, now).cloned();
        view! { <CurrentRow model line prices may_manage /> }
    });
    let rows = rows.collect_view();
    let actions = move || {
        may_manage.then(|| {
            view! {
                <Button label="Add a price" icon="plus" size=ButtonSize::Small on_press=move |()| {
                    let first = prices.models.with_untracked(|models| models.first().cloned()).unwrap_or_default();
                    prices.set(&first);
                } />
            }
        })
    };
    view! {
        <Card id="prices-now" title="Prices now" sub=Some("US dollars for a million tokens".to_owned()) actions=ViewFnOnce::from(actions) flush=true>
            <DataTable label="Prices now" columns>{rows}</DataTable>
        </Card>
    }
}

#[component]
fn CurrentRow(model: String, line: Option<Price>, prices: Prices, may_manage: bool) -> impl IntoView {
    let name = model.clone();
    let held = line.clone();
    let set = move |()| match &held {
        Some(price) => prices.change(price),
        None => prices.set(&model),
    };
    let label = if line.is_some() { "Change" } else { "Set a price" };
    let set = may_manage.then(|| view! { <Button label size=ButtonSize::Small on_press=set /> });
    let cells = match line {
        Some(line) => {
            view! { <Rates line=line.clone() /><td class="nowrap"><RelativeTime at=line.from /></td> }.into_any()
        }
        None => view! { <td colspan="5" class="dim">"No price: its calls are counted as unpriced"</td> }.into_any(),
    };
    view! {
        <tr>
            <td class="mono price-model">{name}</td>
            {cells}
            <td class="row-actions">{set}</td>
        </tr>
    }
}

/// The amounts of a line; what is not set is charged as what stands before it.
#[component]
fn Rates(line: Price) -> impl IntoView {
    let or = |value: Option<i64>| match value {
        Some(value) => rate(value).into_any(),
        None => view! { <span class="dimmer" title="as read">{rate(line.input)}</span> }.into_any(),
    };
    let hour = line
        .cache_write_hour
        .map(|value| view! { <span class="small dim block">{format!("{} for an hour", rate(value))}</span> });
    view! {
        <td class="num">{rate(line.input)}</td>
        <td class="num">{rate(line.output)}</td>
        <td class="num">{or(line.cache_read)}</td>
        <td class="num">{or(line.cache_write)}{hour}</td>
    }
}

/// Every line of the price table, by model, newest first.
#[component]
pub(super) fn History(lines: Vec<Price>, now: Timestamp, prices: Prices, may_manage: bool) -> impl IntoView {
    let count = lines.len() as i64;
    let columns = vec![
        Column::text("Model"),
        Column::text("From"),
        Column::number("Read"),
        Column::number("Written"),
        Column::number("From the cache"),
        Column::number("Into the cache"),
        Column::text(""),
    ];
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            let holds = current(&lines, &line.model, now).is_some_and(|held| held.id == line.id);
            let mark = if holds {
                Some(("holds now", Tone::Good))
            } else {
                (line.from > now).then_some(("to come", Tone::Accent))
            };
            view! { <HistoryRow line=line.clone() mark prices may_manage /> }
        })
        .collect();
    (count > 0).then(|| view! {
        <Card id="prices-all" title="All prices" sub=Some(format!("{}, each from its day on", format::plural(count, "line"))) flush=true>
            <DataTable label="All prices" columns>{rows}</DataTable>
        </Card>
    })
}

#[component]
fn HistoryRow(line: Price, mark: Option<(&'static str, Tone)>, prices: Prices, may_manage: bool) -> impl IntoView {
    let (model, from, rates) = (line.model.clone(), line.from, line.clone());
    let delete = move |()| {
        prices.deleting.set(Some(line.clone()));
        prices.is_asking.set(true);
    };
    view! {
        <tr>
            <td class="mono price-model">{model}</td>
            <td class="nowrap"><RelativeTime at=from />{mark.map(|(label, tone)| view! { " "<Badge label tone /> })}</td>
            <Rates line=rates />
            <td class="row-actions">
                {may_manage.then(|| view! { <Button label="Delete" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=delete /> })}
            </td>
        </tr>
    }
}

type Saving = Action<(ProviderId, Form), Result<Price, ApiError>>;

#[component]
pub(super) fn PriceDialog(prices: Prices, provider: Memo<Option<ProviderId>>) -> impl IntoView {
    let toasts = use_toasts();
    let save: Saving = Action::new(|(id, form): &(ProviderId, Form)| {
        let (id, draft) = (*id, form.draft(browser::offset_minutes));
        async move { put_price(id, draft?).await }
    });
    Effect::new(move |_| {
        if let Some(Ok(price)) = save.value().get() {
            prices.open.set(false);
            prices.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("{} has a price; calls that were made keep their cost", price.model));
        }
    });
    Effect::new(move |_| {
        if prices.open.get() {
            save.value().set(None);
        }
    });
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| prices.open.set(false) />
            <Button label="Set the price" variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    view! {
        <Dialog id="price-dialog" title="Set a price" open=prices.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <PriceForm prices save provider />
        </Dialog>
    }
}

#[component]
fn PriceForm(prices: Prices, save: Saving, provider: Memo<Option<ProviderId>>) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => error.field(pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    let whole = move || {
        save.value().with(|answer| match answer {
            Some(Err(ApiError::Invalid { fields, .. })) if !fields.is_empty() => None,
            Some(Err(error)) => Some(error.detail().to_owned()),
            _ => None,
        })
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(id) = provider.get_untracked().filter(|_| !save.pending().get_untracked()) {
            save.dispatch((id, prices.form.get_untracked()));
        }
    };
    let amount = move |id: &'static str,
                       label: &'static str,
                       pointer: &'static str,
                       value: Bound<String>,
                       empty: &'static str| {
        let aside = Signal::stored((!empty.is_empty()).then(|| "optional".to_owned()));
        view! { <TextInput id label value aside error=error(pointer) required=empty.is_empty() autocomplete="off" placeholder=empty /> }
    };
    let listed = prices.models.get_untracked();
    let model_error = error("/model");
    let model = prices.bind(|form| &form.model, |form| &mut form.model);
    let model = if listed.is_empty() {
        view! { <TextInput id="price-model" label="Model" mono=true required=true error=model_error value=model /> }
            .into_any()
    } else {
        let choices: Vec<Choice> = listed.into_iter().map(|name| Choice::new(name.clone(), name)).collect();
        view! { <Select id="price-model" label="Model" choices=Signal::stored(choices) error=model_error value=model /> }.into_any()
    };
    view! {
        <form class="form wide" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            {model}
            <p class="dim">"US dollars for a million tokens, as the provider's price list has them."</p>
            <div class="grid pair">
                {amount("price-input", "Read", "/input", prices.bind(|form| &form.input, |form| &mut form.input), "")}
                {amount("price-output", "Written", "/output", prices.bind(|form| &form.output, |form| &mut form.output), "")}
                {amount("price-cache-read", "From the provider's cache", "/cache_read", prices.bind(|form| &form.cache_read, |form| &mut form.cache_read), "as read")}
                {amount("price-cache-write", "Into its cache", "/cache_write", prices.bind(|form| &form.cache_write, |form| &mut form.cache_write), "as read")}
                {amount("price-cache-hour", "Into it for an hour", "/cache_write_hour", prices.bind(|form| &form.cache_write_hour, |form| &mut form.cache_write_hour), "as into its cache")}
                <TextInput
                    id="price-from" label="From" kind="date" aside=Some("optional".to_owned()) error=error("/from")
                    value=prices.bind(|form| &form.from, |form| &mut form.from)
                    hint=Some("Empty: from now on. It holds until the next line.".to_owned())
                />
            </div>
        </form>
    }
}

#[component]
pub(super) fn DeletePriceDialog(prices: Prices) -> impl IntoView {
    let toasts = use_toasts();
    let delete = Action::new(|(provider, id): &(ProviderId, PriceId)| delete_price(*provider, *id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        prices.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The price is deleted");
                prices.changed.update(|n| *n += 1);
            }
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
    });
    let confirm = move |()| {
        if let Some((provider, id)) =
            prices.deleting.with_untracked(|one| one.as_ref().map(|one| (one.provider_id, one.id)))
        {
            delete.dispatch((provider, id));
        }
    };
    let model = move || prices.deleting.with(|one| one.as_ref().map(|one| one.model.clone()).unwrap_or_default());
    view! {
        <ConfirmDialog
            id="delete-price" title=Signal::derive(move || format!("Delete this price of {}?", model())) open=prices.is_asking
            action="Delete" busy=delete.pending() on_confirm=confirm
        >
            <p>"The line before it holds again; without one, calls have no cost. Calls that were made keep theirs."</p>
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(model: &str, from: i64) -> Price {
        Price {
            id: PriceId(uuid::Uuid::from_u128(from as u128)),
            provider_id: ProviderId(uuid::Uuid::nil()),
            model: model.to_owned(),
            from: Timestamp(from),
            input: 1,
            output: 1,
            cache_read: None,
            cache_write: None,
            cache_write_hour: None,
        }
    }

    #[test]
    fn the_newest_line_that_has_begun_holds() {
        let lines = [line("a", 30), line("a", 20), line("a", 10), line("b", 40)];
        assert_eq!(current(&lines, "a", Timestamp(25)).map(|line| line.from), Some(Timestamp(20)));
        assert_eq!(current(&lines, "a", Timestamp(5)), None);
        assert_eq!(current(&lines, "b", Timestamp(25)), None);
    }
}
