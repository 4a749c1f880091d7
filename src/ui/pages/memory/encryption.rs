//! Under which keys the memory rests, and the button that makes a new one.
//!
//! Belongs to the page `/memory/health`. While entries are brought under a new key, the numbers are asked for again.

use leptos::prelude::*;

use crate::api::memory::{get_memory_encryption, rotate_memory_key};
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::EncryptionReport;
use crate::ui::browser;
use crate::ui::components::{Badge, Button, ButtonSize, Card, Load, RelativeTime, SkeletonShape, Tone, use_toasts};
use crate::ui::format;

/// How often the numbers are asked for while something goes on, in ms.
const AGAIN_MS: i32 = 2_000;

/// The card.
#[component]
pub(super) fn EncryptionCard() -> impl IntoView {
    let read = Resource::new(|| (), |()| get_memory_encryption());
    view! {
        <Load resource=read what="the keys of the memory" shape=SkeletonShape::Block(4) let:report>
            <Keys report />
        </Load>
    }
}

/// The keys; the card stays while the numbers change.
#[component]
fn Keys(report: EncryptionReport) -> impl IntoView {
    let toasts = use_toasts();
    let may = use_context::<Me>().is_some_and(|me| me.may(May::ManageProvider));
    let report = RwSignal::new(report);
    let look = Action::new(|(): &()| get_memory_encryption());
    let rotate = Action::new(|(): &()| rotate_memory_key());
    let take = move |answer: Option<Result<EncryptionReport, ApiError>>| match answer {
        Some(Ok(fresh)) => report.set(fresh),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    };
    Effect::new(move |_| take(look.value().get()));
    Effect::new(move |_| take(rotate.value().get()));
    let timer = browser::GuardSlot::new();
    Effect::new(move |_| {
        look.value().track();
        let again = report.with(|report| !report.whole);
        timer.keep(again.then(|| browser::after_ms(AGAIN_MS, move || drop(look.dispatch(())))));
    });
    let shown = Memo::new(move |_| report.get());
    let refused = Signal::stored((!may).then(|| "Your role can't make keys".to_owned()));
    view! {
        <Card id="memory-encryption" title="Encryption" sub=Some("of content, values, metadata and vectors".to_owned())>
            <div class="stack">
                {move || view! { <State report=shown.get() /> }}
                <p class="small dim">
                    "A new key is for what is written from now on. Everything else is encrypted anew under it in the background, and can be read meanwhile; then the key before it is deleted."
                </p>
                <div class="row">
                    <Button
                        label="Make a new key" icon="key" size=ButtonSize::Small busy=rotate.pending() refused
                        on_press=move |()| { rotate.dispatch(()); }
                    />
                </div>
            </div>
        </Card>
    }
}

/// How far it is.
#[component]
fn State(report: EncryptionReport) -> impl IntoView {
    let EncryptionReport { key, keys, entries, done, whole, unreadable } = report;
    let (tone, word) = if whole { (Tone::Good, "Encrypted") } else { (Tone::Live, "At work") };
    let said = match key {
        None => "Nothing was written yet. The first write makes a key.".to_owned(),
        Some(key) if whole => format!("All of the {} entries are under key {key}.", format::count(entries)),
        Some(key) => {
            format!("{} of {} entries are under key {key}.", format::count(done), format::count(entries))
        }
    };
    let made = keys.iter().find(|one| Some(one.number) == key).map(|one| one.created_at);
    let older = keys.iter().filter(|one| Some(one.number) != key).count();
    let older = (older > 0).then(|| kept(older));
    let bad = (unreadable > 0).then(|| {
        let rows = format!("{} rows could not be decrypted and stay as they are.", format::count(unreadable));
        view! { <p class="small" role="status">{rows}</p> }
    });
    view! {
        <div class="row wrap">
            <Badge label=word tone />
            <span>{said}</span>
            {made.map(|at| view! { <span class="small dimmer">"made "<RelativeTime at /></span> })}
        </div>
        {older.map(|older| view! { <p class="small dim">{older}</p> })}
        {bad}
    }
}

fn kept(older: usize) -> String {
    if older == 1 {
        "1 older key is kept until nothing is under it any more.".to_owned()
    } else {
        format!("{older} older keys are kept until nothing is under them any more.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_keys_are_counted_in_words() {
        assert!(kept(1).starts_with("1 older key is kept") && kept(2).starts_with("2 older keys are kept"));
    }
}
