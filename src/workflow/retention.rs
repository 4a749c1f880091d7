//! How long a workspace keeps its ended runs.

use super::Error;
use super::store::retention;
use crate::model::auth::Action;
use crate::model::workflow::Retention;
use crate::runtime::Ctx;

/// How long ended runs are kept where their workflow asks for nothing.
///
/// # Errors
/// The database's.
pub async fn get_retention(ctx: &Ctx) -> Result<Retention, Error> {
    ctx.authorize(Action::ReadRun)?;
    let days = retention::find_days(&ctx.db, ctx.workspace()).await?;
    Ok(Retention { days, server_days: ctx.config.retention_days })
}

/// Sets the days that ended runs are kept where their workflow asks for nothing; `None` for the server's.
///
/// # Errors
/// [`Error::Invalid`] for other than 1 to 3650 days.
pub async fn set_retention(ctx: &Ctx, days: Option<u32>) -> Result<Retention, Error> {
    // Who looks after the people of a workspace looks after its settings.
    ctx.authorize(Action::ManageUser)?;
    if let Some(days) = days.filter(|days| !(1..=3650).contains(days)) {
        return Err(Error::invalid("days", format!("expected 1 to 3650, found {days}")));
    }
    retention::set_days(&ctx.db, ctx.workspace(), days).await?;
    Ok(Retention { days, server_days: ctx.config.retention_days })
}
