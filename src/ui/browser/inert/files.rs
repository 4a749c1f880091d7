//! The server's half of `real/files.rs`: nothing happens.

use leptos::ev::{DragEvent, Event};
use leptos::prelude::Callback;

/// See the browser's half.
pub type FileText = Result<(String, String), String>;

/// See the browser's half.
pub type FileTexts = Result<Vec<(String, String)>, String>;

/// See the browser's half.
pub fn save_file(_name: &str, _mime: &str, _text: &str) {}

/// See the browser's half.
pub fn read_chosen_file(_event: &Event, _most: u32, _done: Callback<FileText>) {}

/// See the browser's half.
pub fn read_dropped_file(_event: &DragEvent, _most: u32, _done: Callback<FileText>) {}

/// See the browser's half.
pub fn read_chosen_files(_event: &Event, _most: u32, _done: Callback<FileTexts>) {}

/// See the browser's half.
pub fn read_dropped_files(_event: &DragEvent, _most: u32, _done: Callback<FileTexts>) {}
