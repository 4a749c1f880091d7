//! What a trigger waits for, as fields: one set for each kind.

use leptos::prelude::*;

use super::dialog::Parts;
use crate::api::triggers::{list_zones, preview_schedule};
use crate::model::ApiError;
use crate::model::trigger::cron::Cron;
use crate::model::trigger::{Kind, Missed, Overlap, Preview};
use crate::model::workflow::RunStatus;
use crate::ui::browser;
use crate::ui::components::{Bound, Checkbox, Choice, Field, Icon, Select, Switch, TextInput};

/// How long typing must rest before a schedule is read, in ms.
const REST_MS: i32 = 150;

#[component]
pub(super) fn ConfigFields(parts: Parts, choices: Signal<Vec<Choice>>) -> impl IntoView {
    let kind = Memo::new(move |_| parts.form.with(|form| form.kind));
    move || match kind.get() {
        Kind::Schedule => view! { <ScheduleFields parts /> }.into_any(),
        Kind::Webhook => view! { <WebhookFields parts /> }.into_any(),
        Kind::Memory => view! { <MemoryFields parts /> }.into_any(),
        Kind::RunFinished => view! { <RunFields parts choices /> }.into_any(),
    }
}

/// Expressions that most schedules begin with.
const USUAL: [(&str, &str); 5] = [
    ("*/15 * * * *", "Every 15 minutes"),
    ("0 * * * *", "Hourly"),
    ("0 9 * * *", "Daily at nine"),
    ("0 9 * * MON-FRI", "Workdays at nine"),
    ("0 0 L * *", "End of the month"),
];

#[component]
fn ScheduleFields(parts: Parts) -> impl IntoView {
    let asked = Memo::new(move |_| parts.form.with(|form| (form.cron.clone(), form.timezone.clone())));
    let rested = RwSignal::new(asked.get_untracked());
    let timer = browser::GuardSlot::new();
    Effect::new(move |before: Option<(String, String)>| {
        let now = asked.get();
        if before.is_some() {
            let then = now.clone();
            timer.keep(Some(browser::after_ms(REST_MS, move || drop(rested.try_set(then.clone())))));
        }
        now
    });
    let preview = LocalResource::new(move || {
        let (cron, timezone) = rested.get();
        async move {
            // What can't be read is known here, before anybody is asked.
            match cron.parse::<Cron>() {
                Ok(_) => preview_schedule(cron, timezone).await,
                Err(error) => Err(ApiError::invalid("/cron", error)),
            }
        }
    });
    let said = move |pointer: &'static str| {
        let of_server = parts.error(pointer);
        Signal::derive(move || {
            let local = preview.get().and_then(Result::err).and_then(|error| field_of(&error, pointer));
            of_server.get().or(local)
        })
    };
    let missed = parts.bind(
        |form| word(&form.missed),
        |form, text| {
            form.missed = [Missed::Skip, Missed::RunAll].into_iter().find(|m| word(m) == text).unwrap_or_default()
        },
    );
    let overlap = parts.bind(
        |form| word(&form.overlap),
        |form, text| form.overlap = if text == word(&Overlap::Skip) { Overlap::Skip } else { Overlap::Allow },
    );
    let missed_choices = vec![
        Choice::new(word(&Missed::RunOnce), "One run for all of them"),
        Choice::new(word(&Missed::Skip), "Pass them over"),
        Choice::new(word(&Missed::RunAll), "A run for each, at most 100"),
    ];
    let overlap_choices = vec![
        Choice::new(word(&Overlap::Allow), "Start beside it"),
        Choice::new(word(&Overlap::Skip), "Pass the moment over"),
    ];
    let usual = USUAL.map(|(cron, label)| {
        let press = move |_| parts.form.update(|form| cron.clone_into(&mut form.cron));
        view! { <button type="button" class="chip" title=cron on:click=press>{label}</button> }
    });
    view! {
        <TextInput
            id="trigger-cron" label="Times" mono=true required=true
            value=parts.bind(|form| form.cron.clone(), |form, value| form.cron = value)
            error=said("/config/cron")
            hint=Some("Minute, hour, day, month, weekday; seconds may stand first. L is the last day, MON#2 the second Monday.".to_owned())
        />
        <div class="row wrap" role="group" aria-label="Usual times">{usual.into_iter().collect_view()}</div>
        <ZoneField value=parts.bind(|form| form.timezone.clone(), |form, value| form.timezone = value) error=said("/config/timezone") />
        <Reading preview />
        <div class="grid pair">
            <Select id="trigger-missed" label="Moments missed while Weft was down" value=missed choices=Signal::stored(missed_choices) />
            <Select id="trigger-overlap" label="While the previous run is going" value=overlap choices=Signal::stored(overlap_choices) />
        </div>
    }
}

/// A word of the model as the server writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What was said about a field of the preview, whose fields have no `/config` before them.
fn field_of(error: &ApiError, pointer: &str) -> Option<String> {
    error.field(pointer.strip_prefix("/config")?).map(str::to_owned)
}

/// The expression in words, and the next moments.
#[component]
fn Reading(preview: LocalResource<Result<Preview, ApiError>>) -> impl IntoView {
    let read = Memo::new(move |last: Option<&Option<Preview>>| match preview.get() {
        Some(Ok(read)) => Some(read),
        Some(Err(_)) => None,
        // While the next is asked, the last stays.
        None => last.cloned().flatten(),
    });
    view! {
        <section class="reading" aria-label="What this means" aria-live="polite">
            {move || match read.get() {
                Some(Preview { reading, next }) => view! {
                    <p><Icon name="clock" /><strong>{reading}</strong></p>
                    <ol>{next.into_iter().map(|moment| view! { <li><time datetime=moment.at.to_string()>{moment.local}</time></li> }).collect_view()}</ol>
                }.into_any(),
                None => view! { <p class="dim"><Icon name="clock" />"The next times stand here once the expression can be read."</p> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn ZoneField(value: Bound<String>, error: Signal<Option<String>>) -> impl IntoView {
    let zones = LocalResource::new(list_zones);
    let names = move || zones.get().and_then(Result::ok).unwrap_or_default();
    let described =
        move || if error.with(Option::is_some) { "trigger-zone-hint trigger-zone-error" } else { "trigger-zone-hint" };
    view! {
        <Field id="trigger-zone" label="Zone" error hint=Some("As in the IANA database; daylight saving is followed.".to_owned())>
            <input
                class="input" id="trigger-zone" name="trigger-zone" list="trigger-zones" autocomplete="off" spellcheck="false"
                aria-describedby=described
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                prop:value=move || value.get.get()
                on:input=move |event| value.set.run(event_target_value(&event))
            />
            <datalist id="trigger-zones">
                {move || names().into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
            </datalist>
        </Field>
    }
}

#[component]
fn WebhookFields(parts: Parts) -> impl IntoView {
    let answer = parts
        .bind(|form| if form.waits { "wait" } else { "accept" }.to_owned(), |form, text| form.waits = text == "wait");
    let choices = vec![
        Choice::new("accept", "The run's id, at once (202)"),
        Choice::new("wait", "What the run answers with a respond step, or its end"),
    ];
    let waits = Memo::new(move |_| parts.form.with(|form| form.waits));
    let signed = Memo::new(move |_| parts.form.with(|form| form.signed));
    view! {
        <Select id="trigger-answer" label="The caller gets" value=answer choices=Signal::stored(choices) />
        <Show when=move || waits.get()>
            <TextInput
                id="trigger-wait" label="Waits at most, in milliseconds" kind="number"
                value=parts.bind(|form| form.wait_ms.clone(), |form, value| form.wait_ms = value)
                error=parts.error("/config/answer/ms")
                hint=Some("100 to 60000. When nothing came by then, the caller gets the run's id.".to_owned())
            />
        </Show>
        <Switch
            id="trigger-signed" label="Calls must be signed"
            value=parts.bind(|form| form.signed, |form, value| form.signed = value)
            hint=Some("As in the Standard Webhooks convention: HMAC-SHA256, not older than five minutes.".to_owned())
        />
        <TextInput
            id="trigger-rate" label="Calls in a minute, at most" kind="number"
            value=parts.bind(|form| form.rate.clone(), |form, value| form.rate = value)
            error=parts.error("/config/rate_per_minute")
        />
        // A signed call is known by what its signature covers.
        <Show when=move || !signed.get()>
            <TextInput
                id="trigger-call-id" label="A repeat is known by" mono=true placeholder="{{ event.body.id }}"
                value=parts.bind(|form| form.call_id.clone(), |form, value| form.call_id = value)
                error=parts.error("/config/call_id")
                hint=Some("A template that gives the call's id, such as {{ event.headers['x-github-delivery'] }}. Empty: the header webhook-id or idempotency-key.".to_owned())
            />
        </Show>
    }
}

#[component]
fn MemoryFields(parts: Parts) -> impl IntoView {
    view! {
        <TextInput
            id="trigger-namespace" label="Namespace" mono=true placeholder="code/decisions"
            value=parts.bind(|form| form.namespace.clone(), |form, value| form.namespace = value)
            error=parts.error("/config/namespace")
            hint=Some("This namespace and all below it. Empty: all of memory.".to_owned())
        />
        <fieldset class="field">
            <legend>"When an entry is"</legend>
            <div class="row wrap">
                <Checkbox id="trigger-written" label="Written" value=parts.bind(|form| form.written, |form, value| form.written = value) />
                <Checkbox id="trigger-deleted" label="Deleted" value=parts.bind(|form| form.deleted, |form, value| form.deleted = value) />
            </div>
            <Said error=parts.error("/config/on") />
            <span class="hint">"What a run of the started workflow writes itself starts no other."</span>
        </fieldset>
    }
}

#[component]
fn RunFields(parts: Parts, choices: Signal<Vec<Choice>>) -> impl IntoView {
    let of = Signal::derive(move || {
        let mut choices = choices.get();
        if let Some(first) = choices.first_mut() {
            *first = Choice::new("", "Any other workflow");
        }
        choices
    });
    let boxes = [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Cancelled].map(|status| {
        let form = parts.form;
        let get = Memo::new(move |_| form.with(|form| form.statuses.contains(&status)));
        let set = Callback::new(move |on: bool| {
            form.update(|form| {
                form.statuses.retain(|known| *known != status);
                if on {
                    form.statuses.push(status);
                }
            });
        });
        view! { <Checkbox id=format!("trigger-{}", status.as_str()) label=status.label() value=Bound::from((get.into(), set)) /> }
    });
    view! {
        <Select
            id="trigger-of" label="When a run ends of" choices=of
            value=parts.bind(|form| form.of.clone(), |form, value| form.of = value)
            error=parts.error("/config/of")
        />
        <fieldset class="field">
            <legend>"And it"</legend>
            <div class="row wrap">{boxes.into_iter().collect_view()}</div>
            <Said error=parts.error("/config/statuses") />
            <span class="hint">"Tests from the designer don't count. A chain of triggers ends after five."</span>
        </fieldset>
    }
}

#[component]
fn Said(error: Signal<Option<String>>) -> impl IntoView {
    move || error.get().map(|error| view! { <span class="error" role="alert"><Icon name="s-failed" />{error}</span> })
}
