//! `weft memory backup`: copies of namespaces that are written by themselves, and how they come back.

use super::table::{Column, Paint, table};
use super::{Failure, file, out};
use crate::memory;
use crate::model::BackupId;
use crate::model::gateway::Credential;
use crate::model::memory::{
    Backup, BackupDraft, BackupOutcome, BackupRestore, BackupSchedule, BackupTarget, RestoreReport,
};
use crate::runtime::Ctx;

/// What is done with backups.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Commands {
    /// Copies of namespaces that are written by themselves.
    #[command(subcommand)]
    Backup(Of),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Of {
    /// List the backups, with their last outcome and their copies.
    List,
    /// Make a backup, switched on.
    Add(Box<Add>),
    /// Write a copy now and wait for it.
    Run {
        /// The backup's id.
        id: uuid::Uuid,
    },
    /// Bring a copy back: entries that say something else get a new version.
    Restore {
        /// The backup's id.
        id: uuid::Uuid,
        /// The copy's name [default: the newest]
        copy: Option<String>,
        /// Say what would come of it, and change nothing.
        #[arg(long)]
        preview: bool,
    },
    /// Remove a backup; its copies stay where they are.
    Delete {
        /// The backup's id.
        id: uuid::Uuid,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// This namespace and all below it; "" means all.
    namespace: String,
    /// A folder below backup_dir and the workspace's own there; "" means that one.
    #[arg(long, value_name = "PATH", conflicts_with = "store", required_unless_present = "store")]
    folder: Option<String>,
    /// The address of a store that speaks S3, such as https://s3.eu-central-1.amazonaws.com.
    #[arg(long, value_name = "URL", requires_all = ["bucket", "access_key", "secret_key_file"])]
    store: Option<String>,
    /// The bucket.
    #[arg(long, value_name = "NAME", requires = "store")]
    bucket: Option<String>,
    /// What stands before the names of copies in the bucket.
    #[arg(long, value_name = "PATH", requires = "store", default_value = "")]
    prefix: String,
    /// The store's region.
    #[arg(long, value_name = "NAME", requires = "store", default_value = "us-east-1")]
    region: String,
    /// The id of the key that signs.
    #[arg(long, value_name = "ID", requires = "store")]
    access_key: Option<String>,
    /// A file with the secret of that key; - is standard input.
    #[arg(long, value_name = "FILE", requires = "store")]
    secret_key_file: Option<String>,
    /// Every so many hours.
    #[arg(long, value_name = "N", conflicts_with = "cron", required_unless_present = "cron")]
    every_hours: Option<u32>,
    /// At the moments of an expression such as "30 2 * * *".
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// The zone in which they are read.
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "cron")]
    timezone: String,
    /// How many copies are kept, 1 to 365.
    #[arg(long, value_name = "N", default_value_t = 7)]
    keep: u32,
}

impl Add {
    fn draft(self) -> Result<BackupDraft, Failure> {
        let secret_key = match &self.secret_key_file {
            Some(path) => Some(Credential(file::read_text(path)?.trim().to_owned())),
            None => None,
        };
        let target = match self.store {
            Some(endpoint) => BackupTarget::S3 {
                endpoint,
                region: self.region,
                bucket: self.bucket.unwrap_or_default(),
                prefix: self.prefix,
                access_key_id: self.access_key.unwrap_or_default(),
            },
            None => BackupTarget::Folder { path: self.folder.unwrap_or_default() },
        };
        let schedule = match self.cron {
            Some(cron) => BackupSchedule::Cron { cron, timezone: self.timezone },
            None => BackupSchedule::Every { hours: self.every_hours.unwrap_or_default() },
        };
        Ok(BackupDraft { namespace: self.namespace, target, schedule, keep: self.keep, enabled: true, secret_key })
    }
}

impl Commands {
    pub async fn run(self, ctx: &Ctx, json: bool) -> Result<(), Failure> {
        let Self::Backup(of) = self;
        match of {
            Of::List => list(ctx, json).await,
            Of::Add(add) => {
                let backup = memory::save_backup(ctx, None, add.draft()?).await?;
                if json {
                    out::json(&backup);
                } else {
                    let (when, to) = (backup.spec.schedule.phrase(), backup.spec.target.phrase());
                    out::line(format_args!("{} is made {when}, to {to}", backup.id));
                }
                Ok(())
            }
            Of::Run { id } => run(ctx, json, BackupId(id)).await,
            Of::Restore { id, copy, preview } => restore(ctx, json, BackupId(id), (copy, preview)).await,
            Of::Delete { id } => {
                memory::delete_backup(ctx, BackupId(id)).await?;
                if json {
                    out::json(&serde_json::json!({"id": id, "deleted": true}));
                } else {
                    out::line(format_args!("{id} is removed; its copies stay where they are"));
                }
                Ok(())
            }
        }
    }
}

async fn list(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let all = memory::list_backups(ctx).await?;
    if json {
        all.iter().for_each(out::json);
        return Ok(());
    }
    if all.is_empty() {
        out::note("no backups");
        return Ok(());
    }
    let row = |backup: &Backup| {
        let Backup { id, spec, next_at, copies, runs, .. } = backup;
        let of = if spec.namespace.is_empty() { "everything" } else { &spec.namespace };
        let last = runs.first().map_or_else(String::new, |run| match run.outcome {
            BackupOutcome::Done => format!("{} entries at {}", run.entries, run.at),
            BackupOutcome::Nothing => format!("nothing to copy at {}", run.at),
            BackupOutcome::Failed => format!("failed at {}: {}", run.at, run.reason),
        });
        let next = next_at.filter(|_| spec.enabled).map_or_else(|| "off".to_owned(), |at| at.to_string());
        vec![id.to_string(), of.to_owned(), spec.target.phrase(), next, copies.len().to_string(), last]
    };
    let columns = [
        Column::left("Id"),
        Column::left("Of"),
        Column::left("To"),
        Column::left("Next"),
        Column::right("Copies"),
        Column::left("Last"),
    ];
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    Ok(())
}

async fn run(ctx: &Ctx, json: bool, id: BackupId) -> Result<(), Failure> {
    let run = memory::run_backup(ctx, id).await?;
    if json {
        out::json(&run);
    }
    match run.outcome {
        BackupOutcome::Failed => return Err(Failure::failed(run.reason)),
        BackupOutcome::Done if !json => out::line(format_args!("wrote {} entries, {} bytes", run.entries, run.bytes)),
        BackupOutcome::Nothing if !json => out::note("there is nothing to copy"),
        BackupOutcome::Done | BackupOutcome::Nothing => {}
    }
    if !json && !run.reason.is_empty() {
        out::note(run.reason);
    }
    Ok(())
}

async fn restore(ctx: &Ctx, json: bool, id: BackupId, (copy, preview): (Option<String>, bool)) -> Result<(), Failure> {
    let copy = match copy {
        Some(copy) => copy,
        None => {
            let all = memory::list_backups(ctx).await?;
            let newest =
                all.into_iter().find(|backup| backup.id == id).and_then(|backup| backup.copies.into_iter().next());
            newest.map(|copy| copy.name).ok_or(memory::Error::NoBackup("copy"))?
        }
    };
    let report = memory::restore_backup(ctx, id, &BackupRestore { copy, preview }).await?;
    if json {
        out::json(&report);
        return Ok(());
    }
    let RestoreReport { new, updated, unchanged, refused, more_refused } = report;
    let would = if preview { "would be " } else { "" };
    out::line(format_args!("{new} {would}new, {updated} {would}changed, {unchanged} as they are"));
    for line in &refused {
        out::note(line);
    }
    if more_refused > 0 {
        out::note(format_args!("{more_refused} more lines were left out"));
    }
    Ok(())
}
