//! The designer: where people draw workflows.
//!
//! Owns the editing of a draft: `document` is what is edited, `change` the only way it alters, `history` takes it back,
//! `action` says what people do in terms of changes, `tool` follows the pointer, `kernel` is geometry. `editor` makes them
//! reactive, signal by signal, so that one dragged step among hundreds redraws only itself and its threads; the rest are
//! thin views. Promises that all rules are pure and tested natively. Refuses to check or run anything itself: it asks
//! `model::workflow` and the server.

pub mod document;
pub mod change;
pub mod history;
pub mod action;
pub mod tool;
pub mod kernel;

mod editor;
mod keys;
mod clipboard;
mod save;
mod problems;
mod overlay;

mod designer;
mod head;
mod palette;
mod canvas;
mod node;
mod threads;
mod minimap;
mod toolbar;
mod quick_add;
mod connect;
mod step_list;
mod inspector;
mod run;
mod run_log;
mod run_tabs;
mod test_run;

pub use designer::Designer;
