//! A line in a tile.

use leptos::prelude::*;

use super::scale;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 32.0;

/// The way of a number, without axes; beside words that say the same, so it has no name. Empty with fewer than two values.
#[component]
pub fn Spark(#[prop(into)] values: Signal<Vec<Option<f64>>>) -> impl IntoView {
    let drawn = Memo::new(move |_| values.with(|values| scale::spark(values, WIDTH, HEIGHT)));
    let path = move || drawn.with(|drawn| drawn.as_ref().map(|(path, _)| path.clone()).unwrap_or_default());
    let end = move || drawn.with(|drawn| drawn.as_ref().map(|(_, end)| *end));
    view! {
        <svg class="spark" viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true">
            <path d=path></path>
            {move || end().map(|(x, y)| view! { <circle class="end" cx=x.to_string() cy=y.to_string() r="2.5"></circle> })}
        </svg>
    }
}
