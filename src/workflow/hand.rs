//! Who shapes what runs do, so that what a run does with memory reaches no further than each of them.
//!
//! It is noted before the deed, and also where nobody has said yet who may read what: rules that are made later hold for runs that go on.

use super::{Error, runs, store};
use crate::memory;
use crate::model::{RunId, UserId};
use crate::runtime::Ctx;

/// Notes that whoever asks has a hand in a run from now on. The program itself has none.
pub(super) async fn note(ctx: &Ctx, run: RunId) -> Result<(), Error> {
    note_all(ctx, run, ctx.actor.principal.acts_for().into_iter().collect()).await
}

/// Notes that whoever published the version that a run was started of has a hand in it, and so in the run that waits for what comes of it.
/// Where nobody has said who may read what, nothing is read.
pub(super) async fn note_publisher(ctx: &Ctx, run: RunId) -> Result<(), Error> {
    if !memory::is_governed(ctx).await.map_err(|error| Error::Other(error.into()))? {
        return Ok(());
    }
    let (called, _) = runs::find(ctx, run).await?;
    let Some(of) = called.workflow_id.zip(called.version) else { return Ok(()) };
    let by = store::hand::find_publisher(&ctx.db, ctx.workspace(), of).await?;
    note_all(ctx, run, by.into_iter().collect()).await
}

/// Notes that these people have a hand in a run from now on.
pub(super) async fn note_all(ctx: &Ctx, run: RunId, users: Vec<UserId>) -> Result<(), Error> {
    if users.is_empty() {
        return Ok(());
    }
    let mut tx = ctx.db.begin().await?;
    for user in users {
        store::hand::note(&mut tx, ctx.workspace(), run, user).await?;
    }
    tx.commit().await?;
    Ok(())
}
