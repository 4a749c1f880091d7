//! The one way out: every HTTP request that Weft makes for a user, a workflow or a provider goes through [`Outbound`].
//!
//! Promises: a URL is parsed once; a name is resolved by us, and if any of its addresses is not public (and not allowed
//! by the administrator) nothing is connected; the connection goes to an address that was checked, whatever the name
//! says a moment later. Redirects are followed by us, at most [`Policy::max_redirects`], each checked like the first,
//! credentials left behind when the origin changes. Time, bytes, decompressed bytes and headers are capped while they
//! stream in. Proxy variables are ignored.
//!
//! Refuses with one text for every forbidden address, so that an answer does not map the network behind us.

mod address;
mod client;
mod error;
mod open;
mod policy;
mod redirect;
mod request;
mod resolve;

pub use client::Outbound;
pub use error::Error;
pub use open::Incoming;
pub use policy::{Network, Policy};
pub use request::{OnBytes, Request, Response};

/// Makes ring the process's cryptography for TLS. Called first thing in `main` and in tests; again is harmless.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
