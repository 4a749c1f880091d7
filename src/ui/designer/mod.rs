//! The designer: where people draw workflows.
//!
//! Owns the editing of a draft: `document` is what is edited, `change` the only way it alters, `history` takes it back,
//! `level` goes into containers and out, `action` says what people do in terms of changes, `tool` follows the pointer, `kernel` is geometry. `editor` makes them
//! reactive, signal by signal, so that one dragged step among hundreds redraws only itself and its threads; the rest are
//! thin views. Promises that all rules are pure and tested natively. Refuses to check or run anything itself: it asks
//! `model::workflow` and the server.

pub mod action;
pub mod change;
pub mod document;
pub mod history;
pub mod kernel;
pub mod level;
pub mod tool;

mod clipboard;
mod commands;
mod editor;
mod keys;
mod overlay;
mod problems;
mod save;
mod save_view;

mod canvas;
mod connect;
pub mod container;
mod costs;
mod frame;
mod head;
mod inspector;
mod minimap;
mod movable;
mod node;
mod palette;
mod patterns;
mod pin;
mod publish;
mod quick_add;
mod run;
mod run_inside;
mod run_log;
mod run_tabs;
mod step_list;
mod test_run;
mod threads;
mod toolbar;
mod trail;

pub use frame::Designer;
