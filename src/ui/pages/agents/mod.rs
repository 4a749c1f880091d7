//! `/agents`: who works here by itself, what each may do, and what it has done.
//!
//! Owns the board (`/agents`), what counts when a task goes to whoever is best (`/agents/assignment`), an agent's page
//! (`/agents/ID`) and the form of one (`/agents/new`, `/agents/ID/edit`).
//! Promises that what is shown follows what happens, and that the form rules about a call as the server will: it asks the
//! same function. Refuses to show what an agent said and did: that is part of its run, and stands there.

mod acts;
mod board;
mod card;
mod compare;
mod compare_dialog;
mod configuration;
mod detail;
mod editor;
mod fields;
mod form;
mod hooks;
mod leases;
mod live;
mod memory;
mod persona_form;
mod personas;
mod queue;
mod queue_dialog;
mod results;
mod rows;
mod rules;
mod tasks;
mod trial;
mod versions;
mod weights;
mod weights_preview;
mod words;

pub use board::AgentsPage;
pub use detail::AgentPage;
pub use editor::{EditAgentPage, NewAgentPage};
pub use weights::AssignmentPage;
