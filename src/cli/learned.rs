//! `weft memory timeline`: what was learned when.

use clap::Args;

use super::table::{Column, Paint, table};
use super::{Failure, out};
use crate::memory::{self, Filter};
use crate::model::memory::{Learned, Source};
use crate::model::{PageRequest, Timestamp};
use crate::runtime::Ctx;

#[derive(Debug, Args)]
pub(super) struct Timeline {
    /// This namespace and all below it.
    #[arg(default_value = "")]
    namespace: String,
    /// What was known of it then, such as 2026-11-21T08:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    as_of: Option<Timestamp>,
    /// At most so many, 1 to 200.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// The cursor that the page before ended with.
    #[arg(long)]
    cursor: Option<String>,
}

/// Lists what was learned, the last first.
pub(super) async fn timeline(ctx: &Ctx, json: bool, asked: Timeline) -> Result<(), Failure> {
    let Timeline { namespace, as_of, limit, cursor } = asked;
    let filter = Filter { namespace, as_of, ..Filter::default() };
    let page = memory::timeline(ctx, &filter, &PageRequest { limit, cursor }).await?;
    if json {
        page.items.iter().for_each(out::json);
        out::more(page.next.as_deref());
        return Ok(());
    }
    let row = |line: &Learned| {
        let next = line.superseded.as_ref().map(|next| {
            let what = if next.deleted { "deleted in" } else { "replaced by" };
            format!("{what} {}", next.version)
        });
        let text = line
            .unreadable
            .as_deref()
            .or(line.excerpt.as_deref())
            .unwrap_or("(deleted)")
            .replace(char::is_whitespace, " ");
        vec![
            line.at.to_string(),
            format!("{}/{}", line.namespace, line.key),
            line.version.to_string(),
            line.agent.clone().unwrap_or_else(|| by(&line.source)),
            next.unwrap_or_default(),
            text.chars().take(60).collect(),
        ]
    };
    let columns = [
        Column::left("At"),
        Column::left("Entry"),
        Column::right("Version"),
        Column::left("By"),
        Column::left("Since"),
        Column::left("Words"),
    ];
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    if rows.is_empty() {
        out::note("nothing was learned here");
    } else {
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    out::more(page.next.as_deref());
    Ok(())
}

/// Reads a time.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "expected a time such as 2026-11-21T08:30:00Z".to_owned())
}

/// Who wrote it.
pub(super) fn by(source: &Source) -> String {
    match source {
        Source::User { name } => name.clone(),
        Source::Run { run_id, step } => format!("run {run_id}, step {step}"),
        Source::Import { name: Some(name) } => format!("{name}, by import"),
        Source::Import { name: None } => "import".to_owned(),
        Source::Cli {} => "command line".to_owned(),
        Source::Expiry {} => "its time ran out".to_owned(),
    }
}

/// Says that entries of then are not known any more.
pub(super) fn unknown(entries: Option<i64>) {
    if let Some(entries) = entries {
        out::note(format_args!("{entries} entries changed so often since that their versions of then are not kept"));
    }
}
