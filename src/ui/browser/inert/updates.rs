//! `/ws/updates` on the server: nobody listens.

use crate::model::live::{ServerMessage, Topic};

/// See the browser's half.
pub fn follow_topic(_topic: Topic, _after: Box<dyn Fn() -> i64>, _on: Box<dyn Fn(ServerMessage)>) -> u32 {
    0
}

/// See the browser's half.
pub fn unfollow_topic(_listener: u32) {}

/// See the browser's half.
pub fn on_connection(_on: Box<dyn Fn(bool)>) {}
