//! What people see: the shell, the routes, pages, components, state, the designer, and one door to the browser.
//!
//! A page loads and arranges, a component draws, a rule is plain Rust with native tests. Nothing here names a server module.

pub mod browser;
mod chunks;
pub mod components;
pub mod designer;
pub mod format;
mod layout;
pub mod pages;
pub mod shell;
pub mod state;

pub use chunks::chunks_of;
pub use shell::{App, PageAssets, THEME_COOKIE, Visitor, shell};
