//! What a canvas needs of the browser, on the server: nothing happens.

use leptos::ev::{ClipboardEvent, FocusEvent, KeyboardEvent, PointerEvent};
use leptos::web_sys::{HtmlElement, HtmlTextAreaElement};

/// See the browser's half.
pub fn next_frame(_run: impl FnOnce() + 'static) {}

/// See the browser's half.
pub fn frame_of(_element: &HtmlElement) -> (f64, f64, f64, f64) {
    (0.0, 0.0, 0.0, 0.0)
}

/// See the browser's half.
pub fn capture_pointer(_event: &PointerEvent) {}

/// See the browser's half.
pub fn is_within(_event: &PointerEvent, _selector: &str) -> bool {
    false
}

/// Where the keys of an event go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// Into a field.
    Field,
    /// To a dialog or a menu.
    Dialog,
    /// To something that Enter and Space press.
    Button,
    /// To nothing in particular.
    Page,
}

/// See the browser's half.
pub fn key_place(_event: &KeyboardEvent) -> KeyPlace {
    KeyPlace::Page
}

/// See the browser's half.
pub fn focus_stays(_event: &FocusEvent) -> bool {
    false
}

/// See the browser's half.
pub fn pasted_text(_event: &ClipboardEvent) -> Option<String> {
    None
}

/// See the browser's half.
pub fn set_copied_text(_event: &ClipboardEvent, _text: &str) {}

/// See the browser's half.
pub fn is_text_clipboard(_event: &ClipboardEvent) -> bool {
    true
}

/// See the browser's half.
pub fn insert_text(_field: &HtmlTextAreaElement, text: &str) -> String {
    text.to_owned()
}

/// See the browser's half.
pub fn warn_before_leaving(_unsaved: impl Fn() -> bool + 'static) -> super::Guard {
    super::Guard
}

/// See the browser's half.
pub fn on_keys(_down: impl Fn(KeyboardEvent) + 'static, _up: impl Fn(KeyboardEvent) + 'static) -> super::Guard {
    super::Guard
}

/// See the browser's half.
pub fn on_clipboard(_run: impl Fn(&'static str, ClipboardEvent) + Clone + 'static) -> super::Guard {
    super::Guard
}

/// See the browser's half.
pub fn after_ms_detached(_ms: i32, _run: impl FnOnce() + 'static) {}
