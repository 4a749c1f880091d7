//! Folders of this machine that what people set up may use.

use super::{Setting, setting};

/// Where steps may work.
pub const ALLOW_PATHS: Setting = setting(
    "allow_paths",
    "WEFT_ALLOW_PATHS",
    "",
    "folders that steps may read and work in, separated by ':'; unset means any on a loopback address, none on a public one",
);

/// Where backups of the memory may be written.
pub const BACKUP_DIR: Setting = setting(
    "backup_dir",
    "WEFT_BACKUP_DIR",
    "",
    "folder below which backups of the memory may be written; it must be there. Unset means none: object stores alone",
);
