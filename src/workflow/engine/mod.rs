//! The engine: owns the runs in motion.

mod log;

pub use log::{LogSink, Stream};
