//! Webhooks as this process remembers them: the trigger, its secrets decrypted, the version that it starts.
//!
//! Nothing is done by it alone. A call that it would refuse is judged anew by the tables, and the transaction that starts a
//! run asks whether what was gone by is still so (`workflow::Occasion`): what another process changed is seen at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::error::Result;
use super::store::key::{self, KeyRow};
use super::store::trigger::TriggerRow;
use super::{manage, store};
use crate::model::trigger::{Config, KeyKind};
use crate::model::{Timestamp, TriggerKeyId};
use crate::runtime::Runtime;

/// Webhooks that are remembered.
const MOST: usize = 4096;

/// A webhook, by one of its tokens.
#[derive(Debug)]
pub(super) struct Door {
    /// The trigger.
    pub trigger: TriggerRow,
    /// The token's id.
    pub token: TriggerKeyId,
    /// When the token ends.
    expires_at: Option<Timestamp>,
    /// Those that could be decrypted; one that was sealed under another master key fits nothing.
    pub secrets: Vec<OpenSecret>,
    /// The version that it starts; `None` while the workflow has none.
    pub version: Option<i64>,
}

/// A secret, decrypted.
pub(super) struct OpenSecret {
    /// Its id.
    pub id: TriggerKeyId,
    /// The secret.
    pub bytes: Vec<u8>,
    expires_at: Option<Timestamp>,
}

impl fmt::Debug for OpenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

fn is_over(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= now)
}

impl Door {
    /// The secrets that are live.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &OpenSecret> {
        self.secrets.iter().filter(move |secret| !is_over(secret.expires_at, now))
    }
}

/// The webhooks that were called, by the digest of the token.
#[derive(Debug, Default)]
pub(super) struct Doors(Mutex<HashMap<Vec<u8>, Arc<Door>>>);

impl Doors {
    /// What is remembered.
    pub fn find(&self, digest: &[u8], now: Timestamp) -> Option<Arc<Door>> {
        let doors = self.0.lock().expect("no code panics while it holds this lock");
        doors.get(digest).filter(|door| !is_over(door.expires_at, now)).cloned()
    }

    /// What the tables say, which is remembered from then on. `None` when the token opens nothing.
    pub async fn open(&self, runtime: &Runtime, digest: Vec<u8>, now: Timestamp) -> Result<Option<Arc<Door>>> {
        let Some(found) = key::find_by_digest(&runtime.db, &digest, now).await? else {
            self.0.lock().expect("no code panics while it holds this lock").remove(&digest);
            return Ok(None);
        };
        let (trigger, token, expires_at) = (found.trigger, found.token, found.expires_at);
        let is_signed = matches!(trigger.config.0, Config::Webhook { signed: true, .. });
        let secrets = if is_signed { secrets(runtime, &trigger, now).await? } else { Vec::new() };
        let door = Arc::new(Door { trigger, token, expires_at, secrets, version: found.published_version });
        let mut doors = self.0.lock().expect("no code panics while it holds this lock");
        if doors.len() >= MOST {
            doors.clear();
        }
        doors.insert(digest, Arc::clone(&door));
        Ok(Some(door))
    }
}

async fn secrets(runtime: &Runtime, trigger: &TriggerRow, now: Timestamp) -> Result<Vec<OpenSecret>> {
    let keys = store::key::list(&runtime.db, trigger.workspace_id, trigger.id..=trigger.id, now).await?;
    let open = |key: KeyRow| {
        let bytes = runtime.keys.unseal(&manage::place(key.id), key.sealed.as_deref()?)?;
        Some(OpenSecret { id: key.id, bytes, expires_at: key.expires_at })
    };
    Ok(keys.into_iter().filter(|key| key.kind == KeyKind::Secret.as_str()).filter_map(open).collect())
}
