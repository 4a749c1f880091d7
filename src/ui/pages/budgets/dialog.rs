//! Adding and changing a budget.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::form::{Form, whose};
use crate::api::budgets::{create_budget, update_budget};
use crate::api::gateway::list_keys;
use crate::api::users::list_users;
use crate::model::auth::User;
use crate::model::gateway::{Budget, BudgetScope, BudgetState, KeyInUse};
use crate::model::{ApiError, BudgetId, PageRequest};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Checkbox, Choice, Dialog, Icon, Select, TextInput, Tone, use_toasts,
};

/// Fields that show their own errors.
const SHOWN: [&str; 4] = ["/name", "/of", "/limit_micros", "/warn_percent"];
/// The form that the button of the dialog sends.
const FORM: &str = "budget-form";
/// People, and keys, that can be chosen.
const MOST_CHOICES: u32 = 200;

type Saving = Action<(Option<(BudgetId, i64)>, Form), Result<BudgetState, ApiError>>;

/// Which budget the dialog is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    /// The one that is changed; `None` for a new one.
    editing: RwSignal<Option<(BudgetId, i64)>>,
    form: RwSignal<Form>,
    changed: RwSignal<u32>,
}

impl Asked {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self { open: RwSignal::new(false), editing: RwSignal::new(None), form: RwSignal::new(Form::blank()), changed }
    }

    /// Opens the dialog for a new budget.
    pub(super) fn add(self) {
        self.editing.set(None);
        self.form.set(Form::blank());
        self.open.set(true);
    }

    /// Opens the dialog for a budget that there is.
    pub(super) fn edit(self, budget: &Budget) {
        self.editing.set(Some((budget.id, budget.revision)));
        self.form.set(Form::of(budget));
        self.open.set(true);
    }

    /// A part of the form as a control reads and writes it.
    fn bind<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        get: fn(&Form) -> T,
        set: fn(&mut Form, T),
    ) -> Bound<T> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    }
}

#[component]
pub(super) fn BudgetDialog(asked: Asked) -> impl IntoView {
    let toasts = use_toasts();
    let save: Saving = Action::new(|(editing, form): &(Option<(BudgetId, i64)>, Form)| {
        let (editing, draft) = (*editing, form.draft());
        async move {
            match editing {
                Some((id, revision)) => update_budget(id, revision, draft).await,
                None => create_budget(draft).await,
            }
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(state)) = save.value().get() {
            asked.open.set(false);
            asked.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("{} holds from now on", state.budget.name));
        }
    });
    Effect::new(move |_| {
        if asked.open.get() {
            save.value().set(None);
        }
    });
    let is_new = move || asked.editing.with(Option::is_none);
    let footer = move || {
        let label = Signal::derive(move || if is_new() { "Add the budget" } else { "Save" }.to_owned());
        view! {
            <Button label="Cancel" on_press=move |()| asked.open.set(false) />
            <Button label variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let title = Signal::derive(move || if is_new() { "Add a budget" } else { "Edit the budget" }.to_owned());
    view! {
        <Dialog id="budget-dialog" title open=asked.open footer=ViewFn::from(footer)>
            <BudgetForm asked save />
        </Dialog>
    }
}

#[component]
fn BudgetForm(asked: Asked, save: Saving) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => error.field(pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    let limit_error =
        Signal::derive(move || error("/limit_micros").get().map(|_| "expected dollars, such as 25 or 0.50".to_owned()));
    let whole = move || {
        save.value().with(|answer| match answer {
            Some(Err(error)) if SHOWN.iter().all(|pointer| error.field(pointer).is_none()) => {
                Some(error.detail().to_owned())
            }
            _ => None,
        })
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !save.pending().get_untracked() {
            save.dispatch((asked.editing.get_untracked(), asked.form.get_untracked()));
        }
    };
    let of_runs = Memo::new(move |_| asked.form.with(Form::is_of_runs));
    let period = asked.bind(
        |form| if form.monthly { "month" } else { "day" }.to_owned(),
        |form, value| form.monthly = value == "month",
    );
    let periods = [Choice::new("day", "A day (UTC)"), Choice::new("month", "A calendar month (UTC)")];
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <TextInput
                id="budget-name" label="Name" required=true placeholder="Team" error=error("/name")
                value=asked.bind(|form| form.name.clone(), |form, value| form.name = value)
            />
            <WhoseField asked error=error("/of") />
            {move || (!of_runs.get()).then(|| view! {
                <Select id="budget-period" label="In" value=period choices=Signal::stored(periods.to_vec()) />
            })}
            <TextInput
                id="budget-limit" label="US dollars" required=true mono=true placeholder="25.00" error=limit_error
                value=asked.bind(|form| form.limit.clone(), |form, value| form.limit = value)
            />
            <TextInput
                id="budget-warn" label="Warn from, in percent" mono=true error=error("/warn_percent")
                value=asked.bind(|form| form.warn_percent.clone(), |form, value| form.warn_percent = value)
                hint=Some("Callers are told in the header x-weft-budget, and the list shows it.".to_owned())
            />
            <Checkbox
                id="budget-stops" label="Refuse calls beyond it; runs wait until there is more"
                value=asked.bind(|form| form.stops, |form, value| form.stops = value)
            />
        </form>
    }
}

/// All, each or one.
#[component]
fn WhoseField(asked: Asked, error: Signal<Option<String>>) -> impl IntoView {
    // Asked for once the dialog is open, and never while the server draws the page.
    let people = LocalResource::new(move || {
        let is_open = asked.open.get();
        async move {
            if !is_open {
                return Ok(Vec::new());
            }
            list_users(PageRequest { limit: MOST_CHOICES, cursor: None }).await.map(|page| page.items)
        }
    });
    let keys = LocalResource::new(move || {
        let is_open = asked.open.get();
        async move {
            if !is_open {
                return Ok(Vec::new());
            }
            list_keys(PageRequest { limit: MOST_CHOICES, cursor: None }).await.map(|page| page.items)
        }
    });
    let choices = Signal::derive(move || {
        let mut choices = vec![
            Choice::new(whose(BudgetScope::Workspace, None), "The whole workspace"),
            Choice::new(whose(BudgetScope::User, None), "Each person"),
            Choice::new(whose(BudgetScope::Key, None), "Each gateway key"),
            Choice::new(whose(BudgetScope::Run, None), "Each run"),
        ];
        if let Some(Ok(people)) = people.get() {
            let person = |user: User| Choice::new(whose(BudgetScope::User, Some(user.id.0)), user.name);
            choices.extend(people.into_iter().map(person));
        }
        if let Some(Ok(keys)) = keys.get() {
            let key = |one: KeyInUse| {
                Choice::new(whose(BudgetScope::Key, Some(one.key.id.0)), format!("The key {}", one.key.name))
            };
            choices.extend(keys.into_iter().map(key));
        }
        choices
    });
    let value = asked.bind(|form| form.whose.clone(), |form, value| form.whose = value);
    view! { <Select id="budget-whose" label="May be spent by" value choices error /> }
}
