//! `weft admin workspace`: what the oldest workspace is set to.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, local, out};
use crate::model::ApiError;
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
        if let Command::Retention { days } = command {
            workflow::set_retention(ctx, days.0).await.map_err(ApiError::from)?;
        }
        show(ctx, global.json).await
    })
    .await
}

async fn show(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let retention = workflow::get_retention(ctx).await.map_err(ApiError::from)?;
    if json {
        out::json(&json!({"retention_days": retention.days}));
        return Ok(());
    }
    let days = retention.in_force();
    let whose = if retention.days.is_none() { ", as the server has it" } else { "" };
    out::line(format_args!("Ended runs are kept for {days} days{whose}, where their workflow does not say."));
    Ok(())
}
