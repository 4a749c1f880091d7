//! Backups of the memory by themselves: of which namespaces, to where, when, how many are kept, and what came of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::gateway::Credential;
use crate::model::{BackupId, FieldError, Timestamp};

/// Backups of a workspace.
pub const MAX_BACKUPS: usize = 20;
/// Copies that a backup keeps at most.
pub const MAX_BACKUP_KEEP: u32 = 365;
/// What came of a backup the last times, as far as it is kept.
pub const KEPT_BACKUP_RUNS: i64 = 50;
/// Lines of a copy that did not fit and are named.
pub const MAX_RESTORE_NAMED: usize = 200;
/// The longest path or prefix, in bytes.
const MAX_PATH: usize = 200;

/// A backup as somebody writes it. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupDraft {
    /// The entries of this namespace and all below it; empty: the whole memory.
    pub namespace: String,
    /// Where copies are written.
    pub target: BackupTarget,
    /// When.
    pub schedule: BackupSchedule,
    /// How many copies are kept, 1..=365. Older ones are removed once a newer one is whole.
    #[serde(default = "week")]
    pub keep: u32,
    /// Whether it does anything by itself.
    #[serde(default)]
    pub enabled: bool,
    /// The secret access key of an object store. It is kept encrypted and never shown; absent, the one that is kept stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<Credential>,
}

const fn week() -> u32 {
    7
}

/// Where copies are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum BackupTarget {
    /// A folder of the server, below the one that its operator has set for backups (`backup_dir`) and a folder of the workspace there.
    Folder {
        /// `/`-path of letters, digits, `.`, `-` and `_`, at most 200 bytes; empty: the workspace's folder itself.
        path: String,
    },
    /// A bucket of a store that speaks S3.
    S3 {
        /// The store's address, such as `https://s3.eu-central-1.amazonaws.com`, without a path: the bucket is named in the path of each request.
        endpoint: String,
        /// The region that signatures name, such as `eu-central-1`; for stores without regions mostly `us-east-1`.
        region: String,
        /// The bucket.
        bucket: String,
        /// What stands before the names of copies: a `/`-path as of a folder.
        #[serde(default)]
        prefix: String,
        /// Which key signs.
        access_key_id: String,
    },
}

/// When a backup is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum BackupSchedule {
    /// Every so many hours.
    Every {
        /// 1..=720.
        hours: u32,
    },
    /// At the moments of a cron expression.
    Cron {
        /// Minute, hour, day, month, weekday, as of a trigger.
        cron: String,
        /// The IANA zone in which they are read, such as `Europe/Berlin`.
        timezone: String,
    },
}

impl BackupSchedule {
    /// In words: "every 24 hours", "at 30 2 * * * (Europe/Berlin)".
    pub fn phrase(&self) -> String {
        match self {
            Self::Every { hours: 1 } => "every hour".to_owned(),
            Self::Every { hours } => format!("every {hours} hours"),
            Self::Cron { cron, timezone } => format!("at {cron} ({timezone})"),
        }
    }
}

impl BackupTarget {
    /// Where, in words, without anything secret.
    pub fn phrase(&self) -> String {
        match self {
            Self::Folder { path } if path.is_empty() => "the workspace's backup folder".to_owned(),
            Self::Folder { path } => format!("the folder {path}"),
            Self::S3 { endpoint, bucket, prefix, .. } => {
                format!("{} at {endpoint}", [bucket.as_str(), prefix].join("/").trim_end_matches('/'))
            }
        }
    }

    /// Whether a secret key is needed.
    pub const fn needs_secret(&self) -> bool {
        matches!(self, Self::S3 { .. })
    }

    fn check(&self, mut refuse: impl FnMut(&str, String)) {
        match self {
            Self::Folder { path } => {
                if !is_path(path) {
                    refuse("/target/path", path_expected());
                }
            }
            Self::S3 { endpoint, region, bucket, prefix, access_key_id } => {
                let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
                let is_host = |rest: &str| {
                    !rest.is_empty()
                        && rest.len() <= 260
                        && !rest.contains(['/', '?', '#', '@', '\\'])
                        && is_visible(rest)
                };
                if !rest.is_some_and(is_host) {
                    let expected = "expected http:// or https:// and a host, perhaps with a port, and no path";
                    refuse("/target/endpoint", expected.to_owned());
                }
                let is_name = |text: &str, least: usize, most: usize| {
                    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
                    (least..=most).contains(&text.len()) && text.bytes().all(fits) && !text.contains("..")
                };
                if !is_name(region, 1, 64) {
                    refuse("/target/region", "expected a region such as eu-central-1".to_owned());
                }
                let begins = |text: &str| text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
                if !is_name(bucket, 3, 63) || !begins(bucket) {
                    let expected =
                        "expected 3 to 63 lower-case letters, digits, '-' or '.', the first a letter or digit";
                    refuse("/target/bucket", expected.to_owned());
                }
                if !is_path(prefix) {
                    refuse("/target/prefix", path_expected());
                }
                let fits = |text: &str| is_visible(text) && !text.contains(['/', ',', '=']);
                if access_key_id.is_empty() || access_key_id.len() > 128 || !fits(access_key_id) {
                    refuse("/target/access_key_id", "expected 1 to 128 visible characters".to_owned());
                }
            }
        }
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

fn path_expected() -> String {
    format!(
        "expected names with / between, of letters, digits, '.', '-' and '_', none beginning with a dot; at most {MAX_PATH} bytes"
    )
}

/// Whether a path leads down and nowhere else; the empty one leads nowhere.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(fits)
    };
    path.is_empty() || (path.len() <= MAX_PATH && path.split('/').all(is_name))
}

impl BackupDraft {
    /// What does not fit, but for the namespace, the cron expression and its zone.
    pub fn check(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, expected: String| wrong.push(FieldError::new(field, expected));
        self.target.check(&mut refuse);
        if let BackupSchedule::Every { hours } = self.schedule
            && !(1..=720).contains(&hours)
        {
            refuse("/schedule/hours", "expected 1 to 720 hours".to_owned());
        }
        if !(1..=MAX_BACKUP_KEEP).contains(&self.keep) {
            refuse("/keep", format!("expected 1 to {MAX_BACKUP_KEEP} copies"));
        }
        if let Some(Credential(secret)) = &self.secret_key {
            if !self.target.needs_secret() {
                refuse("/secret_key", "expected none: a folder needs no key".to_owned());
            } else if secret.is_empty() || secret.len() > 256 || !is_visible(secret) {
                refuse("/secret_key", "expected 1 to 256 visible characters".to_owned());
            }
        }
        wrong
    }
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Which one.
    pub id: BackupId,
    /// What it says, without its secret key.
    pub spec: BackupDraft,
    /// Who wrote it last: it reads what they may read, with the role that they have then. Absent: the program itself.
    pub made_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the next copy is made, if it is switched on; absent when its expression has no further moment.
    pub next_at: Option<Timestamp>,
    /// The copies that are kept, the newest first.
    pub copies: Vec<BackupCopy>,
    /// What came of it, the last first; at most 10 of the 50 that are kept.
    pub runs: Vec<BackupRun>,
}

/// A copy that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupCopy {
    /// How its files begin: `NAME-1.jsonl`, `NAME-2.jsonl` and so on.
    pub name: String,
    /// When it was begun.
    pub at: Timestamp,
    /// How many entries are in it.
    pub entries: i64,
    /// How large it is.
    pub bytes: i64,
    /// How many files it has.
    pub parts: i32,
}

/// What came of a backup at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupRun {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: BackupOutcome,
    /// How many entries were written.
    pub entries: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Entries that can't be decrypted and are not in the copy.
    pub left_out: u64,
    /// Old copies that were removed.
    pub removed: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What went wrong, in words; empty when nothing did.
    pub reason: String,
}

/// How a backup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupOutcome {
    /// A copy was written.
    Done,
    /// There was no entry; the copies before stay.
    Nothing,
    /// No copy was written; the copies before stay.
    Failed,
}

/// Which copy comes back. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRestore {
    /// The copy's name.
    pub copy: String,
    /// Says what would come of it, and writes nothing.
    #[serde(default)]
    pub preview: bool,
}

/// What came of a copy, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct RestoreReport {
    /// Entries that were not there.
    pub new: u64,
    /// Entries that said something else, and got a new version.
    pub updated: u64,
    /// Entries that are so already.
    pub unchanged: u64,
    /// Lines that were left out, with why; the first 200.
    pub refused: Vec<String>,
    /// How many more were left out.
    pub more_refused: u64,
}

impl RestoreReport {
    /// Notes a line that was left out.
    pub fn refuse(&mut self, line: String) {
        if self.refused.len() < MAX_RESTORE_NAMED {
            self.refused.push(line);
        } else {
            self.more_refused += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(target: serde_json::Value) -> BackupDraft {
        serde_json::from_value(
            json!({"namespace": "code", "target": target, "schedule": {"kind": "every", "hours": 24}}),
        )
        .expect("it is one")
    }

    fn s3(change: (&str, &str)) -> BackupDraft {
        let mut target = json!({"kind": "s3", "endpoint": "https://s3.example.com:9000", "region": "eu-central-1",
            "bucket": "team-memory", "prefix": "weft/daily", "access_key_id": "AKIDEXAMPLE"});
        target[change.0] = json!(change.1);
        draft(target)
    }

    fn pointers(draft: &BackupDraft) -> Vec<String> {
        draft.check().into_iter().map(|field| field.pointer).collect()
    }

    #[test]
    fn no_path_leads_out_of_its_folder() {
        for fits in ["", "daily", "team/2026.daily", "a/b-c_d"] {
            assert_eq!(draft(json!({"kind": "folder", "path": fits})).check(), [], "{fits}");
        }
        for wrong in ["/", "/etc", "..", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "ä", "a\\b", "a\0"] {
            assert_eq!(pointers(&draft(json!({"kind": "folder", "path": wrong}))), ["/target/path"], "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_a_store_is_named() {
        assert_eq!(s3(("region", "us-east-1")).check(), []);
        for (field, wrong) in [
            ("endpoint", "s3.example.com"),
            ("endpoint", "https://s3.example.com/bucket"),
            ("endpoint", "https://ada:secret@s3.example.com"),
            ("region", ""),
            ("bucket", "Team"),
            ("bucket", "a..b"),
            ("prefix", "../up"),
            ("access_key_id", "a/b"),
        ] {
            assert_eq!(pointers(&s3((field, wrong))), [format!("/target/{field}")], "{wrong}");
        }
        let with_key = BackupDraft { secret_key: Some(Credential("two words".to_owned())), ..s3(("prefix", "")) };
        assert_eq!(pointers(&with_key), ["/secret_key"]);
        let folder = draft(json!({"kind": "folder", "path": ""}));
        assert_eq!((folder.keep, folder.enabled), (7, false));
        let wrong = BackupDraft {
            keep: 0,
            schedule: BackupSchedule::Every { hours: 0 },
            secret_key: Some(Credential("key".to_owned())),
            ..folder
        };
        assert_eq!(pointers(&wrong), ["/schedule/hours", "/keep", "/secret_key"]);
    }

    #[test]
    fn a_backup_is_told_in_words_without_its_key() {
        let draft = BackupDraft { secret_key: Some(Credential("hush".to_owned())), ..s3(("prefix", "")) };
        assert_eq!(draft.target.phrase(), "team-memory at https://s3.example.com:9000");
        assert!(!format!("{draft:?}").contains("hush"));
        let cron = BackupSchedule::Cron { cron: "30 2 * * *".to_owned(), timezone: "Europe/Berlin".to_owned() };
        assert_eq!(cron.phrase(), "at 30 2 * * * (Europe/Berlin)");
    }
}
