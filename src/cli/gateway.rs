//! `weft gateway`: the flags that models of routes stand behind, of the first workspace, on the database of the settings.

use clap::{Args, Subcommand};

use super::table::{Column, Paint, table};
use super::{Failure, Global, local, out};
use crate::gateway;
use crate::model::gateway::{FlagAudience, FlagDraft, FlagState, StickyBy};
use crate::model::{ApiError, PageRequest};
use crate::runtime::Ctx;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Flags: who already gets what is being rolled out.
    #[command(subcommand)]
    Flags(Flags),
}

#[derive(Debug, Subcommand)]
enum Flags {
    /// List flags with the routes that have a model behind them, by name.
    List,
    /// Add a flag. Nothing changes until a model of a route stands behind it.
    Add {
        /// 1 to 60 letters, digits, -, _ and .
        name: String,
        /// What it rolls out.
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// What stays on one side of it: session or user.
        #[arg(long, value_name = "WHAT", default_value = "session", value_parser = sticky)]
        sticky_by: StickyBy,
        #[command(flatten)]
        share: Share,
    },
    /// Change whether a flag takes anybody, and how many of a hundred; what is left out stays.
    Set {
        /// The flag's name.
        name: String,
        #[command(flatten)]
        share: Share,
    },
    /// Delete a flag that no route names.
    Delete {
        /// The flag's name.
        name: String,
    },
    /// List who changed what of the flags, newest first.
    Changes {
        /// At most so many, 1 to 200.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
}

/// Whom a flag takes.
#[derive(Debug, Args)]
struct Share {
    /// Let it take its share.
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Let it take nobody.
    #[arg(long)]
    off: bool,
    /// So many of a hundred, 0 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    percent: Option<u32>,
}

impl Share {
    fn put(&self, draft: &mut FlagDraft) {
        draft.enabled = (draft.enabled || self.on) && !self.off;
        draft.percent = self.percent.unwrap_or(draft.percent);
    }
}

fn sticky(text: &str) -> Result<StickyBy, String> {
    StickyBy::parse(text).ok_or_else(|| "expected session or user".to_owned())
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Command::Flags(command) = arguments.command;
    local::within(global, async |ctx| match command {
        Flags::List => {
            list(global, &gateway::list_flags(ctx).await.map_err(ApiError::from)?);
            Ok(())
        }
        Flags::Add { name, description, sticky_by, share } => {
            let audience = FlagAudience::default();
            let mut draft = FlagDraft { name, description, enabled: false, percent: 0, sticky_by, audience };
            share.put(&mut draft);
            list(global, &[gateway::create_flag(ctx, draft).await.map_err(ApiError::from)?]);
            Ok(())
        }
        Flags::Set { name, share } => {
            let flag = find(ctx, &name).await?.flag;
            let mut draft = flag.draft();
            share.put(&mut draft);
            list(global, &[gateway::update_flag(ctx, flag.id, flag.revision, draft).await.map_err(ApiError::from)?]);
            Ok(())
        }
        Flags::Delete { name } => {
            let id = find(ctx, &name).await?.flag.id;
            Ok(gateway::delete_flag(ctx, id).await.map_err(ApiError::from)?)
        }
        Flags::Changes { limit } => changes(global, ctx, limit).await,
    })
    .await
}

async fn find(ctx: &Ctx, name: &str) -> Result<FlagState, Failure> {
    let flags = gateway::list_flags(ctx).await.map_err(ApiError::from)?;
    let found = flags.into_iter().find(|state| state.flag.name == name);
    found.ok_or_else(|| Failure { code: 4, message: format!("no flag is called {name}") })
}

fn list(global: &Global, flags: &[FlagState]) {
    if global.json {
        flags.iter().for_each(out::json);
        return;
    }
    if flags.is_empty() {
        out::note("no flags");
        return;
    }
    let rows: Vec<Vec<String>> = flags
        .iter()
        .map(|FlagState { flag, routes }| {
            let takes = if flag.enabled { format!("{} %", flag.percent) } else { format!("off ({} %)", flag.percent) };
            let whom = if flag.audience.is_everybody() { "all who ask" } else { "those named" };
            vec![flag.name.clone(), takes, whom.to_owned(), flag.sticky_by.as_str().to_owned(), routes.join(", ")]
        })
        .collect();
    let columns = [
        Column::left("Flag"),
        Column::right("Takes"),
        Column::left("Of"),
        Column::left("Sticky by"),
        Column::left("Routes"),
    ];
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
}

async fn changes(global: &Global, ctx: &Ctx, limit: u32) -> Result<(), Failure> {
    let page = PageRequest { limit, cursor: None };
    let changes = gateway::list_flag_changes(ctx, &page).await.map_err(ApiError::from)?.items;
    if global.json {
        changes.iter().for_each(out::json);
        return Ok(());
    }
    if changes.is_empty() {
        out::note("no changes");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = changes
        .iter()
        .map(|change| {
            let by = if change.by.is_empty() { "the command line" } else { &change.by };
            vec![change.at.to_string(), by.to_owned(), change.name.clone(), change.words()]
        })
        .collect();
    let columns = [Column::left("When"), Column::left("Who"), Column::left("Flag"), Column::left("What")];
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays() {
        let share = |on, off, percent| Share { on, off, percent };
        let put = |share: Share, enabled| {
            let (name, description) = (String::new(), String::new());
            let (sticky_by, audience) = (StickyBy::Session, FlagAudience::default());
            let mut draft = FlagDraft { name, description, enabled, percent: 5, sticky_by, audience };
            share.put(&mut draft);
            (draft.enabled, draft.percent)
        };
        assert_eq!(put(share(false, false, Some(25)), true), (true, 25));
        assert_eq!(put(share(false, true, None), true), (false, 5));
        assert_eq!(put(share(true, false, None), false), (true, 5));
    }
}
