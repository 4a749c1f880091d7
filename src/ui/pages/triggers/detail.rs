//! `/triggers/ID`: one trigger, what comes next, and what became of each firing.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;

use super::dialog::{Asked, TriggerDialog};
use super::fire::FireDialog;
use super::firings::{Firings, First};
use super::keys::WebhookCards;
use super::list::count_changes;
use super::row::{DeleteDialog, EnableSwitch, RowActs, Until};
use crate::api::triggers::{get_trigger, list_firings};
use crate::model::auth::{Action, Me};
use crate::model::trigger::{Answer, Config, Missed, Overlap, Trigger};
use crate::model::{ApiError, PageRequest, TriggerId};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Card, Crumb, JsonTree, Load, PageHeader, RelativeTime, Tone,
    is_about,
};

/// The page of one trigger.
#[component]
pub fn TriggerPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<TriggerId>().ok()));
    let changed = RwSignal::new(0);
    count_changes(changed);
    let asked = Asked::new(changed);
    let acts = RowActs::new(asked, changed);
    let trigger = Resource::new(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_trigger(id).await,
                None => Err(ApiError::not_found("trigger")),
            }
        },
    );
    // Read beside the trigger: what is drawn once that is known makes no resource of its own.
    let firings = Resource::new(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => list_firings(Some(id), PageRequest::default()).await,
                None => Err(ApiError::not_found("trigger")),
            }
        },
    );
    let is_current = is_about(id, |trigger: &Trigger| trigger.id);
    view! {
        <Load resource=trigger what="the trigger" is_current let:trigger>
            <Shown trigger firings acts />
        </Load>
        <TriggerDialog asked />
        <FireDialog acts />
        <DeleteDialog acts />
    }
}

#[component]
fn Shown(trigger: Trigger, firings: First, acts: RowActs) -> impl IntoView {
    let id = trigger.id;
    let current = RwSignal::new(trigger);
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(trigger) = get_trigger(id).await {
                    current.try_set(trigger);
                }
            });
        }
        now
    });
    // A firing changes what the list of firings shows, and nothing of the rest but the next moments.
    let trigger = Memo::new(move |_| Trigger { last_firing: None, ..current.get() });
    let title = Signal::derive(move || trigger.with(|trigger| trigger.name.clone()));
    let actions = move || view! { {move || view! { <Actions trigger=trigger.get() acts /> }} };
    view! {
        <PageHeader title crumbs=vec![Crumb::new("/triggers", "Triggers")] actions=ViewFnOnce::from(actions)>
            <Badge label=Signal::derive(move || trigger.with(|trigger| trigger.config.kind().label().to_owned())) />
            {move || (!trigger.with(|trigger| trigger.enabled)).then(|| view! { <Badge label="off" tone=Tone::Warn /> })}
        </PageHeader>
        <div class="page-body stack">
            {move || view! { <About trigger=trigger.get() acts /> }}
            <Card id="trigger-firings" title="Firings" flush=true>
                <Firings trigger=Some(id) first=firings changed=acts.changed />
            </Card>
        </div>
    }
}

/// Everything but the firings.
#[component]
fn About(trigger: Trigger, acts: RowActs) -> impl IntoView {
    let webhook = trigger.webhook.clone();
    let cards = webhook.map(|webhook| view! { <WebhookCards trigger=trigger.clone() webhook acts /> });
    let next = matches!(trigger.config, Config::Schedule { .. }).then(|| view! { <Next trigger=trigger.clone() /> });
    let inputs = (!trigger.inputs.is_null()).then(|| trigger.inputs.clone());
    view! {
        <Facts trigger />
        {next}
        {cards}
        {inputs.map(|inputs| view! {
            <Card id="trigger-inputs" title="What the run is given"><JsonTree value=Signal::stored(inputs) label="Inputs" /></Card>
        })}
    }
}

#[component]
fn Actions(trigger: Trigger, acts: RowActs) -> impl IntoView {
    let me = expect_context::<Me>();
    let (may_fire, may_manage) = (me.may(Action::StartRun), me.may(Action::ManageTrigger));
    let all = StoredValue::new(trigger.clone());
    let delete = move |()| {
        acts.delete.set(Some(all.get_value()));
        acts.delete_open.set(true);
    };
    view! {
        <EnableSwitch trigger acts />
        {may_manage.then(|| view! {
            <Button label="Delete" icon="trash" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=delete />
            <Button label="Edit" icon="edit" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| acts.asked.edit(all.get_value()) />
        })}
        {may_fire.then(|| view! {
            <Button label="Fire now" icon="play" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| acts.ask_fire(all.get_value()) />
        })}
    }
}

#[component]
fn Facts(trigger: Trigger) -> impl IntoView {
    let mut facts: Vec<(&'static str, AnyView)> = vec![
        ("Waits for", trigger.summary.into_any()),
        (
            "Starts",
            view! { <a class="link" href=format!("/workflows/{}", trigger.workflow_id)>{trigger.workflow_name}</a> }
                .into_any(),
        ),
        (
            "Version",
            trigger.published_version.map_or_else(
                || view! { <Badge label="not published" tone=Tone::Warn /> }.into_any(),
                |version| format!("{version}, the newest").into_any(),
            ),
        ),
    ];
    match trigger.config {
        Config::Schedule { cron, missed, overlap, .. } => {
            facts.push(("Expression", view! { <code>{cron}</code> }.into_any()));
            let missed = match missed {
                Missed::Skip => "passed over",
                Missed::RunOnce => "one run for all",
                Missed::RunAll => "a run for each, at most 100",
            };
            facts.push(("Missed moments", missed.into_any()));
            if overlap == Overlap::Skip {
                facts.push(("Overlap", "passed over while the run before goes on".into_any()));
            }
        }
        Config::Webhook { answer, rate_per_minute, signed, call_id } => {
            let answer = match answer {
                Answer::Accept => "the run's id, at once".to_owned(),
                Answer::Wait { ms } => format!("the run's answer, within {ms} ms"),
            };
            facts.push(("The caller gets", answer.into_any()));
            if let Some(call_id) = call_id {
                facts.push(("A repeat is known by", view! { <code>{call_id}</code> }.into_any()));
            }
            facts.push(("Signed", if signed { "yes" } else { "no" }.into_any()));
            facts.push(("At most", format!("{rate_per_minute} calls a minute").into_any()));
        }
        Config::Memory { .. } | Config::RunFinished { .. } => {}
    }
    if let Some(by) = trigger.created_by {
        facts.push(("Made by", by.into_any()));
    }
    facts.push(("Changed", view! { <RelativeTime at=trigger.updated_at /> }.into_any()));
    let facts = facts.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="facts wrap">{facts.collect_view()}</dl> }
}

/// The next moments of a schedule.
#[component]
fn Next(trigger: Trigger) -> impl IntoView {
    let moments = trigger.next;
    view! {
        <Card id="trigger-next" title="Next" flush=true>
            {if moments.is_empty() {
                view! { <p class="card-body dim">{if trigger.enabled { "No more times." } else { "It is off." }}</p> }.into_any()
            } else {
                let rows = moments.into_iter().map(|moment| view! {
                    <li class="item-row"><span class="grow">{moment.local}</span><span class="dim"><Until at=moment.at /></span></li>
                });
                view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
            }}
        </Card>
    }
}
