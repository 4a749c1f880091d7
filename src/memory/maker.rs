//! In whose name what somebody set up works while they are away.

use super::Error;
use crate::auth;
use crate::model::auth::Role;
use crate::model::{ApiError, UserId, WorkspaceId};
use crate::runtime::{Actor, Ctx, Principal, Runtime};

/// Whoever set something up last.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    /// The person; absent for the program itself.
    pub user: Option<UserId>,
    /// Their name then.
    pub name: Option<String>,
    /// Their role then; absent where it was not noted.
    pub role: Option<Role>,
}

impl Maker {
    /// Who asks.
    pub fn of(ctx: &Ctx) -> Self {
        let principal = &ctx.actor.principal;
        let (user, name) = (principal.user_id(), principal.user_name().map(str::to_owned));
        Self { user, name, role: Some(ctx.actor.role) }
    }

    /// They, with the role that they have now, or why nobody acts for them. Where no person stands behind it, the program reaches no
    /// further than the role with which it was set up, and where that is not known, than what starts by itself in nobody's name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acting(
        &self,
        runtime: &Runtime,
        workspace: WorkspaceId,
        what: &str,
    ) -> Result<Result<Ctx, String>, Error> {
        let Some(id) = self.user else {
            let unattended = runtime.unattended(workspace);
            let Some(role) = self.role else { return Ok(Ok(unattended)) };
            return Ok(Ok(runtime.as_actor(Actor { role, ..unattended.actor }, String::new())));
        };
        let role = match auth::role_now(runtime, workspace, id).await {
            Ok(role) => role,
            Err(error) => return Ok(Err(ApiError::from(error).detail().to_owned())),
        };
        let name = self.name.clone().unwrap_or_default();
        let Some(role) = role else {
            return Ok(Err(format!("{name}, who wrote {what}, can't act here any more; somebody else has to save it")));
        };
        let principal = Principal::User { id, name, session: runtime.ids.fresh() };
        Ok(Ok(runtime.as_actor(Actor { workspace, principal, role }, String::new())))
    }
}
