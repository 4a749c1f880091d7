//! Charts: SVG, drawn at the measured width, so that their text is always 12 px.
//!
//! Owns the geometry of bars and lines over time, the tip beside the column, and the table that says the same. Promises a
//! sentence as the name, every value by keyboard (one tab stop, arrows move), and the same markup on the server and at
//! hydration: the server draws for [`ASSUMED_WIDTH`] and the browser scales that until it has measured. Refuses to load,
//! to guess values where there are none, and to know what the numbers mean.

mod data;
mod marks;
pub mod scale;
mod spark;
mod table;
mod view;

pub use data::{ChartData, Series, SeriesLook, Slot, Unit};
pub use spark::Spark;
pub use view::{Chart, ChartKind, ChartLegend, TableToggle};

/// The width in px that the server draws for.
pub const ASSUMED_WIDTH: f64 = 720.0;
