//! Logs and metrics: set up once, in `main`.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::Config;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sends logs to standard error, as JSON or text, filtered as configured. A second call does nothing.
///
/// # Errors
/// A filter that doesn't parse, with what was expected.
pub fn init(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("log: expected a tracing filter: {error}"))?;
    let json = match config.log_format.as_str() {
        "json" => true,
        "text" => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An installed subscriber stays: a test may have its own.
    let _ = if json { builder.json().flatten_event(true).try_init() } else { builder.compact().try_init() };
    Ok(())
}

/// The recorder of all `metrics::` macros; installed at the first call.
pub fn metrics() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(&[0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .expect("the list is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Another recorder may be there in a test; then this one stays silent.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
