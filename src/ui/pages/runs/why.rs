//! "Why is it waiting?": the reasons, each with what unblocks it, read anew as the run moves.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::happen::SendButton;
use super::watch::Watch;
use crate::api;
use crate::model::workflow::why::{Code, Unblock, Why};
use crate::ui::browser;
use crate::ui::components::{Icon, RelativeTime};

/// How often it is asked again while something waits, in ms: places in a queue move without a change of the run.
const AGAIN_MS: i32 = 3_000;

/// The card; absent while nothing waits.
#[component]
pub fn WhyCard(
    watch: Watch,
    /// As it was read together with the run.
    first: Vec<Why>,
) -> impl IntoView {
    let whys = RwSignal::new(first);
    let asked = StoredValue::new(0_u32);
    let ask = move || {
        let Some(turn) = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        }) else {
            return;
        };
        spawn_local(async move {
            let answer = api::runs::why_run_waits(watch.id).await;
            // A failure says nothing about the run, and an older answer nothing new.
            if let Ok(answer) = answer
                && asked.try_get_value() == Some(turn)
                && whys.try_with_untracked(|known| *known != answer) == Some(true)
            {
                whys.try_set(answer);
            }
        });
    };
    // Whatever moves the run may change the answer.
    let moved = Memo::new(move |_| watch.summary.with(|run| (run.status, run.steps_done, run.headline.clone())));
    Effect::new(move |before: Option<bool>| {
        let over = moved.get().0.is_final();
        match before {
            _ if over => {
                asked.update_value(|asked| *asked += 1);
                whys.set(Vec::new());
            }
            // The page came with the first answer.
            None => {}
            Some(_) => ask(),
        }
        over
    });
    let over = Memo::new(move |_| watch.status().get().is_final());
    Effect::new(move |_| {
        if !over.get() {
            let again = browser::every_ms(AGAIN_MS, ask);
            // held until the effect runs again
            StoredValue::new_local(again);
        }
    });
    // What people are asked stands in lines of its own, with the way to answer.
    let shown = Memo::new(move |_| {
        whys.read().iter().filter(|why| !matches!(why.code, Code::Approval)).cloned().collect::<Vec<_>>()
    });
    move || Some(shown.get()).filter(|whys| !whys.is_empty()).map(|whys| view! { <Reasons whys /> })
}

#[component]
fn Reasons(whys: Vec<Why>) -> impl IntoView {
    let more = whys.len().saturating_sub(MOST);
    view! {
        <section class="notice run-notice reasons" data-tone="warn" aria-labelledby="reasons-title">
            <Icon name="s-waiting" />
            <div class="grow">
                <h2 id="reasons-title">"Why is it waiting?"</h2>
                <ul>{whys.into_iter().take(MOST).map(|why| view! { <Reason why /> }).collect_view()}</ul>
                {(more > 0).then(|| view! { <p class="dim">{format!("And {more} more.")}</p> })}
            </div>
        </section>
    }
}

/// Reasons that are shown.
const MOST: usize = 6;

#[component]
fn Reason(why: Why) -> impl IntoView {
    let Why { step, code, sentence, since, position, unblocks } = why;
    let place = position.filter(|_| !matches!(code, Code::Starting)).map(|place| {
        view! { <span class="place num">{format!("Place {place} in the queue")}</span> }
    });
    view! {
        <li>
            <p>{step.map(|step| view! { <code>{step}</code> " " })} {sentence}</p>
            <p class="reason-facts">
                {place}
                {since.map(|since| view! { <span>"Since " <RelativeTime at=Signal::stored(since) /></span> })}
                {unblocks.into_iter().map(|unblock| view! { <Unblocked unblock /> }).collect_view()}
            </p>
        </li>
    }
}

#[component]
fn Unblocked(unblock: Unblock) -> impl IntoView {
    match unblock {
        Unblock::Run { run, workflow_name, link } => {
            let text = run.to_string();
            // The end of an id is what differs between runs of the same moment.
            let short = text.get(text.len().saturating_sub(6)..).unwrap_or_default().to_owned();
            view! {
                <span>"Goes on when " <a class="link" href=link title=text>{workflow_name} " …" {short}</a> " ends"</span>
            }
            .into_any()
        }
        Unblock::Time { at } => view! { <span>"Goes on " <RelativeTime at=Signal::stored(at) /></span> }.into_any(),
        Unblock::Person { action } => view! { <span>{action}</span> }.into_any(),
        Unblock::Event { key } => {
            view! { <span>"The event "<code>{key.clone()}</code></span> <SendButton key /> }.into_any()
        }
        Unblock::Slot { busy, total } => {
            view! { <span class="num">{format!("{busy} of {total} slots are taken")}</span> }.into_any()
        }
    }
}
