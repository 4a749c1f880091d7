//! What stands where something will be.

use leptos::prelude::*;

/// The shape of what will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkeletonShape {
    /// This many rows of a list.
    Rows(u8),
    /// This many lines of text.
    Lines(u8),
    /// One block of this height in rem.
    Block(u8),
}

impl Default for SkeletonShape {
    fn default() -> Self {
        Self::Rows(5)
    }
}

/// Quiet bars in the shape of what will come. They show after 200 ms only (by CSS), so quick answers never flicker.
#[component]
pub fn Skeleton(
    #[prop(optional)] shape: SkeletonShape,
    /// What loads, read out: "runs".
    what: &'static str,
) -> impl IntoView {
    // the same widths each time: a page must look the same on the server and in the browser
    const WIDTHS: [u8; 5] = [46, 62, 38, 55, 48];
    let width = |at: u8| format!("--w: {}%", WIDTHS[usize::from(at) % WIDTHS.len()]);
    let bars = match shape {
        SkeletonShape::Rows(count) => (0..count)
            .map(|at| {
                view! { <div class="skeleton-row"><span class="skeleton" style=width(at)></span></div> }.into_any()
            })
            .collect_view(),
        SkeletonShape::Lines(count) => {
            (0..count).map(|at| view! { <span class="skeleton" style=width(at)></span> }.into_any()).collect_view()
        }
        SkeletonShape::Block(rem) => {
            vec![view! { <span class="skeleton" style=format!("--h: {rem}rem")></span> }.into_any()]
        }
    };
    view! {
        <div class="stack" aria-busy="true" style="--gap: 0.75rem">
            <span class="visually-hidden" role="status">{format!("Loading {what}")}</span>
            {bars}
        </div>
    }
}
