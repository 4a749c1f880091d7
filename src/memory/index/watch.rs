//! How long each stage of a search takes.

use std::time::{Duration, Instant};

/// Notes how long each stage takes.
pub(super) struct Watch {
    began: Instant,
    /// In their order.
    pub stages: Vec<(&'static str, Duration)>,
}

impl Watch {
    /// The first stage begins.
    pub fn start() -> Self {
        Self { began: Instant::now(), stages: Vec::with_capacity(6) }
    }

    /// A stage ends, and the next one begins.
    pub fn stage(&mut self, name: &'static str) {
        let now = Instant::now();
        self.stages.push((name, now - self.began));
        self.began = now;
    }
}
