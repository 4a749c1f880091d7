//! What a canvas needs of the browser: frames, pointer capture, where it stands, its clipboard, where keys go.

use leptos::ev::{ClipboardEvent, FocusEvent, KeyboardEvent, PointerEvent};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlTextAreaElement, Node};

/// Calls before the next frame is drawn.
pub fn next_frame(run: impl FnOnce() + 'static) {
    let call = Closure::once_into_js(run);
    if let Some(window) = web_sys::window() {
        let _ = window.request_animation_frame(call.unchecked_ref());
    }
}

/// Where an element stands in the window: left, top, width and height, in px.
pub fn frame_of(element: &HtmlElement) -> (f64, f64, f64, f64) {
    let frame = element.get_bounding_client_rect();
    (frame.x(), frame.y(), frame.width(), frame.height())
}

/// Sends what this pointer does to the element that the listener stands on, until it is let go.
pub fn capture_pointer(event: &PointerEvent) {
    if let Some(element) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
        // It fails only for a pointer that is up again.
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}

/// Whether what is pressed stands in an element that matches `selector`.
pub fn is_within(event: &PointerEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.and_then(|element| element.closest(selector).ok().flatten()).is_some()
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

/// Where the keys of an event go.
pub fn key_place(event: &KeyboardEvent) -> KeyPlace {
    let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
        return KeyPlace::Page;
    };
    let within = |selector: &str| element.closest(selector).ok().flatten().is_some();
    if within("dialog, [popover], [role=dialog]") {
        KeyPlace::Dialog
    } else if within("input:not([type=checkbox]), textarea, select, [contenteditable=true]") {
        KeyPlace::Field
    } else if within("button, a, summary, input, [role=tab], .json, .vlist") {
        KeyPlace::Button
    } else {
        KeyPlace::Page
    }
}

/// Whether the focus stays within the element that the listener stands on.
pub fn focus_stays(event: &FocusEvent) -> bool {
    let Some(root) = event.current_target().and_then(|target| target.dyn_into::<Node>().ok()) else {
        return false;
    };
    event.related_target().and_then(|to| to.dyn_into::<Node>().ok()).is_some_and(|to| root.contains(Some(&to)))
}

/// The text that is being pasted.
pub fn pasted_text(event: &ClipboardEvent) -> Option<String> {
    event.clipboard_data()?.get_data("text/plain").ok().filter(|text| !text.is_empty())
}

/// Puts text in place of what would be copied.
pub fn set_copied_text(event: &ClipboardEvent, text: &str) {
    if let Some(data) = event.clipboard_data()
        && data.set_data("text/plain", text).is_ok()
    {
        event.prevent_default();
    }
}

/// Whether a clipboard event is about text in a field, or text that is selected on the page.
pub fn is_text_clipboard(event: &ClipboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let field =
        element.and_then(|e| e.closest("input, textarea, [contenteditable=true], dialog").ok().flatten()).is_some();
    let selection = web_sys::window().and_then(|window| window.get_selection().ok().flatten());
    field || selection.is_some_and(|selection| !selection.is_collapsed())
}

/// Puts text in place of what is selected in a field and returns the field's new text; the caret stands behind it.
pub fn insert_text(field: &HtmlTextAreaElement, text: &str) -> String {
    let value: Vec<u16> = field.value().encode_utf16().collect();
    let end = value.len() as u32;
    let from = field.selection_start().ok().flatten().unwrap_or(end).min(end) as usize;
    let to = field.selection_end().ok().flatten().unwrap_or(end).min(end) as usize;
    let inserted: Vec<u16> = text.encode_utf16().collect();
    let whole = [&value[..from], &inserted, &value[to.max(from)..]].concat();
    let whole = String::from_utf16_lossy(&whole);
    field.set_value(&whole);
    let caret = (from + inserted.len()) as u32;
    let _ = field.set_selection_range(caret, caret);
    let _ = field.focus();
    whole
}

/// Asks before the page is left, as long as `unsaved` says so. Stands for the life of the page.
pub fn warn_before_leaving(unsaved: impl Fn() -> bool + 'static) -> super::Guard {
    let call = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        if unsaved() {
            event.prevent_default();
            let _ = js_sys::Reflect::set(&event, &JsValue::from_str("returnValue"), &JsValue::from_str(""));
        }
    });
    let window = web_sys::window();
    if let Some(window) = &window {
        let _ = window.add_event_listener_with_callback("beforeunload", call.as_ref().unchecked_ref());
    }
    super::Guard::new(move || {
        if let Some(window) = window {
            let _ = window.remove_event_listener_with_callback("beforeunload", call.as_ref().unchecked_ref());
        }
    })
}

/// Calls with every key that goes down in the window, until the guard is dropped.
pub fn on_keys(down: impl Fn(KeyboardEvent) + 'static, up: impl Fn(KeyboardEvent) + 'static) -> super::Guard {
    let listeners = [
        ("keydown", Closure::<dyn Fn(KeyboardEvent)>::new(down)),
        ("keyup", Closure::<dyn Fn(KeyboardEvent)>::new(up)),
    ];
    let window = web_sys::window();
    if let Some(window) = &window {
        for (name, call) in &listeners {
            let _ = window.add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
        }
    }
    super::Guard::new(move || {
        if let Some(window) = window {
            for (name, call) in &listeners {
                let _ = window.remove_event_listener_with_callback(name, call.as_ref().unchecked_ref());
            }
        }
    })
}

/// Calls with every copy, cut and paste of the window, until the guard is dropped.
pub fn on_clipboard(run: impl Fn(&'static str, ClipboardEvent) + Clone + 'static) -> super::Guard {
    let names = ["copy", "cut", "paste"];
    let listeners = names.map(|name| {
        let run = run.clone();
        (name, Closure::<dyn Fn(ClipboardEvent)>::new(move |event| run(name, event)))
    });
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(document) = &document {
        for (name, call) in &listeners {
            let _ = document.add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
        }
    }
    super::Guard::new(move || {
        if let Some(document) = document {
            for (name, call) in &listeners {
                let _ = document.remove_event_listener_with_callback(name, call.as_ref().unchecked_ref());
            }
        }
    })
}

/// Calls once, after `ms`, whatever becomes of the caller: look before you touch what may be gone.
pub fn after_ms_detached(ms: i32, run: impl FnOnce() + 'static) {
    let call = Closure::once_into_js(run);
    if let Some(window) = web_sys::window() {
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(call.unchecked_ref(), ms);
    }
}
