//! `/memory/summaries`: the rules by which a model summarizes entries by itself, what each would do, and what came of it.

mod form;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::form::{Form, RuleDialog};
use super::bulk::entries;
use super::place::Place;
use crate::api::memory::{delete_summary_rule, list_summary_rules, run_summary_rule, save_summary_rule};
use crate::model::auth::{Action as May, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::memory::{EntryName, SummaryFiring, SummaryOutcome, SummaryRule, SummaryRuleDraft};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Crumb, EmptyState, Load, NeedsProvider, PageHeader,
    RelativeTime, SkeletonShape, Toasts, Tone, use_toasts,
};
use crate::ui::state::live::follow;
use crate::ui::{browser, format};

/// Changes that arrive within this time are loaded together, in ms.
const GATHER_MS: i32 = 1_000;
/// When it is looked again after a rule was made to look at once, in ms: a model may take its time.
const LOOKS_MS: [i32; 3] = [1_500, 5_000, 20_000];

/// What the rows share.
#[derive(Clone, Copy)]
struct Acts {
    /// Goes up when everything must be loaded anew.
    refresh: RwSignal<u32>,
    /// Why this person can't change rules, if they can't.
    refused: Signal<Option<String>>,
    form: Form,
}

impl Acts {
    fn load_anew(self) {
        // A task may end after the page is gone.
        self.refresh.try_update(|count| *count += 1);
    }
}

/// `/memory/summaries`.
#[component]
pub fn SummariesPage() -> impl IntoView {
    let refresh = RwSignal::new(0_u32);
    let rules = Resource::new(move || refresh.get(), |_| list_summary_rules());
    let may = use_context::<Me>().is_none_or(|me| me.may(May::ManageProvider));
    let refused = Signal::stored((!may).then(|| "Your role can't set what models are asked by themselves".to_owned()));
    let acts = Acts { refresh, refused, form: Form::new() };
    follow_changes(acts);
    let actions = move || {
        view! {
            <Button
                label="Add rule" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Primary refused
                on_press=move |()| acts.form.begin(None)
            />
        }
    };
    view! {
        <PageHeader title="Summaries by rule" crumbs=vec![Crumb::new("/memory", "Memory")] actions=ViewFnOnce::from(actions) />
        <div class="page-body stack" data-narrow>
            <NeedsProvider why="Without one nothing can be summarized." />
            <p class="dim">
                "Where entries have become many or old, a model writes one of them. The originals stay, searches find both, and nothing is summarized twice in the same version. A rule asks in the name of whoever wrote it last, and does nothing until it is switched on."
            </p>
            <Load resource=rules what="the rules" shape=SkeletonShape::Block(8) let:rules>
                <Rules rules acts />
            </Load>
        </div>
        <RuleDialog form=acts.form saved=Callback::new(move |()| acts.load_anew()) />
    }
}

/// Loads the rules anew when entries were written: summaries may be among them.
fn follow_changes(acts: Acts) {
    let seen = StoredValue::new(0_i64);
    let timer = browser::GuardSlot::new();
    follow(
        Signal::stored(Some(Topic::Memory(String::new()))),
        move || seen.get_value(),
        move |message| match message {
            ServerMessage::Update(update) => {
                seen.set_value(update.seq);
                timer.keep(Some(browser::after_ms(GATHER_MS, move || acts.load_anew())));
            }
            ServerMessage::Snapshot { seq, .. } => seen.set_value(seq),
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        },
    );
}

#[component]
fn Rules(rules: Vec<SummaryRule>, acts: Acts) -> impl IntoView {
    if rules.is_empty() {
        return view! {
            <EmptyState title="No rules">"Nothing is summarized by itself. A single summary is made on the memory page."</EmptyState>
        }
        .into_any();
    }
    rules.into_iter().map(|rule| view! { <Rule rule acts /> }).collect_view().into_any()
}

/// When it does something, in words.
fn when(spec: &SummaryRuleDraft) -> String {
    let age = match spec.older_than_days {
        0 => String::new(),
        1 => ", not changed for a day".to_owned(),
        days => format!(", not changed for {days} days"),
    };
    let every = match spec.every_hours {
        1 => "Every hour".to_owned(),
        24 => "Every day".to_owned(),
        hours => format!("Every {hours} hours"),
    };
    let model = if spec.model.is_empty() { "the default route" } else { &spec.model };
    let (least, budget) = (spec.at_least, format::dollars(spec.budget_micros));
    format!(
        "{every}, where at least {least} entries of a group have no summary{age}: by {model}, for {budget} at most."
    )
}

#[component]
fn Rule(rule: SummaryRule, acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let SummaryRule { id, spec, made_by, next_at, firings, .. } = rule;
    let title = spec.namespace.clone();
    let off = Signal::stored((!spec.enabled).then(|| "It is switched off".to_owned()));
    let cannot_run = Signal::derive(move || acts.refused.get().or_else(|| off.get()));
    let run = move |()| {
        spawn_local(async move {
            match run_summary_rule(id).await {
                Ok(_) => toasts.say(Tone::Good, "It looks now"),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            for pause in LOOKS_MS {
                browser::after_ms_detached(pause, move || acts.load_anew());
            }
        });
    };
    let edited = spec.clone();
    let edit = move |()| acts.form.begin(Some((id, edited.clone())));
    let removed = spec.clone();
    let delete = move |()| remove(acts, toasts, (id, removed.clone()));
    let (of, name) = (title.clone(), format!("Rule of {title}"));
    let actions = move || {
        view! {
            <Button label="Look now" icon="play" size=ButtonSize::Small refused=cannot_run on_press=run />
            <Button label="Edit…" icon="edit" size=ButtonSize::Small refused=acts.refused on_press=edit />
            <Button
                label=format!("Delete the rule of {of}") icon="trash" shape=ButtonShape::IconOnly size=ButtonSize::Small
                variant=ButtonVariant::Quiet refused=acts.refused on_press=delete
            />
        }
    };
    let state = if spec.enabled {
        view! { <Badge label="On" tone=Tone::Good /> <span class="small dim">"looks " <RelativeTime at=next_at /></span> }.into_any()
    } else {
        view! { <Badge label="Off" /> }.into_any()
    };
    let by = made_by.map(|name| view! { <span class="small dim">"in the name of " {name}</span> });
    let none = firings.is_empty().then(|| view! { <p class="small dim">"It has not looked yet."</p> });
    let rows = firings.into_iter().map(|firing| view! { <Firing firing /> }).collect_view();
    view! {
        <section class="card" aria-label=name>
            <div class="card-head">
                <h2 class="over">{title}</h2>
                <div class="actions">{actions()}</div>
            </div>
            <div class="card-body stack">
                <p>{when(&spec)}</p>
                <p class="row wrap">{state} {by}</p>
                {none}
                <ul class="stack" role="list" aria-label="What came of it">{rows}</ul>
            </div>
        </section>
    }
}

/// Removes a rule and offers to make it again.
fn remove(acts: Acts, toasts: Toasts, (id, spec): (crate::model::SummaryRuleId, SummaryRuleDraft)) {
    spawn_local(async move {
        if let Err(error) = delete_summary_rule(id).await {
            toasts.say(Tone::Bad, error.detail());
            return;
        }
        let said = format!("Deleted the rule of {}", spec.namespace);
        // The toast outlives the page, so what it calls has an owner of its own, kept by the call itself.
        let owner = Owner::new_root(None);
        let kept = owner.clone();
        let undo = owner.with(|| {
            Callback::new(move |()| {
                let (_owner, spec) = (&kept, spec.clone());
                spawn_local(async move {
                    if let Err(error) = save_summary_rule(None, spec).await {
                        toasts.say(Tone::Bad, error.detail());
                    }
                    acts.load_anew();
                });
            })
        });
        toasts.say_with_undo(said, "Undo", undo);
        acts.load_anew();
    });
}

/// What came of it once.
#[component]
fn Firing(firing: SummaryFiring) -> impl IntoView {
    let SummaryFiring { at, outcome, made, left, cost_micros, reason } = firing;
    let (label, tone) = match outcome {
        SummaryOutcome::Nothing => ("Nothing to do", Tone::Plain),
        SummaryOutcome::Done => ("Done", Tone::Good),
        SummaryOutcome::Budget => ("Over budget", Tone::Warn),
        SummaryOutcome::Refused => ("Refused", Tone::Bad),
    };
    let mut said = Vec::new();
    if !made.is_empty() {
        let noun = if made.len() == 1 { "summary" } else { "summaries" };
        said.push(format!("{} {noun}, {}", made.len(), format::dollars(cost_micros)));
    }
    if left > 0 {
        let noun = if left == 1 { "group" } else { "groups" };
        said.push(format!("{left} {noun} left"));
    }
    let link = |EntryName { namespace, key }: EntryName| {
        let href = Place { namespace: namespace.clone(), ..Place::default() }.opening(&namespace, &key).href();
        view! { <li><a class="link over small" href=href>{key}</a></li> }
    };
    let links = made.into_iter().map(link).collect_view();
    view! {
        <li class="stack">
            <span class="row wrap">
                <Badge label tone />
                <span class="small dim"><RelativeTime at /></span>
                <span class="small">{said.join(", ")}</span>
                <span class="small">{reason}</span>
            </span>
            <ul class="row wrap" role="list">{links}</ul>
        </li>
    }
}

/// "3 entries of the group trip".
fn group_of(count: u32, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("{} of the group {group}", entries(count as usize)),
        None => format!("{} without a group", entries(count as usize)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_in_words() {
        let spec = SummaryRuleDraft {
            namespace: "talks".to_owned(),
            older_than_days: 7,
            at_least: 20,
            every_hours: 24,
            model: String::new(),
            budget_micros: 100_000,
            enabled: true,
        };
        let said = when(&spec);
        assert!(said.starts_with("Every day, where at least 20 entries of a group have no summary, not changed for 7 days: by the default route, for $0.10"), "{said}");
        assert!(
            when(&SummaryRuleDraft { older_than_days: 0, every_hours: 3, ..spec }).starts_with("Every 3 hours, where")
        );
        assert_eq!(group_of(3, Some("trip")), "3 entries of the group trip");
    }
}
