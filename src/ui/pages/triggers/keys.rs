//! How a webhook is called, and the tokens and secrets that are live.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Shown;
use super::form::curl;
use super::row::RowActs;
use crate::api::triggers::{delete_key, replace_key};
use crate::model::TriggerId;
use crate::model::auth::{Action, Me};
use crate::model::trigger::{Config, KeyInfo, KeyKind, Trigger, Webhook};
use crate::ui::components::{Button, ButtonSize, Card, ConfirmDialog, RelativeTime, Tone};

#[component]
pub(super) fn WebhookCards(trigger: Trigger, webhook: Webhook, acts: RowActs) -> impl IntoView {
    let is_signed = matches!(trigger.config, Config::Webhook { signed: true, .. });
    let url = format!("{}<token>", webhook.url_base);
    let call = curl(&url, is_signed);
    let id = trigger.id;
    view! {
        <Card id="webhook-call" title="How it is called">
            <div class="stack">
                <p class="dim">"Put the token in place of <token>. It was shown when it was made; who has lost it makes a new one."</p>
                <Shown text=url label="Copy the address without its token" />
                <Shown text=call label="Copy the call without its token" />
            </div>
        </Card>
        <Keys id kind=KeyKind::Token keys=webhook.tokens acts />
        {is_signed.then(|| view! { <Keys id kind=KeyKind::Secret keys=webhook.secrets acts /> })}
    }
}

#[component]
fn Keys(id: TriggerId, kind: KeyKind, keys: Vec<KeyInfo>, acts: RowActs) -> impl IntoView {
    let may = expect_context::<Me>().may(Action::ManageTrigger);
    let (title_id, title, question) = match kind {
        KeyKind::Token => ("webhook-tokens", "Tokens", "Make a new token?"),
        KeyKind::Secret => ("webhook-secrets", "Secrets", "Make a new secret?"),
    };
    let dialog_id = if kind == KeyKind::Token { "replace-token" } else { "replace-secret" };
    let (open, busy) = (RwSignal::new(false), RwSignal::new(false));
    let replace = move |()| {
        busy.set(true);
        spawn_local(async move {
            match replace_key(id, kind).await {
                Ok(made) => {
                    open.set(false);
                    acts.asked.show(made);
                    acts.changed.try_update(|n| *n += 1);
                }
                Err(error) => acts.toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    let actions = move || {
        may.then(|| view! { <Button label="Replace…" icon="retry" size=ButtonSize::Small on_press=move |()| open.set(true) /> })
    };
    view! {
        <Card id=title_id title actions=ViewFnOnce::from(actions) flush=true>
            <ul class="rows">{keys.into_iter().map(|key| view! { <KeyRow id key may acts /> }).collect_view()}</ul>
        </Card>
        <ConfirmDialog id=dialog_id title=question open action="Make a new one" keep="Cancel" busy on_confirm=replace>
            <p>"The one that is live now goes on for a day, so that callers can change over without a gap. One that was replaced before ends now."</p>
        </ConfirmDialog>
    }
}

#[component]
fn KeyRow(id: TriggerId, key: KeyInfo, may: bool, acts: RowActs) -> impl IntoView {
    let busy = RwSignal::new(false);
    let key_id = key.id;
    let end = move |()| {
        busy.set(true);
        spawn_local(async move {
            if let Err(error) = delete_key(id, key_id).await {
                acts.toasts.say(Tone::Bad, error.detail());
            }
            acts.changed.try_update(|n| *n += 1);
            busy.try_set(false);
        });
    };
    let ends = key.expires_at;
    view! {
        <li class="item-row">
            <span class="grow">
                <code>{format!("{}…", key.hint)}</code>
                <small>
                    "made "<RelativeTime at=key.created_at />
                    {ends.map(|at| view! { ", ends "<RelativeTime at=at /> })}
                </small>
            </span>
            {(may && ends.is_some()).then(|| view! { <Button label="End now" size=ButtonSize::Small busy on_press=end /> })}
        </li>
    }
}
