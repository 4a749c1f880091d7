//! Who shapes what runs do, so that what a run does with memory reaches no further than each of them.
//!
//! It is noted before the deed, and also where nobody has said yet who may read what: rules that are made later hold for runs that go on.

use super::{Error, store};
use crate::model::{RunId, UserId};
use crate::runtime::Ctx;

/// Notes that whoever asks has a hand in a run from now on. The program itself has none.
pub(super) async fn note(ctx: &Ctx, run: RunId) -> Result<(), Error> {
    note_all(ctx, run, ctx.actor.principal.acts_for().into_iter().collect()).await
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
