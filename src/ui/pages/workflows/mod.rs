//! The pages of workflows.

mod designer;

pub use designer::DesignerPage;
