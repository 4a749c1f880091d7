//! Server functions: private RPC under `/rpc`, one file a capability, bodies of one to three lines.
//!
//! Every one is `#[server(prefix = "/rpc", endpoint = "noun/verb", input = Json)]` (POST with JSON), returns
//! `Result<T, ApiError>`, takes its context from `crate::http::request_ctx()` and calls one face. They are public
//! endpoints: the layer in `http` refuses cross-site calls, and each face authorises.

pub mod agents;
pub mod approvals;
pub mod auth;
pub mod budgets;
pub mod cache;
pub mod dashboard;
pub mod flags;
pub mod gateway;
pub mod master;
pub mod memory;
pub mod providers;
pub mod redaction;
pub mod routes;
pub mod runs;
pub mod travel;
pub mod triggers;
pub mod users;
pub mod versions;
pub mod workflows;
pub mod workspace;

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::model::ApiError;

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => {
                Self::Invalid { detail, fields: Vec::new() }
            }
            // On the server: the arguments. In the browser: the answer of a server that is newer than this page.
            ServerFnErrorErr::Deserialization(detail) => {
                Self::Invalid { detail: format!("unreadable: {detail}"), fields: Vec::new() }
            }
            ServerFnErrorErr::Request(_) => {
                Self::Network { detail: "The server can't be reached. Nothing was changed.".to_owned() }
            }
            other => Self::Network { detail: format!("The server's answer can't be read: {other}.") },
        }
    }
}
