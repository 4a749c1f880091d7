//! Two runs side by side.

use super::fork::load;
use crate::model::RunId;
use crate::model::workflow::diff::{RunDiff, diff, first_inside};
use crate::model::workflow::{Event, Graph, RunDetail};
use crate::runtime::Ctx;
use crate::workflow::{Error, runs};

/// What differs between two runs, and where they first part: inside of a container down to the step in it, as far as both
/// histories have at most [`super::MAX_COPIED`] events. Of one workflow or of two.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn compare(ctx: &Ctx, a: RunId, b: RunId) -> Result<RunDiff, Error> {
    let (a, b) = (runs::get_run(ctx, a).await?, runs::get_run(ctx, b).await?);
    let compared = ctx.tasks.blocking(move || {
        let found = diff(&a, &b);
        (a, b, found)
    });
    let (a, b, mut found) = compared.await.map_err(|_| Error::Panicked("the comparison"))?;
    let Some(container) = found.first.as_ref().map(|first| first.step.clone()).filter(|id| is_container(&a, &b, id))
    else {
        return Ok(found);
    };
    let (Some(before), Some(after)) = (history(ctx, &a).await?, history(ctx, &b).await?) else { return Ok(found) };
    ctx.tasks
        .blocking(move || {
            let (old, new) = (Graph::new(a.definition), Graph::new(b.definition));
            let step = found.steps.iter().find(|step| step.id == container);
            if let Some(first) = step.and_then(|step| first_inside(step, (&old, &before), (&new, &after))) {
                found.first = Some(first);
            }
            found
        })
        .await
        .map_err(|_| Error::Panicked("the comparison"))
}

fn is_container(a: &RunDetail, b: &RunDetail, id: &str) -> bool {
    [a, b].iter().all(|run| run.definition.step(id).is_some_and(|step| step.body.is_some()))
}

/// The history of a run, unless it is too long to be held against another.
async fn history(ctx: &Ctx, run: &RunDetail) -> Result<Option<Vec<Event>>, Error> {
    match load(ctx, run.summary.id, run.last_seq, "/other").await {
        Ok(events) => Ok(Some(events)),
        Err(Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
