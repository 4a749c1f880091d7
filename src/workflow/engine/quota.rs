//! Which workspaces limit how many of their runs may be in progress: whoever starts a run asks whether it has to be let in.
//!
//! What is known here decides only whether a run takes its place among those in progress; how many there may be is read by
//! whoever lets one in, under the workspace's gate. What changes in this process is known at once, in others with a hint,
//! or with the next look.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Engine;
use crate::db;
use crate::model::{Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::store::flow::quota;

/// How long what was read is good.
const FRESH_MS: i64 = 2_000;

/// What is known of the workspaces.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    /// Whether any workspace was ever seen with a limit: most servers have none, and ask no further.
    any: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    read_at: Option<Timestamp>,
    /// Goes up with what is said here: a read that began before is older.
    turn: u64,
    limited: HashSet<WorkspaceId>,
    /// Those that ever were since this process began: their runs may still have places.
    ever: HashSet<WorkspaceId>,
}

impl Quotas {
    /// Whether a workspace is limited; `None` where that has to be read, and the turn in which that was asked.
    fn look(&self, workspace: WorkspaceId, now: Timestamp) -> (Option<bool>, u64) {
        let known = self.known.lock().expect("no code panics while it holds this lock");
        let is_fresh = known.read_at.is_some_and(|at| (0..=FRESH_MS).contains(&now.ms_since(at)));
        (is_fresh.then(|| known.limited.contains(&workspace)), known.turn)
    }

    /// Takes over what was read, unless something newer was said meanwhile.
    fn take(&self, limited: Vec<WorkspaceId>, turn: u64, now: Timestamp) {
        let mut known = self.known.lock().expect("no code panics while it holds this lock");
        known.ever.extend(&limited);
        if known.turn == turn {
            known.limited = limited.into_iter().collect();
            known.read_at = Some(now);
        }
        self.any.store(!known.ever.is_empty(), Ordering::Relaxed);
    }

    /// A workspace has set its limit.
    fn note(&self, workspace: WorkspaceId, is_limited: bool) {
        let mut known = self.known.lock().expect("no code panics while it holds this lock");
        known.turn += 1;
        if is_limited {
            known.limited.insert(workspace);
            known.ever.insert(workspace);
            self.any.store(true, Ordering::Relaxed);
        } else {
            known.limited.remove(&workspace);
        }
    }

    /// Whether runs of this workspace may have places because of its limit.
    pub(super) fn may_hold(&self, workspace: WorkspaceId) -> bool {
        self.any.load(Ordering::Relaxed)
            && self.known.lock().expect("no code panics while it holds this lock").ever.contains(&workspace)
    }
}

impl Engine {
    /// Whether the runs of a workspace have to be let in because of a limit of its own.
    pub(in crate::workflow) async fn is_limited(&self, runtime: &Runtime, workspace: WorkspaceId) -> db::Result<bool> {
        let now = runtime.clock.now();
        let (known, turn) = self.quotas.look(workspace, now);
        if let Some(known) = known {
            return Ok(known);
        }
        let limited = quota::list_limited(&runtime.db).await?;
        let is_limited = limited.contains(&workspace);
        self.quotas.take(limited, turn, now);
        Ok(is_limited)
    }

    /// A workspace is about to set its limit: from here on its runs are counted.
    pub(in crate::workflow) fn note_limit(&self, workspace: WorkspaceId, is_limited: bool) {
        self.quotas.note(workspace, is_limited);
    }

    /// It has: the other processes are told, and whoever may begin now does.
    pub(in crate::workflow) fn limit_changed(&self, workspace: WorkspaceId) {
        if self.node.has_others() {
            self.hints.add(super::hints::Hint::Quotas);
        }
        self.let_in(workspace);
    }
}

/// Reads which workspaces are limited: at the start, and when another process says that one has changed.
pub(super) async fn read(runtime: &Runtime, engine: &Engine) -> db::Result<()> {
    let turn = engine.quotas.known.lock().expect("no code panics while it holds this lock").turn;
    let now = runtime.clock.now();
    engine.quotas.take(quota::list_limited(&runtime.db).await?, turn, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> WorkspaceId {
        WorkspaceId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn what_was_read_is_good_for_a_while_and_what_is_said_here_at_once() {
        let (quotas, now) = (Quotas::default(), Timestamp(1_000_000));
        assert_eq!(quotas.look(id(1), now), (None, 0));
        quotas.take(vec![id(1)], 0, now);
        assert_eq!(quotas.look(id(1), now).0, Some(true));
        assert_eq!(quotas.look(id(2), now).0, Some(false));
        quotas.note(id(2), true);
        assert_eq!(quotas.look(id(2), now).0, Some(true));
        // What was asked before it was said is older than that.
        quotas.take(vec![id(1)], 0, now);
        assert_eq!(quotas.look(id(2), now).0, Some(true));
        quotas.note(id(1), false);
        assert_eq!(quotas.look(id(1), now).0, Some(false));
        assert!(quotas.may_hold(id(1)) && quotas.may_hold(id(2)) && !quotas.may_hold(id(3)));
        for later in [now.plus_ms(FRESH_MS + 1), now.plus_ms(-1)] {
            assert_eq!(quotas.look(id(1), later).0, None);
        }
    }
}
