//! `weft admin workspace`: what the oldest workspace is set to.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, local, out};
use crate::model::ApiError;
use crate::model::workflow::Quotas;
use crate::runtime::Ctx;
use crate::workflow;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the workspace's settings.
    Show,
    /// Set how many days ended runs are kept, where their workflow does not say.
    Retention {
        /// 1 to 3650, or `default` for the server's setting.
        #[arg(value_parser = read_days)]
        days: Days,
    },
    /// Set how many runs of the workspace may wait and may be in progress, at most as many as the server allows.
    Quotas {
        /// Runs that may wait, or `default` for the server's setting; left out, it stays.
        #[arg(long, value_parser = read_runs, required_unless_present = "running")]
        queued: Option<Runs>,
        /// Runs that may be in progress, or `default` for the server's setting; left out, it stays.
        #[arg(long, value_parser = read_runs)]
        running: Option<Runs>,
    },
}

/// A number of runs, or the server's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runs(Option<u32>);

fn read_runs(text: &str) -> Result<Runs, String> {
    if text == "default" {
        return Ok(Runs(None));
    }
    let runs = text.parse().ok().filter(|runs| (1..=Quotas::MAX).contains(runs));
    runs.map(|runs| Runs(Some(runs))).ok_or_else(|| format!("expected 1 to {}, or default", Quotas::MAX))
}

/// A number of days, or the server's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days(Option<u32>);

fn read_days(text: &str) -> Result<Days, String> {
    if text == "default" {
        return Ok(Days(None));
    }
    let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
    days.map(|days| Days(Some(days))).ok_or_else(|| "expected 1 to 3650, or default".to_owned())
}

pub(super) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    local::within(global, async |ctx| {
        match command {
            Command::Show => {}
            Command::Retention { days } => {
                workflow::set_retention(ctx, days.0).await.map_err(ApiError::from)?;
            }
            Command::Quotas { queued, running } => {
                let known = workflow::get_quotas(ctx).await.map_err(ApiError::from)?;
                let queued = queued.map_or(known.max_queued_runs, |runs| runs.0);
                let running = running.map_or(known.max_running_runs, |runs| runs.0);
                workflow::set_quotas(ctx, queued, running).await.map_err(ApiError::from)?;
            }
        }
        show(ctx, global.json).await
    })
    .await
}

async fn show(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let retention = workflow::get_retention(ctx).await.map_err(ApiError::from)?;
    let quotas = workflow::get_quotas(ctx).await.map_err(ApiError::from)?;
    if json {
        out::json(&json!({
            "retention_days": retention.days,
            "max_queued_runs": quotas.max_queued_runs,
            "max_running_runs": quotas.max_running_runs,
        }));
        return Ok(());
    }
    let days = retention.in_force();
    let whose = if retention.days.is_none() { ", as the server has it" } else { "" };
    out::line(format_args!("Ended runs are kept for {days} days{whose}, where their workflow does not say."));
    let by = |own: Option<u32>| if own.is_none() { ", as the server has it" } else { "" };
    let (queued, whose) = (quotas.queued_in_force(), by(quotas.max_queued_runs));
    out::line(format_args!("Runs that may wait: {queued}{whose}."));
    let running = quotas.running_in_force().map_or_else(|| "any number".to_owned(), |runs| runs.to_string());
    out::line(format_args!("Runs that may be in progress: {running}{}.", by(quotas.max_running_runs)));
    Ok(())
}
