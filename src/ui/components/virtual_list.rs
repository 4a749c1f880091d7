//! A list of any length, drawn with a pool of rows.

use leptos::html;
use leptos::prelude::*;

use crate::ui::browser;

/// Rows drawn above and below what is in sight, so that a quick scroll shows no gap.
const SPARE: u32 = 6;

/// A list of any length: each row of a small pool shows another index as one scrolls, none is made or thrown away.
///
/// All rows have the same height. With `follow` set the list stays at its end while it grows, until one scrolls up.
#[component]
pub fn VirtualList<V>(
    /// Read out for the region that scrolls: "Log".
    #[prop(into)]
    label: Signal<String>,
    /// How many rows there are.
    #[prop(into)]
    count: Signal<u32>,
    /// The height of a row in px.
    #[prop(default = 22)]
    row_height: u32,
    /// Stay at the end.
    #[prop(optional)]
    follow: Option<RwSignal<bool>>,
    /// Scroll to this row whenever it changes, such as a search hit.
    #[prop(into, optional)]
    reveal: Signal<Option<u32>>,
    /// The class of the element around the rows, such as `log`.
    #[prop(default = "")]
    class: &'static str,
    /// Draws a row; the index is below `count` at all times.
    row: impl Fn(Signal<u32>) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
{
    let element = NodeRef::<html::Div>::new();
    let top = RwSignal::new(0.0_f64);
    let height = RwSignal::new(0.0_f64);
    let row_px = f64::from(row_height.max(1));

    let pool = Memo::new(move |_| ((height.get() / row_px).ceil() as u32 + 2 * SPARE).min(count.get()));
    let first = Memo::new(move |_| {
        let seen = (top.get() / row_px) as u32;
        seen.saturating_sub(SPARE).min(count.get().saturating_sub(pool.get()))
    });

    Effect::new(move |_| {
        if let Some(element) = element.get() {
            StoredValue::new_local(browser::on_resize(&element, move |_, px| {
                height.try_set(px);
            }));
        }
    });
    Effect::new(move |_| {
        let rows = count.get();
        if let (Some(element), true) = (element.get(), follow.is_some_and(|follow| follow.get())) {
            browser::scroll_to(&element, f64::from(rows) * row_px);
        }
    });
    Effect::new(move |_| {
        if let (Some(element), Some(index)) = (element.get(), reveal.get()) {
            let (at, window) = browser::scroll_of(&element);
            let row_at = f64::from(index) * row_px;
            if row_at < at || row_at + row_px > at + window {
                browser::scroll_to(&element, row_at - (window - row_px) / 2.0);
            }
        }
    });
    let scrolled = move |_| {
        let Some(element) = element.get_untracked() else { return };
        let (now, window) = browser::scroll_of(&element);
        let up = now < top.get_untracked();
        top.set(now);
        let at_end = now + window >= f64::from(count.get_untracked()) * row_px - row_px;
        if let Some(follow) = follow {
            match (follow.get_untracked(), up, at_end) {
                (true, true, false) => follow.set(false),
                (false, false, true) => follow.set(true),
                _ => {}
            }
        }
    };

    let row = StoredValue::new(row);
    view! {
        <div
            class="vlist"
            tabindex="0"
            role="group"
            aria-label=move || label.get()
            node_ref=element
            on:scroll=scrolled
        >
            <div class="vlist-space" style=move || format!("--rows: {}; --row-h: {row_height}", count.get())>
                <ol
                    class=format!("vlist-window {class}")
                    data-virtual=""
                    style=move || format!("--first: {}; --row-h: {row_height}", first.get())
                >
                    <For each=move || 0..pool.get() key=|at| *at let:at>
                        {row.with_value(|row| row(Signal::derive(move || {
                            (first.get() + at).min(count.get().saturating_sub(1))
                        })))}
                    </For>
                </ol>
            </div>
        </div>
    }
}
