//! Dialogs, focus, scrolling, places and sizes of elements, the clipboard, timers.

use leptos::prelude::Callable;
use leptos::prelude::Callback;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlDialogElement, HtmlElement, Window};

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window()?.document()
}

/// Opens a dialog over everything else; it takes the focus. A dialog that is open stays as it is.
pub fn show_modal(dialog: &HtmlDialogElement) {
    if !dialog.open() {
        // It fails only for an element that has left the page.
        let _ = dialog.show_modal();
    }
}

/// Closes a dialog; the focus goes back to where it was.
pub fn close_modal(dialog: &HtmlDialogElement) {
    if dialog.open() {
        dialog.close();
    }
}

/// Moves the focus to an element.
pub fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

/// Moves the focus to the element with this id, if it is on the page.
pub fn focus_id(id: &str) {
    if let Some(element) =
        document().and_then(|d| d.get_element_by_id(id)).and_then(|e| e.dyn_into::<HtmlElement>().ok())
    {
        focus(&element);
    }
}

/// Moves the focus by `step` among the elements in `root` that match `selector` and are shown. Stops at the ends.
pub fn move_focus(root: &HtmlElement, selector: &str, step: i32) {
    let Ok(found) = root.query_selector_all(selector) else { return };
    let shown: Vec<HtmlElement> = (0..found.length())
        .filter_map(|i| found.item(i)?.dyn_into::<HtmlElement>().ok())
        .filter(|element| element.offset_height() > 0)
        .collect();
    let active = document().and_then(|d| d.active_element());
    let at = shown.iter().position(|element| Some(element.unchecked_ref::<Element>()) == active.as_ref());
    let last = shown.len().saturating_sub(1) as i32;
    let next = at.map_or(if step < 0 { last } else { 0 }, |at| (at as i32).saturating_add(step).clamp(0, last));
    if let Some(element) = shown.get(next as usize) {
        focus(element);
    }
}

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
pub fn beside(element: &HtmlElement) -> Beside {
    const GAP: f64 = 4.0;
    let Some(window) = window() else { return Beside::default() };
    let size = |value: Result<JsValue, JsValue>| value.ok().and_then(|v| v.as_f64()).unwrap_or_default();
    let (width, height) = (size(window.inner_width()), size(window.inner_height()));
    let rect = element.get_bounding_client_rect();
    let from_right = rect.left() + rect.width() / 2.0 > width / 2.0;
    let from_bottom = rect.top() + rect.height() / 2.0 > height / 2.0;
    Beside {
        x: if from_right { width - rect.right() } else { rect.left() }.max(GAP),
        y: if from_bottom { height - rect.top() } else { rect.bottom() } + GAP,
        from_right,
        from_bottom,
    }
}

/// How far an element is scrolled and how high its window is, in px: `(top, height)`.
pub fn scroll_of(element: &HtmlElement) -> (f64, f64) {
    (f64::from(element.scroll_top()), f64::from(element.client_height()))
}

/// Scrolls an element to `top` px.
pub fn scroll_to(element: &HtmlElement, top: f64) {
    element.set_scroll_top(top as i32);
}

/// Whether the window fits a media query, such as `(width <= 700px)`.
pub fn matches_media(query: &str) -> bool {
    window().and_then(|w| w.match_media(query).ok().flatten()).is_some_and(|list| list.matches())
}

/// Puts text on the clipboard, then says whether that worked.
pub fn copy_text(text: &str, done: Callback<bool>) {
    let Some(window) = window().filter(Window::is_secure_context) else {
        done.run(copy_by_selection(text));
        return;
    };
    let written = window.navigator().clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        done.run(wasm_bindgen_futures::JsFuture::from(written).await.is_ok());
    });
}

/// Without https the clipboard API is absent; the old command still works on a selected field.
fn copy_by_selection(text: &str) -> bool {
    let copy = || -> Option<bool> {
        let document = document()?;
        let field: web_sys::HtmlTextAreaElement = document.create_element("textarea").ok()?.dyn_into().ok()?;
        field.set_value(text);
        field.set_class_name("visually-hidden");
        document.body()?.append_child(&field).ok()?;
        field.select();
        let command =
            js_sys::Reflect::get(&document, &"execCommand".into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
        let copied = command.call1(&document, &"copy".into()).ok()?.is_truthy();
        field.remove();
        Some(copied)
    };
    copy().unwrap_or(false)
}

/// Something that goes on until this is dropped: a timer, an observer.
pub struct Guard(Option<Box<dyn FnOnce()>>);

impl Guard {
    /// Something that `stop` ends.
    pub(super) fn new(stop: impl FnOnce() + 'static) -> Self {
        Self(Some(Box::new(stop)))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop();
        }
    }
}

/// Calls once, after `ms`, unless the guard is dropped before.
pub fn after_ms(ms: i32, run: impl FnOnce() + 'static) -> Guard {
    let call = Closure::once(run);
    let id = window()
        .and_then(|w| w.set_timeout_with_callback_and_timeout_and_arguments_0(call.as_ref().unchecked_ref(), ms).ok());
    Guard(Some(Box::new(move || {
        if let (Some(window), Some(id)) = (window(), id) {
            window.clear_timeout_with_handle(id);
        }
        drop(call);
    })))
}

/// Calls every `ms`, until the guard is dropped.
pub fn every_ms(ms: i32, run: impl FnMut() + 'static) -> Guard {
    let call = Closure::<dyn FnMut()>::new(run);
    let id = window()
        .and_then(|w| w.set_interval_with_callback_and_timeout_and_arguments_0(call.as_ref().unchecked_ref(), ms).ok());
    Guard(Some(Box::new(move || {
        if let (Some(window), Some(id)) = (window(), id) {
            window.clear_interval_with_handle(id);
        }
        drop(call);
    })))
}

/// Calls with an element's content size in px, `(width, height)`: now, and whenever it changes.
pub fn on_resize(element: &HtmlElement, mut run: impl FnMut(f64, f64) + 'static) -> Guard {
    let watched = element.clone();
    let call = Closure::<dyn FnMut()>::new(move || {
        run(f64::from(watched.client_width()), f64::from(watched.client_height()));
    });
    let observer = web_sys::ResizeObserver::new(call.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(element);
    }
    Guard(Some(Box::new(move || {
        if let Some(observer) = observer {
            observer.disconnect();
        }
        drop(call);
    })))
}

/// Minutes that the browser's time zone is ahead of UTC at a point in time.
pub fn offset_minutes(unix_ms: i64) -> i32 {
    -js_sys::Date::new(&JsValue::from_f64(unix_ms as f64)).get_timezone_offset() as i32
}

/// A place for at most one [`Guard`]: what it holds goes on until another is kept, or the place's owner is gone.
///
/// A component makes it in its body, so it must be nothing at all on the server: there its owner may be dropped by another
/// thread than it was made on, which a browser's value can't survive.
#[derive(Debug, Clone, Copy)]
pub struct GuardSlot(leptos::prelude::StoredValue<Option<Guard>, leptos::prelude::LocalStorage>);

impl GuardSlot {
    /// An empty place.
    pub fn new() -> Self {
        Self(leptos::prelude::StoredValue::new_local(None))
    }

    /// Keeps a guard in place of the one before. A place whose owner is gone keeps nothing.
    pub fn keep(self, guard: Option<Guard>) {
        use leptos::prelude::UpdateValue as _;
        self.0.try_update_value(|kept| *kept = guard);
    }
}

impl Default for GuardSlot {
    fn default() -> Self {
        Self::new()
    }
}
