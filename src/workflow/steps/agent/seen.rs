//! What the agent saw of files that others reach too, so that nothing that others wrote since is lost unawares.

use std::path::{Path, PathBuf};

use super::work::{Call, Work};
use super::{leases, place};
use crate::model::agent::{OnConflict, SeenFile};
use crate::workflow::steps::StepCall;

/// Files that are kept as they were seen, for changes to be put together.
const MAX_KEPT: usize = 200;

/// A file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// Its content.
    Text(String),
    /// It is too large to be looked at whole.
    TooLarge,
    /// There is none.
    Missing,
}

impl Now {
    /// What tells it from what it was before.
    fn hash(&self) -> String {
        match self {
            Self::Text(text) => hash(text),
            Self::TooLarge => "too large".to_owned(),
            Self::Missing => "missing".to_owned(),
        }
    }
}

/// Somebody else changed a file since the agent saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The file as it is now.
    pub now: SeenFile,
    /// The hash of what the agent saw.
    pub seen: String,
}

impl Conflict {
    /// Why nothing was written, for the model.
    pub fn words(&self) -> String {
        format!(
            "{} was changed by somebody else since you read it; nothing was written. Read it again, and make your change to what \
             is there now.",
            self.now.path
        )
    }
}

/// Whether somebody else changed a file since the agent saw it, and nobody agreed to have just that written over.
pub fn judge(work: &Work, call: &Call, path: &str, now: &Now) -> Option<Conflict> {
    let path = clean(path);
    let (seen, hash) = (work.seen.get(&path)?.clone(), now.hash());
    let now = SeenFile { path, hash };
    let is_agreed = call.has_consent && call.conflict.as_ref() == Some(&now);
    (seen != now.hash && !is_agreed).then_some(Conflict { now, seen })
}

/// Notes what a file is, and keeps it where changes may have to be put together.
pub async fn keep(step: &StepCall, work: &Work, path: &str, text: &str) -> SeenFile {
    let hash = hash(text);
    if work.spec.on_conflict == OnConflict::Merge && leases::has_shared_folder(work) {
        let (folder, name, text) = (folder(step), name_of(path), text.to_owned());
        // Without it the changes are not put together, and that is said.
        let _ = step.ctx.tasks.blocking(move || write(&folder, &name, &text)).await;
    }
    SeenFile { path: clean(path), hash }
}

/// What a file was when it had this hash, if that was kept.
pub async fn find(step: &StepCall, path: &str, hash: &str) -> Option<String> {
    let path = folder(step).join(name_of(path));
    let text = step.ctx.tasks.blocking(move || std::fs::read_to_string(path)).await.ok()?.ok()?;
    (self::hash(&text) == hash).then_some(text)
}

/// Beside the agent's folder, where no tool of its reaches; it goes with what the work has to itself.
fn folder(step: &StepCall) -> PathBuf {
    place::own_folder(step).join("seen")
}

fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(name);
    if path.exists() || std::fs::read_dir(folder)?.count() < MAX_KEPT {
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Under what a file is kept: as it was seen last.
fn name_of(path: &str) -> String {
    blake3::hash(clean(path).as_bytes()).to_hex().to_string()
}

/// A text's hash, as commands give it back.
fn hash(text: &str) -> String {
    blake3::hash(text.replace('\0', "\u{fffd}").as_bytes()).to_hex().to_string()
}

/// A path without `.` and slashes too many: the same file has the same.
fn clean(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}
