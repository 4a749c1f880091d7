//! A stopwatch for what is in motion; the page's own clock is too coarse for it.

use leptos::prelude::*;

use crate::model::Timestamp;
use crate::ui::{browser, format};

/// How often it moves, in ms.
const TICK_MS: i32 = 1_000;

/// The browser's clock in Unix ms, moving each second while `active`. `None` on the server and until the page is awake.
pub fn use_clock(active: Signal<bool>) -> Signal<Option<i64>> {
    let now = RwSignal::new(None);
    Effect::new(move |_| {
        if active.get() {
            now.set(Some(browser::now_ms() as i64));
            let tick = browser::every_ms(TICK_MS, move || {
                now.try_set(Some(browser::now_ms() as i64));
            });
            // held until the effect runs again
            StoredValue::new_local(tick);
        }
    });
    now.into()
}

/// How long something took, or takes so far. Empty for what has not begun.
#[component]
pub fn Elapsed(
    /// When it began and when it ended.
    #[prop(into)]
    span: Signal<(Option<Timestamp>, Option<Timestamp>)>,
    clock: Signal<Option<i64>>,
) -> impl IntoView {
    move || match span.get() {
        (Some(from), Some(to)) => format::duration(to.ms_since(from)),
        (Some(from), None) => clock.get().map(|now| format::stopwatch(now - from.unix_ms())).unwrap_or_default(),
        _ => String::new(),
    }
}
