//! The vocabulary: plain data and pure rules, shared by the server and the browser.
//!
//! Owns every word of the product as a type. Promises no IO, no clock, no randomness and no dependency on any other
//! module of ours, so that it compiles to wasm and its rules can be tested as tables. The wire types *are* these
//! types; private row structs stay in each capability's `store.rs`.

pub mod agent;
pub mod analysis;
pub mod auth;
pub mod cache;
pub mod credentials;
pub mod dashboard;
pub mod error;
pub mod gateway;
pub mod id;
pub mod invisible;
pub mod live;
pub mod master;
pub mod memory;
pub mod page;
pub mod time;
pub mod trigger;
pub mod workflow;

pub use error::{ApiError, FieldError};
pub use id::*;
pub use page::{Page, PageRequest};
pub use time::Timestamp;
