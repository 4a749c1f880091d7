//! Ollama's own API, as it is asked by us: whole answers, or JSON on lines.
//!
//! Unlike its imitation of OpenAI it says what it loaded, takes a schema as it is, and `options` with the size of its window. It knows
//! no `tool_choice`; what would need one is refused by name.
//!
//! Source: Ollama's API reference, `POST /api/chat`.

mod read;
mod write;

pub use read::Reader;
pub(super) use read::read_response;
pub(super) use write::{OWN, takes_effort, write_request};
