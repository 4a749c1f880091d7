//! `weft memory namespaces|describe|keep`: where entries stand, what is said of these places, and how long what stands there is kept;
//! `access` and `allow` stand in `access`.

use super::table::{Column, Paint, table};
use super::{Failure, out};
use crate::memory;
use crate::model::memory::{KeptFrom, Namespace, NamespaceDescription, Retention};
use crate::runtime::Ctx;

/// What is asked of namespaces, or said.
#[derive(Debug, clap::Subcommand)]
pub(super) enum OfNamespaces {
    /// List the namespaces, with how much is in each and what it is for.
    Namespaces,
    /// Say what a namespace is for; "" takes that back.
    Describe {
        /// A path such as code/decisions.
        namespace: String,
        /// At most 500 characters.
        text: String,
    },
    /// Say how long the entries of a namespace and all below it are kept.
    Keep(Keep),
}

/// How long entries are kept.
#[derive(Debug, clap::Args)]
pub(super) struct Keep {
    /// A path such as code/decisions.
    namespace: String,
    /// 1 to 3650 days; without them the namespace's own rule is removed.
    days: Option<u32>,
    /// What the days are counted from.
    #[arg(long, value_enum, default_value_t, requires = "days")]
    from: Counted,
    /// Say what would be removed now, and change nothing.
    #[arg(long, requires = "days")]
    preview: bool,
}

/// What days are counted from.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Counted {
    /// The first version of an entry.
    Created,
    /// Its last change.
    #[default]
    Changed,
    /// When somebody last read or changed it.
    Read,
}

impl Counted {
    const fn word(self) -> KeptFrom {
        match self {
            Self::Created => KeptFrom::Created,
            Self::Changed => KeptFrom::Changed,
            Self::Read => KeptFrom::Read,
        }
    }
}

impl OfNamespaces {
    pub async fn run(self, ctx: &Ctx, json: bool) -> Result<(), Failure> {
        match self {
            Self::Namespaces => list(ctx, json).await,
            Self::Describe { namespace, text } => describe(ctx, json, &namespace, text).await,
            Self::Keep(asked) => keep(ctx, json, &asked).await,
        }
    }
}

async fn list(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let all = memory::namespaces(ctx).await?;
    if json {
        all.iter().for_each(out::json);
        return Ok(());
    }
    let row = |namespace: &Namespace| {
        let about = namespace.description.clone().unwrap_or_default().replace(char::is_whitespace, " ");
        let kept = namespace.retention.as_ref().map(|rule| rule.retention().phrase()).unwrap_or_default();
        vec![namespace.path.clone(), namespace.entries.to_string(), kept, about]
    };
    let columns = [Column::left("Namespace"), Column::right("Entries"), Column::left("Kept"), Column::left("For")];
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    if rows.is_empty() {
        out::note("no namespaces");
    } else {
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    Ok(())
}

async fn describe(ctx: &Ctx, json: bool, namespace: &str, description: String) -> Result<(), Failure> {
    let told = memory::describe(ctx, namespace, &NamespaceDescription { description }).await?;
    if json {
        out::json(&told);
    } else {
        let about = told.description.as_deref().unwrap_or("nobody has said what it is for");
        out::line(format_args!("{}: {about}", told.path));
    }
    Ok(())
}

async fn keep(ctx: &Ctx, json: bool, asked: &Keep) -> Result<(), Failure> {
    let Keep { namespace, days, from, preview } = asked;
    let Some(days) = *days else {
        memory::keep_for_ever(ctx, namespace).await?;
        if json {
            out::json(&serde_json::json!({"namespace": namespace, "retention": null}));
        } else {
            out::line(format_args!("{namespace} has no rule of its own any more"));
        }
        return Ok(());
    };
    let retention = Retention { days, from: from.word() };
    if *preview {
        let would = memory::preview_retention(ctx, namespace, retention).await?;
        if json {
            out::json(&would);
        } else {
            out::line(format_args!("it would remove {} entries now", would.removes));
            for name in &would.first {
                out::note(format_args!("{}/{}", name.namespace, name.key));
            }
        }
        return Ok(());
    }
    let rule = memory::keep_for(ctx, namespace, retention).await?;
    if json {
        out::json(&rule);
    } else {
        out::line(format_args!("entries of {namespace} are kept {}", retention.phrase()));
    }
    Ok(())
}
