//! A trigger's row: what it shows, its switch, its menu, and the question before a deletion.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};

use super::dialog::Asked;
use super::firings::OutcomeBadge;
use super::form::draft_of;
use crate::api::triggers::{delete_trigger, update_trigger};
use crate::model::Timestamp;
use crate::model::auth::{Action, Me};
use crate::model::trigger::{Firing, Kind, Trigger, TriggerDraft};
use crate::ui::components::{
    Badge, ConfirmDialog, Menu, MenuItem, MenuLink, Now, RelativeTime, Toasts, Tone, use_toasts,
};
use crate::ui::format;

/// What a row may ask for; the dialogs stand once, beside the table.
#[derive(Clone, Copy)]
pub(super) struct RowActs {
    pub(super) asked: Asked,
    pub(super) fire: RwSignal<Option<Trigger>>,
    pub(super) fire_open: RwSignal<bool>,
    pub(super) delete: RwSignal<Option<Trigger>>,
    pub(super) delete_open: RwSignal<bool>,
    /// Grows whenever the list is to be read anew.
    pub(super) changed: RwSignal<u32>,
    pub(super) toasts: Toasts,
}

impl RowActs {
    pub(super) fn new(asked: Asked, changed: RwSignal<u32>) -> Self {
        Self {
            asked,
            fire: RwSignal::new(None),
            fire_open: RwSignal::new(false),
            delete: RwSignal::new(None),
            delete_open: RwSignal::new(false),
            changed,
            toasts: use_toasts(),
        }
    }

    /// Asks for the event of a firing by hand.
    pub(super) fn ask_fire(self, trigger: Trigger) {
        self.fire.set(Some(trigger));
        self.fire_open.set(true);
    }
}

/// What the column between the workflow and the last firing is about.
pub(super) const fn third_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Schedule => "Next",
        Kind::Webhook => "Address",
        Kind::Memory | Kind::RunFinished => "Waits for",
    }
}

#[component]
pub(super) fn Row(row: Trigger, acts: RowActs) -> impl IntoView {
    let third = match row.config.kind() {
        Kind::Schedule => match row.next.first().cloned() {
            Some(moment) => {
                view! { <Until at=moment.at /><span class="dim block small">{moment.local}</span> }.into_any()
            }
            None if row.enabled => view! { <span class="dimmer">"never again"</span> }.into_any(),
            None => view! { <span class="dimmer">"off"</span> }.into_any(),
        },
        Kind::Webhook => {
            let hint = row.webhook.as_ref().and_then(|webhook| webhook.tokens.first()).map(|token| token.hint.clone());
            view! { <code class="small">{format!("…/{}…", hint.unwrap_or_default())}</code> }.into_any()
        }
        Kind::Memory | Kind::RunFinished => view! { <span>{row.summary.clone()}</span> }.into_any(),
    };
    let beside = (row.config.kind() == Kind::Schedule && row.summary != row.name).then(|| row.summary.clone());
    let unpublished =
        row.published_version.is_none().then(|| view! { " "<Badge label="not published" tone=Tone::Warn /> });
    view! {
        <tr>
            <td class="trigger-name">
                <a class="cover" href=format!("/triggers/{}", row.id)>{row.name.clone()}</a>
                {beside.map(|summary| view! { <span class="dim truncate">{summary}</span> })}
            </td>
            <td><div class="over"><EnableSwitch trigger=row.clone() acts /></div></td>
            <td data-label="Starts">
                <a class="link over" href=format!("/workflows/{}", row.workflow_id)>{row.workflow_name.clone()}</a>
                {unpublished}
            </td>
            <td data-label=third_label(row.config.kind())>{third}</td>
            <td data-label="Last firing"><LastFiring firing=row.last_firing.clone() /></td>
            <td class="row-actions"><div class="over"><RowMenu trigger=row acts /></div></td>
        </tr>
    }
}

/// How long until a moment, once the browser has its clock: "in 2 d 4 h". What stands beside it says when.
#[component]
pub(super) fn Until(at: Timestamp) -> impl IntoView {
    let now = use_context::<Now>();
    let text = move || {
        let now_ms = now.and_then(|now| now.0.get())?;
        let left = at.unix_ms() - now_ms;
        Some(format::relative(at, now_ms).unwrap_or_else(|| format!("in {}", format::duration(left))))
    };
    view! { <time datetime=at.to_string()>{text}</time> }
}

#[component]
pub(super) fn LastFiring(firing: Option<Firing>) -> impl IntoView {
    match firing {
        None => view! { <span class="dimmer">"never fired"</span> }.into_any(),
        Some(firing) => {
            let link = firing.run_id.map(|run| format!("/runs/{run}"));
            let badge = view! { <OutcomeBadge outcome=firing.outcome /> };
            let what = match link {
                Some(href) => view! { <a class="over" href=href>{badge}</a> }.into_any(),
                None => badge.into_any(),
            };
            view! { {what}" "<span class="dim"><RelativeTime at=firing.at /></span> }.into_any()
        }
    }
}

/// Turns a trigger on and off at once.
#[component]
pub(super) fn EnableSwitch(trigger: Trigger, acts: RowActs) -> impl IntoView {
    let may = expect_context::<Me>().may(Action::ManageTrigger);
    let on = RwSignal::new(trigger.enabled);
    let busy = RwSignal::new(false);
    let label = format!("{} is on", trigger.name);
    let trigger = StoredValue::new(trigger);
    let flip = move |event: leptos::ev::Event| {
        let wanted = event_target_checked(&event);
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        on.set(wanted);
        let (id, revision) = trigger.with_value(|trigger| (trigger.id, trigger.revision));
        let draft = TriggerDraft { enabled: wanted, ..trigger.with_value(draft_of) };
        spawn_local(async move {
            if let Err(error) = update_trigger(id, revision, draft).await {
                on.try_set(!wanted);
                acts.toasts.say(Tone::Bad, error.detail());
            }
            acts.changed.try_update(|n| *n += 1);
            busy.try_set(false);
        });
    };
    view! {
        <input
            class="switch"
            type="checkbox"
            role="switch"
            aria-label=label
            disabled=!may
            checked=on.get_untracked()
            prop:checked=move || on.get()
            on:change=flip
        />
    }
}

#[component]
fn RowMenu(trigger: Trigger, acts: RowActs) -> impl IntoView {
    let me = expect_context::<Me>();
    let (may_fire, may_manage) = (me.may(Action::StartRun), me.may(Action::ManageTrigger));
    let label = format!("Actions for {}", trigger.name);
    let id = trigger.id;
    let trigger = StoredValue::new(trigger);
    let delete = move |()| {
        acts.delete.set(Some(trigger.get_value()));
        acts.delete_open.set(true);
    };
    view! {
        <Menu id=format!("menu-{id}") label>
            {may_fire.then(|| view! { <MenuItem label="Fire now…" icon="play" on_press=move |()| acts.ask_fire(trigger.get_value()) /> })}
            <MenuLink href=format!("/triggers/{id}") label="Open" icon="bolt" />
            {may_manage.then(|| view! {
                <MenuItem label="Edit…" icon="edit" on_press=move |()| acts.asked.edit(trigger.get_value()) />
                <hr />
                <MenuItem label="Delete…" icon="trash" tone=Tone::Bad on_press=delete />
            })}
        </Menu>
    }
}

#[component]
pub(super) fn DeleteDialog(acts: RowActs) -> impl IntoView {
    let busy = RwSignal::new(false);
    let (navigate, here) = (use_navigate(), use_location().pathname);
    let name =
        move || acts.delete.with(|trigger| trigger.as_ref().map(|trigger| trigger.name.clone())).unwrap_or_default();
    let confirm = move |()| {
        let Some(trigger) = acts.delete.get_untracked() else { return };
        busy.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            match delete_trigger(trigger.id).await {
                Ok(()) => {
                    acts.toasts.say(Tone::Good, format!("{} was deleted", trigger.name));
                    acts.changed.try_update(|n| *n += 1);
                    if here.get_untracked() != "/triggers" {
                        navigate("/triggers", leptos_router::NavigateOptions::default());
                    }
                }
                Err(error) => acts.toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
            acts.delete_open.try_set(false);
        });
    };
    view! {
        <ConfirmDialog
            id="delete-trigger"
            title=Signal::derive(move || format!("Delete {}?", name()))
            open=acts.delete_open
            action="Delete the trigger"
            busy
            on_confirm=confirm
        >
            <p>"It fires no more, and its firings are deleted with it; a webhook's address is dead at once. The runs that it started stay."</p>
        </ConfirmDialog>
    }
}
