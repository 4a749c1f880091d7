//! A number of a policy, in one line. What is no number, or too large or too small, is told at the field and not taken.

use leptos::prelude::*;

use crate::ui::components::Icon;
use crate::ui::format;

/// A number, absent when empty.
#[component]
pub fn NumberLine(
    /// Unique on the page.
    id: &'static str,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Signal<String>,
    set: Callback<Option<f64>>,
    #[prop(optional)] placeholder: String,
    /// The smallest and the largest that is taken.
    within: (f64, f64),
    /// Whether it has no places after the point.
    #[prop(optional)]
    whole: bool,
    /// Whether it is a length of time, in ms: shown and typed with its units.
    #[prop(optional)]
    time: bool,
) -> impl IntoView {
    let refused = RwSignal::new(None::<String>);
    let read = move |text: &str| if time { read_time(text, within) } else { read(text, within, whole) };
    let shown = move || match value.get() {
        ms if time => ms.parse().map_or(ms, format::span),
        number => number,
    };
    let input = move |event: leptos::ev::Event| match read(&event_target_value(&event)) {
        Ok(number) => {
            refused.set(None);
            set.run(number);
        }
        Err(why) => refused.set(Some(why)),
    };
    view! {
        <div class="field">
            <label for=id>{move || label.get()}</label>
            <input
                class="input"
                id=id
                type="text"
                inputmode=(!time).then_some("decimal")
                placeholder=placeholder
                aria-invalid=move || refused.read().is_some().then_some("true")
                aria-describedby=format!("{id}-error")
                prop:value=shown
                on:change=input
            />
            <span id=format!("{id}-error") role="status">
                {move || refused.get().map(|why| view! { <span class="error"><Icon name="s-failed" />{why}</span> })}
            </span>
        </div>
    }
}

/// The number that was typed; nothing for an empty line.
fn read(text: &str, (least, most): (f64, f64), whole: bool) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
    let number = number.filter(|number| !whole || number.fract() == 0.0);
    let said = |number: f64| if number.fract() == 0.0 { format::count(number as i64) } else { number.to_string() };
    let what = if whole { "a whole number" } else { "a number" };
    number.map(Some).ok_or_else(|| format!("Expected {what} from {} to {}", said(least), said(most)))
}

/// The length of time that was typed, in ms.
fn read_time(text: &str, (least, most): (f64, f64)) -> Result<Option<f64>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let ms = format::read_span(text).map(|ms| ms as f64).filter(|ms| (least..=most).contains(ms));
    let said = |ms: f64| format::span(ms as i64);
    ms.map(Some).ok_or_else(|| format!("Expected a time from {} to {}, such as 90 s or 2 h", said(least), said(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_unit_and_its_bounds() {
        let week = (1.0, 604_800_000.0);
        assert_eq!(read_time("90 s", week), Ok(Some(90_000.0)));
        assert_eq!(read_time(" ", week), Ok(None));
        for text in ["90", "0", "8 d", "soon"] {
            let why = "Expected a time from 1 ms to 7 d, such as 90 s or 2 h".to_owned();
            assert_eq!(read_time(text, week), Err(why), "{text}");
        }
    }

    #[test]
    fn a_number_is_taken_within_its_bounds_and_refused_with_them() {
        assert_eq!(read(" 3 ", (1.0, 100.0), true), Ok(Some(3.0)));
        assert_eq!(read("", (1.0, 100.0), true), Ok(None));
        assert_eq!(read("1.5", (1.0, 10.0), false), Ok(Some(1.5)));
        for text in ["0", "101", "1.5", "often", "NaN", "inf", "-1"] {
            assert_eq!(
                read(text, (1.0, 100.0), true),
                Err("Expected a whole number from 1 to 100".to_owned()),
                "{text}"
            );
        }
    }
}
