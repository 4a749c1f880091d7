//! Pure geometry of the canvas: data in, data out.
//!
//! Owns where things are and how they are reached: node boxes and ports, the viewport's transform, hits, snapping,
//! threads between ports, the automatic layout, the overview, and walking the graph by keys. Promises to be total on any
//! definition, also a broken one. Refuses to know signals, events or the DOM, so that every rule has a native test.

pub mod geometry;
pub mod hit;
pub mod layout;
pub mod miniature;
pub mod minimap;
pub mod route;
mod search;
pub mod snap;
pub mod viewport;
pub mod walk;

pub use geometry::{FOOT_H, NODE_H, NODE_W, Point, Rect, Side, Size};
pub use viewport::View;

#[cfg(test)]
mod tests;
