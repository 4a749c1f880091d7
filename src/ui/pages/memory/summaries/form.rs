//! A rule as a form, and what it would do now.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::group_of;
use crate::api::memory::{preview_summary_rule, save_summary_rule};
use crate::model::gateway::{parse_usd, short_usd};
use crate::model::memory::{SummaryPlan, SummaryRuleDraft};
use crate::model::{ApiError, FieldError, SummaryRuleId};
use crate::ui::components::{Bound, Button, ButtonVariant, Dialog, Switch, TextInput, Tone, use_toasts};
use crate::ui::format;

/// The dialog and its fields, as they are typed.
#[derive(Clone, Copy)]
pub(super) struct Form {
    open: RwSignal<bool>,
    /// The rule that is written anew; none makes one.
    id: RwSignal<Option<SummaryRuleId>>,
    namespace: RwSignal<String>,
    at_least: RwSignal<String>,
    older_than_days: RwSignal<String>,
    every_hours: RwSignal<String>,
    model: RwSignal<String>,
    budget: RwSignal<String>,
    enabled: RwSignal<bool>,
    wrong: RwSignal<Vec<FieldError>>,
    plan: RwSignal<Option<SummaryPlan>>,
    busy: RwSignal<bool>,
}

impl Form {
    pub(super) fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            open: RwSignal::new(false),
            id: RwSignal::new(None),
            namespace: text(),
            at_least: text(),
            older_than_days: text(),
            every_hours: text(),
            model: text(),
            budget: text(),
            enabled: RwSignal::new(false),
            wrong: RwSignal::new(Vec::new()),
            plan: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// Opens the form for a rule, or for a new one.
    pub(super) fn begin(self, rule: Option<(SummaryRuleId, SummaryRuleDraft)>) {
        let (id, spec) = rule.unzip();
        let spec = spec.unwrap_or_else(|| SummaryRuleDraft {
            namespace: String::new(),
            older_than_days: 7,
            at_least: 20,
            every_hours: 24,
            model: String::new(),
            budget_micros: 100_000,
            enabled: false,
        });
        self.id.set(id);
        self.namespace.set(spec.namespace);
        self.at_least.set(spec.at_least.to_string());
        self.older_than_days.set(spec.older_than_days.to_string());
        self.every_hours.set(spec.every_hours.to_string());
        self.model.set(spec.model);
        self.budget.set(short_usd(spec.budget_micros));
        self.enabled.set(spec.enabled);
        self.wrong.set(Vec::new());
        self.plan.set(None);
        self.open.set(true);
    }

    /// What is typed as a rule, or what does not fit.
    fn draft(self) -> Result<SummaryRuleDraft, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut number = |field: RwSignal<String>, pointer: &str| {
            field.with_untracked(|text| text.trim().parse::<u32>()).unwrap_or_else(|_| {
                wrong.push(FieldError::new(pointer, "expected a whole number"));
                0
            })
        };
        let (at_least, older_than_days, every_hours) = (
            number(self.at_least, "/at_least"),
            number(self.older_than_days, "/older_than_days"),
            number(self.every_hours, "/every_hours"),
        );
        let budget_micros = self.budget.with_untracked(|text| parse_usd(text)).unwrap_or_else(|| {
            wrong.push(FieldError::new("/budget_micros", "expected dollars, such as 0.10"));
            0
        });
        let draft = SummaryRuleDraft {
            namespace: self.namespace.with_untracked(|text| text.trim().trim_matches('/').to_owned()),
            older_than_days,
            at_least,
            every_hours,
            model: self.model.with_untracked(|text| text.trim().to_owned()),
            budget_micros,
            enabled: self.enabled.get_untracked(),
        };
        if wrong.is_empty() {
            wrong = draft.check();
        }
        if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
    }

    /// Shows what does not fit at its fields; what has none is given back.
    fn take(self, error: ApiError) -> Option<String> {
        match error {
            ApiError::Invalid { fields, .. } if !fields.is_empty() => {
                let _ = self.wrong.try_set(fields);
                None
            }
            error => Some(error.detail().to_owned()),
        }
    }

    /// What does not fit at a field.
    fn wrong_at(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            let is_its = |field: &&FieldError| field.pointer.trim_start_matches('/') == name;
            self.wrong.with(|wrong| wrong.iter().find(is_its).map(|field| field.message.clone()))
        })
    }
}

/// The dialog; `saved` is called when a rule was written.
#[component]
pub(super) fn RuleDialog(form: Form, saved: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let ask = move |draft: SummaryRuleDraft, keep: bool| {
        form.wrong.set(Vec::new());
        form.busy.set(true);
        let id = form.id.get_untracked();
        spawn_local(async move {
            let failed = if keep {
                match save_summary_rule(id, draft).await {
                    Ok(rule) => {
                        let on = if rule.spec.enabled { "is switched on" } else { "is switched off" };
                        toasts.say(Tone::Good, format!("Saved; the rule {on}"));
                        let _ = form.open.try_set(false);
                        saved.try_run(());
                        None
                    }
                    Err(error) => form.take(error),
                }
            } else {
                match preview_summary_rule(draft).await {
                    Ok(plan) => {
                        let _ = form.plan.try_set(Some(plan));
                        None
                    }
                    Err(error) => form.take(error),
                }
            };
            if let Some(failed) = failed {
                toasts.say(Tone::Bad, failed);
            }
            let _ = form.busy.try_set(false);
        });
    };
    let press = move |keep: bool| {
        form.plan.set(None);
        match form.draft() {
            Ok(draft) => ask(draft, keep),
            Err(wrong) => form.wrong.set(wrong),
        }
    };
    let title = Signal::derive(move || if form.id.with(Option::is_some) { "Edit rule" } else { "Add rule" }.to_owned());
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| form.open.set(false) />
            <Button label="Preview" busy=form.busy on_press=move |()| press(false) />
            <Button label="Save rule" variant=ButtonVariant::Primary busy=form.busy on_press=move |()| press(true) />
        }
    };
    let hint = |text: &'static str| Signal::stored(Some(text.to_owned()));
    view! {
        <Dialog id="summary-rule" title open=form.open footer=ViewFn::from(footer)>
            <div class="form">
                <TextInput id="rule-namespace" label="Namespace" value=Bound::from(form.namespace) error=form.wrong_at("namespace") hint=hint("With all below it. Entries of one group become one summary, and those of a namespace without a group.") />
                <TextInput id="rule-at-least" label="At least so many entries" kind="number" value=Bound::from(form.at_least) error=form.wrong_at("at_least") hint=hint("Of a group, that have no summary yet; 2 to 200.") />
                <TextInput id="rule-older" label="Not changed for so many days" kind="number" value=Bound::from(form.older_than_days) error=form.wrong_at("older_than_days") hint=hint("0: also what was written just now.") />
                <TextInput id="rule-every" label="Looks every so many hours" kind="number" value=Bound::from(form.every_hours) error=form.wrong_at("every_hours") />
                <TextInput id="rule-model" label="Model" value=Bound::from(form.model) error=form.wrong_at("model") hint=hint("A route or provider/model that has a price; empty: the default route.") />
                <TextInput id="rule-budget" label="Dollars each time, at most" value=Bound::from(form.budget) error=form.wrong_at("budget_micros") hint=hint("What a summary costs at most is reckoned before a model is asked.") />
                <Switch id="rule-enabled" label="Switched on" value=Bound::from(form.enabled) hint=hint("Switched off it does nothing; a preview shows what it would do.") />
                <div class="stack" aria-live="polite">{move || form.plan.get().map(told)}</div>
            </div>
        </Dialog>
    }
}

/// What a rule would do now.
fn told(plan: SummaryPlan) -> AnyView {
    let SummaryPlan { sets, left, model, cost_micros, refused } = plan;
    if sets.is_empty() {
        return view! { <p>"Now it would do nothing: no group is large or old enough."</p> }.into_any();
    }
    let fitting = sets.iter().filter(|set| set.fits).count();
    let summaries = if fitting == 1 { "1 summary".to_owned() } else { format!("{fitting} summaries") };
    let head = match refused {
        Some(why) => format!("Nobody would be asked: {why}."),
        None => format!(
            "Now it would make {summaries} by {}, for at most about {}.",
            model.as_deref().unwrap_or("nobody"),
            format::dollars(cost_micros)
        ),
    };
    let more = (left > 0).then(|| format!(" {left} more groups would wait for the next time."));
    let row = |set: crate::model::memory::SummarySet| {
        let what = group_of(set.entries, set.group.as_deref());
        let cost = set.cost_micros.map_or_else(|| "no price".to_owned(), format::dollars);
        let waits = (!set.fits).then_some(", over the budget");
        view! { <li class="small over"><span class="path">{set.namespace}</span> ": " {what} ", " {cost} {waits}</li> }
    };
    view! {
        <section class="stack" aria-label="Preview">
            <p><b>{head}</b> {more}</p>
            <ul role="list">{sets.into_iter().map(row).collect_view()}</ul>
        </section>
    }
    .into_any()
}
