//! Drawing many points, on the server: nothing happens.

use leptos::web_sys::{HtmlCanvasElement, HtmlElement};

/// See the browser's half.
pub type Dot = (f64, f64, f64, usize, bool);

/// See the browser's half.
pub fn inks_of(_element: &HtmlElement) -> Vec<String> {
    Vec::new()
}

/// See the browser's half.
pub fn paint_dots(_canvas: &HtmlCanvasElement, _size: (f64, f64), _dots: &[Dot], _inks: &[String]) {}
