//! Who would be asked for a name, what that costs now, and how long their answers usually are: for what is reckoned before a call.

use super::error::{Error, Result};
use super::rollout::Asker;
use super::store;
use super::who::{self, Found};
use crate::model::auth::Action;
use crate::model::gateway::{CallSource, Dialect, FaultClass, Quote};
use crate::runtime::Ctx;

/// Who would be asked first for a route, `provider/model`, a model, or nothing in particular, by a step of a workflow. Nobody is
/// asked. Where a route chooses by cost, speed or task, it is still the first that it lists.
///
/// # Errors
/// [`Error::Denied`], or the database's. That nobody could be asked is told by an empty name.
pub async fn quote(ctx: &Ctx, asked: &str) -> Result<Quote> {
    ctx.authorize(Action::ReadUsage)?;
    let found =
        match who::could_answer(ctx, asked.trim(), (Dialect::Anthropic, CallSource::Step), Asker::default()).await {
            Ok(found) => found,
            Err(Error::Fault(fault)) if matches!(fault.class, FaultClass::NoModel | FaultClass::NoProvider) => {
                return Ok(Quote::default());
            }
            Err(error) => return Err(error),
        };
    let Found { rows, candidates, .. } = found;
    let Some(first) = candidates.first() else { return Ok(Quote::default()) };
    let (row, model) = (&rows[first.provider], &first.model.id);
    Ok(Quote {
        name: format!("{}/{model}", row.name),
        model: model.clone(),
        price: store::price::find(&ctx.db, row.id, model, ctx.clock.now()).await?,
        usual_output: store::call::find_usual_output(&ctx.db, ctx.workspace(), row.id, model).await?,
    })
}
