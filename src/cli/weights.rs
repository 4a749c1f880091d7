//! `weft agent weights`: what the parts of an agent's score count when a task goes to whoever is best.

use clap::{Args, Subcommand};

use super::table::{Column, Paint, table};
use super::{Failure, Global, local, out};
use crate::agents::queue;
use crate::model::ApiError;
use crate::model::agent::{AssignmentPreview, Weights};
use crate::runtime::Ctx;

/// Characters of a task in the list.
const SHOWN: usize = 60;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what they count.
    Show,
    /// Set some of them; the others stay. Together they come to 1.
    Set(Changes),
    /// Show whom the tasks that wait, and those of the last 24 hours, would be given to; nothing is changed.
    Preview(Changes),
    /// Let them count again what Weft comes with.
    Reset,
}

/// What is to count how much: 0 to 1 each; left out, it stays.
#[derive(Debug, Args)]
pub(super) struct Changes {
    /// Who would have it done soonest.
    #[arg(long, value_name = "0..1")]
    availability: Option<f64>,
    /// Who knows what it asks for.
    #[arg(long, value_name = "0..1")]
    expertise: Option<f64>,
    /// Who has least to do.
    #[arg(long, value_name = "0..1")]
    workload: Option<f64>,
    /// Who got most of its tasks done.
    #[arg(long, value_name = "0..1")]
    success: Option<f64>,
    /// Who has to do with it already.
    #[arg(long, value_name = "0..1")]
    affinity: Option<f64>,
}

impl Changes {
    fn of(&self, known: Weights) -> Weights {
        Weights {
            availability: self.availability.unwrap_or(known.availability),
            expertise: self.expertise.unwrap_or(known.expertise),
            workload: self.workload.unwrap_or(known.workload),
            success: self.success.unwrap_or(known.success),
            affinity: self.affinity.unwrap_or(known.affinity),
        }
    }
}

/// Does it.
pub(super) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    local::within(global, async |ctx| {
        let known = queue::get_weights(ctx).await.map_err(ApiError::from)?;
        let weights = match command {
            Command::Show => known,
            Command::Set(changes) => queue::set_weights(ctx, changes.of(known)).await.map_err(ApiError::from)?,
            Command::Reset => queue::reset_weights(ctx).await.map_err(ApiError::from)?,
            Command::Preview(changes) => return preview(global, ctx, changes.of(known)).await,
        };
        if global.json {
            out::json(&weights);
            return Ok(());
        }
        let columns = [Column::left("Part"), Column::right("Counts"), Column::right("By default")];
        let row = |((name, weight), (_, usual)): ((&str, f64), (&str, f64))| {
            vec![name.to_owned(), format!("{weight:.2}"), format!("{usual:.2}")]
        };
        let rows = weights.named().into_iter().zip(Weights::default().named()).map(row).collect();
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
        Ok(())
    })
    .await
}

async fn preview(global: &Global, ctx: &Ctx, weights: Weights) -> Result<(), Failure> {
    let preview = queue::preview_weights(ctx, weights).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&preview);
        return Ok(());
    }
    let AssignmentPreview { tasks, moved, omitted, .. } = preview;
    if tasks.is_empty() {
        out::note("no task waits, and none was given in the last 24 hours");
        return Ok(());
    }
    let columns = [
        Column::left("Id"),
        Column::left("Given"),
        Column::left("Has it"),
        Column::left("Would have it"),
        Column::left("Task"),
    ];
    let rows = tasks.iter().map(|task| {
        let name =
            |pick: Option<&crate::model::agent::Pick>| pick.map_or_else(|| "nobody".to_owned(), |one| one.name.clone());
        let given = if task.given_at.is_some() { "given" } else { "waits" };
        let prompt = task.prompt.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
        vec![task.id.to_string(), given.to_owned(), name(task.now.as_ref()), name(task.then.as_ref()), prompt]
    });
    out::line(table(Paint::of_stdout(), &columns, rows.collect()).trim_end());
    let more = if omitted > 0 { format!("; {omitted} or more are not shown") } else { String::new() };
    out::note(format_args!("{moved} of {} would have another agent{more}", tasks.len()));
    Ok(())
}
