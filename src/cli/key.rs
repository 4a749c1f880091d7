//! `weft key`: the master key of the installation. On a database that a server has open alone (SQLite) its REST interface does the same.

use clap::{Args, Subcommand};

use super::table::{Column, Paint, table};
use super::{Failure, Global, local, out};
use crate::master;
use crate::model::ApiError;
use crate::model::master::{MasterKeyInfo, MasterKeyReport, MasterKeyRotation, NotYetSealed};
use crate::runtime::Ctx;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show which keys there are, which one seals, and what is not under it yet.
    Status,
    /// Put a new key in the place of the one that seals: the one that waits in the file, or one that is made now.
    Rotate {
        /// Only make a key, so that the file can be brought to the other servers first.
        #[arg(long)]
        prepare: bool,
    },
    /// Take a key out of the file, once nothing is under it.
    Retire {
        /// Its name, as `weft key status` shows it.
        id: String,
    },
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    local::within(global, async |ctx| act(ctx, global.json, arguments.command).await).await
}

async fn act(ctx: &Ctx, json: bool, command: Command) -> Result<(), Failure> {
    let report = match command {
        Command::Status => master::status(ctx).await?,
        Command::Rotate { prepare } => {
            let report = master::rotate(ctx, MasterKeyRotation { prepare }).await?;
            if prepare {
                out::note("bring the file to every server, then run `weft key rotate`");
                report
            } else {
                reseal(ctx).await?;
                master::status(ctx).await?
            }
        }
        Command::Retire { id } => {
            reseal(ctx).await?;
            let report = master::retire(ctx, &id).await?;
            out::note(format_args!(
                "the master key {id} is not in the file any more; it lies beside it, with the ending .retired-{id}: backups of before still need it"
            ));
            report
        }
    };
    tell(&report, json);
    Ok(())
}

/// Brings under the key that seals what is not, as a server would.
async fn reseal(ctx: &Ctx) -> Result<(), Failure> {
    loop {
        let pass = master::reseal(ctx.runtime()).await?;
        if pass.moved > 0 {
            out::note(format_args!("{} values are under the key that seals", pass.moved));
        }
        if pass.moved == 0 || ctx.tasks.stopping().is_cancelled() {
            return Ok(());
        }
    }
}

fn tell(report: &MasterKeyReport, json: bool) {
    if json {
        out::json(report);
        return;
    }
    let row = |key: &MasterKeyInfo| {
        let time = |at: Option<crate::model::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let file = if key.in_file { "yes" } else { "no" };
        vec![key.id.clone(), key.state.label().to_owned(), file.to_owned(), time(key.since), time(key.whole_at)]
    };
    let columns = ["Key", "State", "In the file", "Seals since", "Whole since"].map(Column::left);
    out::line(table(Paint::of_stdout(), &columns, report.keys.iter().map(row).collect()).trim_end());
    for NotYetSealed { what, values } in &report.left {
        out::note(format_args!("not under the key that seals: {values} {what}"));
    }
    if report.whole {
        out::note("everything that can be opened is under the key that seals");
    } else {
        out::note("a server brings the rest under it, and says so about three minutes after the change began");
    }
    if report.unreadable > 0 {
        out::note(format_args!("{} values open with no key of the file, and stay as they are", report.unreadable));
    }
}

impl From<master::Error> for Failure {
    fn from(error: master::Error) -> Self {
        ApiError::from(error).into()
    }
}
