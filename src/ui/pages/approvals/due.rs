//! A deadline: how long is left, and how pressing it is.

use leptos::prelude::*;

use super::words;
use crate::model::Timestamp;
use crate::ui::components::Now;
use crate::ui::{browser, format};

/// How long is left: "in 3 h", "no deadline"; the date where it is days away, and until the browser has its clock.
#[component]
pub fn Due(deadline: Option<Timestamp>) -> impl IntoView {
    let Some(deadline) = deadline else {
        return view! { <span class="due">"no deadline"</span> }.into_any();
    };
    let now = use_context::<Now>();
    let now_ms = move || now.and_then(|now| now.0.get());
    let absolute = move || match now_ms() {
        None => format!("{} UTC", format::date_time(deadline, 0)),
        Some(_) => format::date_time(deadline, browser::offset_minutes(deadline.unix_ms())),
    };
    let text = move || match now_ms().and_then(|now| words::left(deadline, now)) {
        Some(left) => format!("due {left}"),
        None => format!("due {}", absolute()),
    };
    let urgency = move || now_ms().and_then(|now| words::urgency(deadline, now));
    view! { <time class="due" data-urgency=urgency datetime=deadline.to_string() title=absolute>{text}</time> }
        .into_any()
}
