//! The browser's APIs.

mod canvas;
mod dom;
mod dots;
mod files;
mod updates;

use wasm_bindgen::JsCast;

pub use canvas::*;
pub use dom::*;
pub use dots::*;
pub use files::*;
pub use updates::*;

/// Milliseconds since the Unix epoch, by the browser's clock.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// The person's zone in the IANA database, such as `Europe/Berlin`; UTC where it is not known.
pub fn time_zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let zone = js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into()).ok();
    zone.and_then(|zone| zone.as_string()).filter(|zone| !zone.is_empty()).unwrap_or_else(|| "UTC".to_owned())
}

/// Forces `light` or `dark`, or follows the system when empty; remembered in a cookie for a year.
pub fn set_theme(cookie: &str, theme: &str) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    if let Some(root) = document.document_element() {
        let _ = if theme.is_empty() {
            root.remove_attribute("data-theme")
        } else {
            root.set_attribute("data-theme", theme)
        };
    }
    let age = if theme.is_empty() { 0 } else { 365 * 24 * 3600 };
    let text = format!("{cookie}={theme}; path=/; max-age={age}; samesite=lax");
    // `cookie` stands on HTMLDocument, which web-sys hides behind a feature of its own.
    let _ = js_sys::Reflect::set(document.unchecked_ref(), &"cookie".into(), &text.into());
}

/// The forced theme, as the document says: `light`, `dark`, or empty.
pub fn theme() -> String {
    let root = web_sys::window().and_then(|window| window.document()).and_then(|document| document.document_element());
    root.and_then(|root| root.get_attribute("data-theme")).unwrap_or_default()
}

/// Ready at once: what the server drew is woken up without a pause in between.
pub fn past_dry_runs() -> std::future::Ready<()> {
    std::future::ready(())
}

fn tab_storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok()?
}

/// Keeps a text until this tab is closed; false where the browser does not take it.
pub fn keep_in_tab(key: &str, text: &str) -> bool {
    tab_storage().is_some_and(|storage| storage.set_item(key, text).is_ok())
}

/// What was kept until this tab is closed.
pub fn kept_in_tab(key: &str) -> Option<String> {
    tab_storage()?.get_item(key).ok()?
}

/// Forgets what was kept.
pub fn forget_in_tab(key: &str) {
    if let Some(storage) = tab_storage() {
        let _ = storage.remove_item(key);
    }
}

fn browser_storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Keeps a text in this browser; false where the browser does not take it.
pub fn keep_in_browser(key: &str, text: &str) -> bool {
    browser_storage().is_some_and(|storage| storage.set_item(key, text).is_ok())
}

/// What was kept in this browser.
pub fn kept_in_browser(key: &str) -> Option<String> {
    browser_storage()?.get_item(key).ok()?
}

/// Goes to a path of this site as a new page: nothing of this one stays in memory.
pub fn load_page(path: &str) {
    if let Some(window) = web_sys::window() {
        // Refused only for an unparsable address; then the page stays.
        let _ = window.location().assign(path);
    }
}
