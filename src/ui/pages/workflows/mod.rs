//! Workflows: the list, the templates, files in and out, starting a run, and the designer's page.
//!
//! Owns the way from "I want this to happen" to a run: choose a template or a file, see what there is, fill in what a
//! workflow asks for. Promises that what a role may not do is not offered, and that an error stands beside the field that
//! it is about. Refuses to edit: the graph belongs to the designer.

mod designer;
mod gallery;
mod import;
pub mod inputs;
mod list;
mod row;
pub mod start;

pub use designer::DesignerPage;
pub use list::WorkflowsPage;
