//! `weft agent queue`: tasks for whichever agent is best for them.

use clap::{Args, Subcommand};

use super::table::{Column, Paint, table};
use super::{Failure, Global, file, local, out};
use crate::agents::queue;
use crate::model::agent::{QueuedTask, TaskDraft};
use crate::model::{ApiError, PageRequest, QueuedTaskId};
use crate::runtime::Ctx;
use crate::workflow::assign;

/// Characters of a task in the list.
const SHOWN: usize = 60;

/// Writes a task for whoever is best for it.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// The task; - reads it from standard input.
    prompt: String,
    /// A word for what must be known, such as rust; more than once for several.
    #[arg(long, value_name = "WORD")]
    expertise: Vec<String>,
    /// An agent that it may be given to, by name; more than once for several, all without it.
    #[arg(long, value_name = "NAME")]
    among: Vec<String>,
    /// A task that must be done first, by its id; more than once for several.
    #[arg(long, value_name = "ID")]
    after: Vec<QueuedTaskId>,
    /// What it is about: whoever last worked at the same scores higher.
    #[arg(long, default_value = "")]
    topic: String,
    /// The path of a repository: whoever works in it scores higher.
    #[arg(long, default_value = "")]
    repository: String,
    /// 1 to 9, 9 first; 5 without it.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=9))]
    priority: Option<u8>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the tasks, the newest first.
    List {
        /// At most so many, 1 to 200.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where the page before ended.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Add a task. A server gives it to an agent once it is its turn.
    Add(Add),
    /// Print a task with everything about it, as JSON.
    Show {
        /// The task's id.
        id: QueuedTaskId,
    },
    /// Cancel a task that is not over, with its run.
    Cancel {
        /// The task's id.
        id: QueuedTaskId,
    },
}

/// Does it.
pub(super) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { limit, cursor } => {
            let page = PageRequest { limit, cursor };
            local::within(global, async |ctx| list(global, ctx, &page).await).await
        }
        Command::Add(add) => {
            let draft = add.draft()?;
            local::within(global, async |ctx| {
                let task = queue::give(ctx, draft, None).await.map_err(ApiError::from)?;
                if global.json {
                    out::json(&task);
                } else {
                    out::line(task.id);
                    out::note("a server that works on this database gives it to an agent once it is its turn");
                }
                Ok(())
            })
            .await
        }
        Command::Show { id } => {
            local::within(global, async |ctx| {
                out::json(&queue::get(ctx, id).await.map_err(ApiError::from)?);
                Ok(())
            })
            .await
        }
        Command::Cancel { id } => {
            local::within(global, async |ctx| {
                let task = assign::cancel(ctx, id).await.map_err(ApiError::from)?;
                if global.json {
                    out::json(&task);
                } else {
                    out::note(format_args!("cancelled {}", task.id));
                }
                Ok(())
            })
            .await
        }
    }
}

impl Add {
    fn draft(self) -> Result<TaskDraft, Failure> {
        let prompt = if self.prompt == "-" { file::read_text("-")? } else { self.prompt };
        Ok(TaskDraft {
            prompt,
            expertise: self.expertise,
            among: self.among,
            priority: self.priority,
            topic: self.topic,
            repository: self.repository,
            after: self.after,
        })
    }
}

async fn list(global: &Global, ctx: &Ctx, page: &PageRequest) -> Result<(), Failure> {
    let page = queue::list(ctx, None, page).await.map_err(ApiError::from)?;
    if global.json {
        page.items.iter().for_each(out::json);
        out::more(page.next.as_deref());
        return Ok(());
    }
    if page.items.is_empty() {
        out::note("no tasks");
        return Ok(());
    }
    let row = |task: &QueuedTask| {
        let line = task.task.prompt.lines().next().unwrap_or_default();
        let agent = task.agent_name.clone().unwrap_or_default();
        let prompt: String = line.chars().take(SHOWN).collect();
        let level = task.task.level().to_string();
        vec![task.id.to_string(), task.status.as_str().to_owned(), level, agent, prompt, task.reason.clone()]
    };
    let columns = [
        Column::left("Id"),
        Column::left("Status"),
        Column::right("Priority"),
        Column::left("Agent"),
        Column::left("Task"),
        Column::left("Why"),
    ];
    let rows = page.items.iter().map(row).collect();
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    out::more(page.next.as_deref());
    Ok(())
}
