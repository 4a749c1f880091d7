//! Points in time on a page: absolute from the server, local and relative once the browser has its clock.

use leptos::prelude::*;

use crate::model::Timestamp;
use crate::ui::{browser, format};

/// How often relative times move, in ms.
const TICK_MS: i32 = 15_000;

/// The browser's clock: `None` on the server and until the page is awake, so both draw the same.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub ReadSignal<Option<i64>>);

/// Starts the one clock of the page; called once, by the root. Its ticks are coarse: a stopwatch needs its own.
pub fn provide_now() {
    let (now, set_now) = signal(None);
    provide_context(Now(now));
    Effect::new(move |_| {
        set_now.set(Some(browser::now_ms() as i64));
        let tick = browser::every_ms(TICK_MS, move || {
            set_now.try_set(Some(browser::now_ms() as i64));
        });
        // held as long as the effect, which the root owns
        StoredValue::new_local(tick);
    });
}

/// The browser's clock in ms since 1970; `None` on the server and until the page is awake.
pub fn use_now_ms() -> Signal<Option<i64>> {
    let now = use_context::<Now>();
    Signal::derive(move || now.and_then(|now| now.0.get()))
}

/// A point in time: "3 min ago" when near, else its date; the full date on hover, and for machines.
#[component]
pub fn RelativeTime(#[prop(into)] at: Signal<Timestamp>) -> impl IntoView {
    let now = use_context::<Now>();
    let now_ms = move || now.and_then(|now| now.0.get());
    // A line that is being replaced may hear of the clock once more, after what it shows is gone.
    let absolute = move || {
        let Some(at) = at.try_get() else { return String::new() };
        match now_ms() {
            None => format!("{} UTC", format::date_time(at, 0)),
            Some(_) => format::date_time(at, browser::offset_minutes(at.unix_ms())),
        }
    };
    let text = move || now_ms().and_then(|now| format::relative(at.try_get()?, now)).unwrap_or_else(absolute);
    view! { <time datetime=move || at.try_get().map(|at| at.to_string()) title=absolute>{text}</time> }
}
