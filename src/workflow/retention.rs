//! How long a workspace keeps its ended runs, for whoever runs the server.

use super::Error;
use super::store::retention;
use crate::model::auth::Action;
use crate::runtime::Ctx;

/// The days that the workspace asks for; `None` for the server's.
///
/// # Errors
/// The database's.
pub async fn get_retention(ctx: &Ctx) -> Result<Option<u32>, Error> {
    ctx.authorize(Action::ReadRun)?;
    Ok(retention::find_days(&ctx.db, ctx.workspace()).await?)
}

/// Sets the days that ended runs are kept where their workflow asks for nothing; `None` for the server's.
///
/// # Errors
/// [`Error::Invalid`] for other than 1 to 3650 days.
pub async fn set_retention(ctx: &Ctx, days: Option<u32>) -> Result<(), Error> {
    // Who looks after the people of a workspace looks after its settings.
    ctx.authorize(Action::ManageUser)?;
    if let Some(days) = days.filter(|days| !(1..=3650).contains(days)) {
        return Err(Error::invalid("retention_days", format!("expected 1 to 3650, found {days}")));
    }
    Ok(retention::set_days(&ctx.db, ctx.workspace(), days).await?)
}
