//! Where copies go: one file at a time, whole or not at all.

use super::folder::Folder;
use super::object::Store;
use crate::memory::Error;
use crate::memory::store::BackupRow;
use crate::model::memory::BackupTarget;
use crate::runtime::Ctx;

/// A place that can be written to now.
#[derive(Debug)]
pub(super) enum Target {
    Folder(Folder),
    Store(Store),
}

impl Target {
    /// The place that a backup names.
    ///
    /// # Errors
    /// [`Error::Backup`]: the operator has set no folder, or the key can't be decrypted.
    pub fn of(ctx: &Ctx, row: &BackupRow) -> Result<Self, Error> {
        match &row.spec.target {
            BackupTarget::Folder { path } => {
                let unset = "this server's operator has set no folder for backups (backup_dir)";
                let root = ctx.config.backup_dir.clone().ok_or_else(|| Error::Backup(unset.to_owned()))?;
                Ok(Self::Folder(Folder::of(root, row.workspace_id, path)))
            }
            BackupTarget::S3 { endpoint, region, bucket, prefix, access_key_id } => {
                let place = super::secret_place(row.id);
                let clear = row.sealed.as_ref().and_then(|sealed| ctx.keys.unseal(&place, sealed));
                let secret = clear.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
                    let why = "the secret key can't be decrypted: it was kept under another master key; save it again";
                    Error::Backup(why.to_owned())
                })?;
                Ok(Self::Store(Store::of((endpoint, region), (bucket, prefix), (access_key_id, &secret))?))
            }
        }
    }

    /// Writes a file in place of one of this name.
    ///
    /// # Errors
    /// [`Error::Backup`], in words for people; nothing under this name has changed then, or all of it is there.
    pub async fn put(&self, ctx: &Ctx, name: &str, content: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.put(ctx, name, content).await,
            Self::Store(store) => store.put(ctx, name, content).await,
        }
    }

    /// Reads a file, at most `most` bytes.
    ///
    /// # Errors
    /// [`Error::Backup`], also when it is not there.
    pub async fn get(&self, ctx: &Ctx, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        match self {
            Self::Folder(folder) => folder.get(ctx, name, most).await,
            Self::Store(store) => store.get(ctx, name, most).await,
        }
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// [`Error::Backup`].
    pub async fn remove(&self, ctx: &Ctx, name: &str) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.remove(ctx, name).await,
            Self::Store(store) => store.remove(ctx, name).await,
        }
    }
}
