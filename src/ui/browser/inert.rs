//! What the browser's APIs do on the server: nothing.

/// Milliseconds since the Unix epoch, by the browser's clock. 0 on the server: call it in effects and handlers only.
pub fn now_ms() -> f64 {
    0.0
}
