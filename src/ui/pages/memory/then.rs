//! Looking at the past: the moment that is chosen, how the page says so, and the way back to now.

use leptos::prelude::*;

use super::State;
use super::place::Place;
use crate::model::Timestamp;
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonSize, ButtonVariant, Dialog, Icon, TextInput, use_now_ms,
};
use crate::ui::{browser, format};

/// Why nothing can be changed there.
pub(super) const REFUSED: &str = "This is the past: nothing can be changed in it";

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// A moment as a field for local times takes it, to the minute: `2026-11-21T08:31`. `offset_min` is the zone's lead over UTC.
fn to_field(at: Timestamp, offset_min: i32) -> String {
    at.plus_ms(i64::from(offset_min) * MINUTE_MS).to_string().chars().take(16).collect()
}

/// What a field for local times holds, as a moment; `None` for what is no time. `offset_at` gives the zone's lead over UTC, in
/// minutes, at a moment given in milliseconds since 1970.
fn of_field(text: &str, offset_at: impl Fn(i64) -> i32) -> Option<Timestamp> {
    let text = if text.len() == 16 { format!("{text}:00Z") } else { format!("{text}Z") };
    let wall = Timestamp::parse(&text)?;
    // The lead is asked for near the moment itself: it is another one in summer.
    let near = wall.plus_ms(-i64::from(offset_at(wall.unix_ms())) * MINUTE_MS);
    Some(wall.plus_ms(-i64::from(offset_at(near.unix_ms())) * MINUTE_MS))
}

/// A moment in words: UTC from the server, local once the browser has its clock.
pub(super) fn moment(at: Timestamp) -> Signal<String> {
    let now = use_now_ms();
    Signal::derive(move || match now.get() {
        None => format!("{} UTC", format::date_time(at, 0)),
        Some(_) => format::date_time(at, browser::offset_minutes(at.unix_ms())),
    })
}

/// The button that chooses a moment, and its dialog.
#[component]
pub(super) fn AsOf(state: State) -> impl IntoView {
    let open = RwSignal::new(false);
    let press = move |()| open.set(true);
    view! {
        <Button
            label="As of…"
            icon="clock"
            shape=ButtonShape::IconOnly
            variant=ButtonVariant::Quiet
            pressed=Signal::derive(move || Some(state.place.with(|place| place.then.is_some())))
            on_press=press
        />
        <AsOfDialog state open />
    }
}

#[component]
fn AsOfDialog(state: State, open: RwSignal<bool>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if open.get() {
            let now = Timestamp((browser::now_ms() as i64) * 1000);
            let at = state.place.with_untracked(|place| place.then).unwrap_or(now);
            text.set(to_field(at, browser::offset_minutes(at.unix_ms())));
            error.set(None);
        }
    });
    let look = move |()| {
        let Some(then) = of_field(&text.get_untracked(), browser::offset_minutes) else {
            return error.set(Some("Expected a date and a time".to_owned()));
        };
        if then.unix_ms() > browser::now_ms() as i64 {
            return error.set(Some("Expected a moment that is not in the future".to_owned()));
        }
        open.set(false);
        state.go.run(Place { then: Some(then), ..state.place.get_untracked() });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Look" variant=ButtonVariant::Primary on_press=look />
        }
    };
    let hint = Some("Your local time, at most 30 days ago.".to_owned());
    view! {
        <Dialog id="as-of-title" title="Look at the memory as it was" open footer=ViewFn::from(footer)>
            <div class="form">
                <p class="dim">"Lists, searches and entries show what stood there then: what would have been found."</p>
                <TextInput id="as-of" label="As of" kind="datetime-local" value=Bound::from(text) hint=hint.clone() error />
            </div>
        </Dialog>
    }
}

/// Above the lists, while the past is looked at.
#[component]
pub(super) fn PastNotice(state: State) -> impl IntoView {
    let then = Memo::new(move |_| state.place.with(|place| place.then));
    let now = move |()| state.go.run(Place { then: None, ..state.place.get_untracked() });
    move || {
        then.get().map(|at| {
            let said = moment(at);
            view! {
                <div class="notice" data-tone="warn" role="status">
                    <Icon name="clock" />
                    <span class="grow">"The memory as it was on " <b>{move || said.get()}</b> ". Nothing can be changed."</span>
                    <Button label="Back to now" size=ButtonSize::Small on_press=now />
                </div>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_reads_back_from_the_field_on_either_side_of_a_change_of_clocks() {
        // Berlin goes from +120 to +60 at 2026-10-25T01:00:00Z.
        let change = Timestamp::parse("2026-10-25T01:00:00Z").unwrap().unix_ms();
        let berlin = |ms: i64| if ms < change { 120 } else { 60 };
        for text in ["2026-10-24T12:30", "2026-10-25T00:30", "2026-10-25T12:30", "2026-11-22T23:59"] {
            let at = of_field(text, berlin).unwrap();
            assert_eq!(to_field(at, berlin(at.unix_ms())), text);
        }
        assert_eq!(of_field("2026-11-22T08:00", |_| 60), Timestamp::parse("2026-11-22T07:00:00Z"));
        assert_eq!(of_field("2026-11-22T08:00:30", |_| 0), Timestamp::parse("2026-11-22T08:00:30Z"));
        assert_eq!(of_field("", |_| 0), None);
    }
}
