//! The cloth behind the card: threads, and a shuttle on its way. Drawn from numbers, for the eye only.

use std::fmt::Write as _;

use leptos::prelude::*;

/// Finished rows of cloth; above them the shuttle's row is half done.
const ROWS: u32 = 8;

#[component]
pub(super) fn Weave() -> impl IntoView {
    let warp = (0..40).fold(String::new(), |mut path, n| {
        let _ = write!(path, "M{} 0V1000", 20 + n * 40);
        path
    });
    let rows = (0..ROWS).map(|row| {
        let (gaps, weft) = row_paths(row, 1600);
        view! { <path class="gap" d=gaps /><path class="weft" d=weft /> }
    });
    let (gaps, thread) = row_paths(ROWS, 1013);
    view! {
        <svg class="weave" viewBox="0 0 1600 1000" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
            <path class="warp" d=warp />
            {rows.collect_view()}
            <path class="gap" d=gaps />
            <path class="thread" d=thread />
            <path class="thread" d="M1033 890h30c34 0 40-26 72-34" />
            <g transform="translate(1134 856) rotate(-22)">
                <path class="shuttle" d="M0 0C16-15 62-15 78 0 62 15 16 15 0 0Z" />
                <path class="thread" d="M26 0H52" />
            </g>
        </svg>
    }
}

/// Where the weft passes over the warp in a row (gaps in the warp), and the weft itself, up to `end`.
fn row_paths(row: u32, end: u32) -> (String, String) {
    let y = 986 - row * 12;
    let shift = (row % 2) * 40;
    let (mut gaps, mut weft) = (String::new(), String::new());
    for n in 0..20 {
        let x = 20 + shift + n * 80;
        if x < end {
            let _ = write!(gaps, "M{x} {}V{}", y - 6, y + 6);
        }
    }
    // A thread is hidden where the warp passes over it: 7 px on either side.
    for n in 0..=20 {
        let from = (n * 80 + shift).saturating_sub(13);
        let to = (n * 80 + shift + 53).min(end);
        if from < to {
            let _ = write!(weft, "M{from} {y}H{to}");
        }
    }
    (gaps, weft)
}
