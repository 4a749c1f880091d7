//! The server's half of [`real/dom.rs`]: nothing happens, sizes are zero.

use leptos::prelude::Callback;
use leptos::web_sys::{HtmlDialogElement, HtmlElement};

/// Opens a dialog over everything else; it takes the focus. A dialog that is open stays as it is.
pub fn show_modal(_dialog: &HtmlDialogElement) {}

/// Closes a dialog; the focus goes back to where it was.
pub fn close_modal(_dialog: &HtmlDialogElement) {}

/// Moves the focus to an element.
pub fn focus(_element: &HtmlElement) {}

/// Moves the focus to the element with this id, if it is on the page.
pub fn focus_id(_id: &str) {}

/// Moves the focus by `step` among the elements in `root` that match `selector` and are shown. Stops at the ends.
pub fn move_focus(_root: &HtmlElement, _selector: &str, _step: i32) {}

/// Where something can float beside an element: px from the near edges of the window, and which edges those are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Beside {
    /// From the left edge, or from the right one if `from_right`.
    pub x: f64,
    /// From the top edge, or from the bottom one if `from_bottom`.
    pub y: f64,
    /// The element stands in the right half.
    pub from_right: bool,
    /// The element stands in the lower half.
    pub from_bottom: bool,
}

/// Finds the roomier side of an element, 4 px off its edge.
pub fn beside(_element: &HtmlElement) -> Beside {
    Beside::default()
}

/// How far an element is scrolled and how high its window is, in px: `(top, height)`.
pub fn scroll_of(_element: &HtmlElement) -> (f64, f64) {
    (0.0, 0.0)
}

/// Scrolls an element to `top` px.
pub fn scroll_to(_element: &HtmlElement, _top: f64) {}

/// Whether the window fits a media query, such as `(width <= 700px)`.
pub fn matches_media(_query: &str) -> bool {
    false
}

/// Puts text on the clipboard, then says whether that worked.
pub fn copy_text(_text: &str, _done: Callback<bool>) {}

/// Something that goes on until this is dropped: a timer, an observer.
pub struct Guard;

/// Calls once, after `ms`, unless the guard is dropped before.
pub fn after_ms(_ms: i32, _run: impl FnOnce() + 'static) -> Guard {
    Guard
}

/// Calls every `ms`, until the guard is dropped.
pub fn every_ms(_ms: i32, _run: impl FnMut() + 'static) -> Guard {
    Guard
}

/// Calls with an element's content size in px, `(width, height)`: now, and whenever it changes.
pub fn on_resize(_element: &HtmlElement, _run: impl FnMut(f64, f64) + 'static) -> Guard {
    Guard
}

/// Minutes that the browser's time zone is ahead of UTC at a point in time.
pub fn offset_minutes(_unix_ms: i64) -> i32 {
    0
}

/// A place for at most one [`Guard`].
#[derive(Debug, Clone, Copy, Default)]
pub struct GuardSlot;

impl GuardSlot {
    /// An empty place.
    pub fn new() -> Self {
        Self
    }

    /// Keeps nothing.
    pub fn keep(self, _guard: Option<Guard>) {}
}
