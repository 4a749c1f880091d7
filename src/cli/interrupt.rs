//! The two signals that ask a command to end: SIGINT (Ctrl-C) and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Catches both from the moment it is made, so that a command makes it before it begins what must end in order.
#[derive(Debug)]
pub(super) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    /// Begins to catch.
    pub(super) fn listen() -> Self {
        let catch = |kind| signal(kind).expect("the process may handle its signals");
        Self { interrupt: catch(SignalKind::interrupt()), terminate: catch(SignalKind::terminate()) }
    }

    /// Returns at the next signal, at once for one that came since the last call.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
