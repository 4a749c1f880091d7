//! The context of a use-case: who asks, and everything ambient.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::outbound::Outbound;
use super::{Clock, Config, Events, Ids, Keys, Tasks};
use crate::db::Db;
use crate::model::auth::{Action, Role};
use crate::model::{ApiError, ApiKeyId, LoginSessionId, UserId, WorkspaceId};

/// The process' one set of ambient things; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// The settings.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Fresh ids.
    pub ids: Ids,
    /// The bus of changes.
    pub events: Events,
    /// Background work.
    pub tasks: Tasks,
    /// Keys by purpose.
    pub keys: Keys,
    /// The one way out.
    pub http: Outbound,
    /// Whether this process does the housekeeping of a database that it shares.
    keeps_house: Arc<AtomicBool>,
    /// In-process state of the capabilities, by type.
    shared: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("db", &self.db).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Puts the parts together.
    pub fn new(config: Config, db: Db, clock: Clock, keys: Keys, http: Outbound) -> Self {
        Self {
            config: Arc::new(config),
            db,
            clock,
            ids: Ids,
            events: Events::default(),
            tasks: Tasks::default(),
            keys,
            http,
            keeps_house: Arc::default(),
            shared: Arc::default(),
        }
    }

    /// A capability's in-process state (an index, an engine's mailbox): made by `Default` at first use, then the same one
    /// for the life of the process.
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut shared = self.shared.lock().expect("no code panics while it holds this lock");
        let state = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(state).downcast::<T>().expect("stored under its own type")
    }

    /// Whether this process does the housekeeping: forgetting what is old. One of those that share a database does.
    pub fn keeps_house(&self) -> bool {
        !self.db.is_shared() || self.keeps_house.load(Ordering::Relaxed)
    }

    /// Whether it was elected to.
    pub fn elect(&self, elected: bool) {
        self.keeps_house.store(elected, Ordering::Relaxed);
    }

    /// A context in which the program itself acts in a workspace: schedules, engines, the command line on its own database.
    pub fn system(&self, workspace: WorkspaceId) -> Ctx {
        self.as_actor(Actor { workspace, principal: Principal::System, role: Role::Owner }, String::new())
    }

    /// A context for what happens by itself, in nobody's name: the program with the least role that can make something happen by itself.
    pub fn unattended(&self, workspace: WorkspaceId) -> Ctx {
        self.as_actor(Actor { workspace, principal: Principal::System, role: Role::Builder }, String::new())
    }

    /// A context for what everybody in a workspace may come to see: the program with the least role.
    pub fn for_all_eyes(&self, workspace: WorkspaceId) -> Ctx {
        self.as_actor(Actor { workspace, principal: Principal::System, role: Role::Viewer }, String::new())
    }

    /// A context for somebody.
    pub fn as_actor(&self, actor: Actor, trace_id: String) -> Ctx {
        Ctx { actor, trace_id, runtime: self.clone() }
    }
}

/// Who asks, and everything ambient: the first parameter of every use-case.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who asks.
    pub actor: Actor,
    /// The request's id in logs and errors; empty for the program itself.
    pub trace_id: String,
    runtime: Runtime,
}

impl Ctx {
    /// Refuses what the actor's role doesn't allow. Stands before anything is changed or returned.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn authorize(&self, action: Action) -> Result<(), Denied> {
        if self.actor.role.allows(action) {
            Ok(())
        } else {
            tracing::info!(actor = %self.actor.principal, ?action, "denied");
            Err(Denied { action, role: self.actor.role })
        }
    }

    /// The workspace that everything happens in.
    pub const fn workspace(&self) -> WorkspaceId {
        self.actor.workspace
    }

    /// The process' ambient things, to keep beyond this call.
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl Deref for Ctx {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}

/// Who asks: a principal in one workspace with one role.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The workspace that everything happens in.
    pub workspace: WorkspaceId,
    /// Who.
    pub principal: Principal,
    /// What they may do.
    pub role: Role,
}

/// Who.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A person.
    User {
        /// Who.
        id: UserId,
        /// Their name, for "started by".
        name: String,
        /// Through which sign-in.
        session: LoginSessionId,
    },
    /// A program with one of the gateway's keys.
    Key {
        /// Which.
        id: ApiKeyId,
        /// What it is called.
        name: String,
    },
    /// The program, in a step of a run that this person started: what is known under their name alone stays theirs.
    OnBehalf {
        /// Who; `None` for a run that started by itself, and for a person who is gone.
        id: Option<UserId>,
        /// Who else shaped what the run does, with the roles that they have now: it reaches no further than each of them.
        shaped_by: Arc<[(Option<UserId>, Role)]>,
    },
    /// The program itself.
    System,
}

impl Principal {
    /// The person, if it is one.
    pub const fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Key { .. } | Self::OnBehalf { .. } | Self::System => None,
        }
    }

    /// The person whose rights count, if there is one.
    pub const fn acts_for(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::OnBehalf { id, .. } => *id,
            Self::Key { .. } | Self::System => None,
        }
    }

    /// Who else shaped what is done here: none of it reaches further than each of them.
    pub fn shaped_by(&self) -> &[(Option<UserId>, Role)] {
        match self {
            Self::OnBehalf { shaped_by, .. } => shaped_by,
            Self::User { .. } | Self::Key { .. } | Self::System => &[],
        }
    }

    /// The person's name, if it is one.
    pub fn user_name(&self) -> Option<&str> {
        match self {
            Self::User { name, .. } => Some(name),
            Self::Key { .. } | Self::OnBehalf { .. } | Self::System => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { id, .. } => write!(f, "user {id}"),
            Self::Key { id, .. } => write!(f, "key {id}"),
            Self::OnBehalf { id: Some(id), .. } => write!(f, "a run of user {id}"),
            Self::OnBehalf { id: None, .. } => f.write_str("a run"),
            Self::System => f.write_str("system"),
        }
    }
}

/// The role doesn't allow the action.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the role {} may not {}", role.label(), action.phrase())]
pub struct Denied {
    /// What was tried.
    pub action: Action,
    /// With which role.
    pub role: Role,
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        Self::Forbidden { detail: format!("{denied}; an admin of the workspace can change your role") }
    }
}
