//! The one integration-test binary: faces and edges on both databases.
#![expect(clippy::unwrap_used, reason = "tests")]

#[macro_use]
mod support;

mod agents;
mod architecture;
mod auth;
mod cli;
mod database;
mod engine;
mod gateway;
mod http;
mod master;
mod memory;
mod monitor;
mod outbound;
mod sandbox;
mod security;
mod travel;
mod trigger;
