//! What every use-case needs from the world: configuration, clock, ids, events, tasks, secrets, outbound HTTP, the sandbox.
//!
//! Everything ambient (time, randomness, environment, spawning, sockets) is reached through here and nowhere else, so
//! that a test can hold it still. Knows no capability.

pub mod clock;
pub mod config;
pub mod ctx;
pub mod events;
pub mod heap;
pub mod ids;
pub mod keys;
pub mod outbound;
pub mod sandbox;
pub mod tasks;
pub mod telemetry;
pub mod trace;
pub mod zone;

pub use clock::Clock;
pub use config::Config;
pub use ctx::{Actor, Ctx, Denied, Principal, Runtime};
pub use events::Events;
pub use ids::Ids;
pub use keys::Keys;
pub use tasks::Tasks;
