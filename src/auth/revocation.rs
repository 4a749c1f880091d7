//! Tells those who keep connections open that a credential died.

use tokio::sync::broadcast;

use crate::model::{LoginSessionId, UserId};
use crate::runtime::Runtime;

/// Revocations that a slow listener may lag behind; after that it must ask [`super::holds`] for each it keeps.
const CAPACITY: usize = 1024;

/// What must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Everything of this person: disabled, or their role changed, so that what is open has the wrong one.
    User(UserId),
    /// Everything of this login session.
    Session(LoginSessionId),
}

/// The process' channel.
#[derive(Debug)]
struct Channel(broadcast::Sender<Revoked>);

impl Default for Channel {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

/// Everything that this process revokes from now on. Another replica's is seen by asking [`super::holds`].
pub fn revocations(runtime: &Runtime) -> broadcast::Receiver<Revoked> {
    runtime.shared::<Channel>().0.subscribe()
}

/// Says so. No listener is no error.
pub(super) fn publish(runtime: &Runtime, revoked: Revoked) {
    let _ = runtime.shared::<Channel>().0.send(revoked);
}
