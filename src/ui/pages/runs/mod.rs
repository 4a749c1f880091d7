//! Runs: the list, and one run as it happens.
//!
//! Owns what is between the server functions of runs and the screen: filters as a URL, the timeline's axis, the log as
//! lines, and the live state of one run. Promises that a URL alone brings back what was seen, that nothing moves under the
//! pointer when changes arrive, and that a command that can't be given says why. Refuses to guess: what it shows is what the
//! server said, read anew when a change is told.

mod asked;
mod bodies;
mod bulk;
mod changes;
pub mod clock;
mod facts;
mod filters;
mod give;
mod graph;
mod happen;
mod hooked;
mod kept;
mod list;
mod log;
mod logbook;
mod messages;
mod order;
mod page;
mod quotas;
mod remembered;
mod result;
mod rows;
mod scale;
mod step;
mod team_graph;
mod timeline;
mod told;
mod transcript;
mod travel;
mod undone;
mod value;
mod watch;
mod why;

pub use list::RunsPage;
pub use page::RunPage;
pub use travel::ComparePage;
