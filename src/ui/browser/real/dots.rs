//! Drawing many points: a canvas instead of an element for each.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

/// A point to be drawn: left, top and radius in px, which ink, and whether it has a ring of the last ink.
pub type Dot = (f64, f64, f64, usize, bool);

/// The colours of what stands in an element, in order, as they are in the present theme.
pub fn inks_of(element: &HtmlElement) -> Vec<String> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let children = element.children();
    let ink = |at: u32| {
        let style = window.get_computed_style(&children.item(at)?).ok()??;
        style.get_property_value("color").ok()
    };
    (0..children.length()).filter_map(ink).collect()
}

/// Draws points on a canvas of this size in px. The last ink is that of the rings.
pub fn paint_dots(canvas: &HtmlCanvasElement, (w, h): (f64, f64), dots: &[Dot], inks: &[String]) {
    let sharp = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio()).clamp(1.0, 3.0);
    let (width, height) = ((w * sharp) as u32, (h * sharp) as u32);
    if canvas.width() != width || canvas.height() != height {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context = canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into().ok());
    let Some(context): Option<CanvasRenderingContext2d> = context else { return };
    let _ = context.set_transform(sharp, 0.0, 0.0, sharp, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, w, h);
    let is_seen = |dot: &&Dot| dot.0 > -10.0 && dot.1 > -10.0 && dot.0 < w + 10.0 && dot.1 < h + 10.0;
    // One path for each ink: to change the ink costs more than a point.
    for (number, ink) in inks.iter().enumerate() {
        context.begin_path();
        for (x, y, radius, ..) in dots.iter().filter(|dot| dot.3 == number).filter(is_seen) {
            circle(&context, *x, *y, *radius);
        }
        context.set_fill_style_str(ink);
        context.fill();
    }
    let Some(ring) = inks.last() else { return };
    context.begin_path();
    for (x, y, radius, ..) in dots.iter().filter(|dot| dot.4).filter(is_seen) {
        circle(&context, *x, *y, *radius + 2.0);
    }
    context.set_line_width(1.5);
    context.set_stroke_style_str(ring);
    context.stroke();
}

fn circle(context: &CanvasRenderingContext2d, x: f64, y: f64, radius: f64) {
    context.move_to(x + radius, y);
    // It fails only for a radius below nought.
    let _ = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
}
