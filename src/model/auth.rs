//! Who may do what: the one permission table, asked by the server to refuse and by the browser to hide.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{InviteId, LoginSessionId, Timestamp, UserId, WorkspaceId};

/// A built-in role, from the most to the least powerful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and can't be removed while the last.
    Owner,
    /// Manages people and settings.
    Admin,
    /// Draws, publishes and runs workflows, writes memory.
    Builder,
    /// Starts and controls runs.
    Operator,
    /// Looks.
    Viewer,
}

/// What can be done. A permission is an action; what it acts on is checked by the workspace of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See the dashboard and the system's health.
    ViewDashboard,
    /// See workflows and their versions.
    ReadWorkflow,
    /// Create, change, import and delete drafts.
    EditWorkflow,
    /// Make a version that others run.
    PublishWorkflow,
    /// See runs, their history and logs.
    ReadRun,
    /// Start a run.
    StartRun,
    /// Cancel, pause, resume and retry a run.
    ControlRun,
    /// Answer approvals.
    Approve,
    /// See and search memory.
    ReadMemory,
    /// Add, change and delete memory entries.
    WriteMemory,
    /// See who is in the workspace.
    ReadUser,
    /// Invite, change the role of, disable.
    ManageUser,
    /// Give and take the role of owner.
    ManageOwner,
    /// Make, change and delete what starts runs by itself.
    ManageTrigger,
    /// See providers, routes and prices.
    ReadProvider,
    /// Add, change, test and delete providers, routes, prices and the gateway's keys.
    ManageProvider,
    /// Call a model.
    UseModel,
    /// See what models were called, by whom, and what it cost.
    ReadUsage,
    /// See agents, their versions and what they do.
    ReadAgent,
    /// Add, change and delete agents.
    EditAgent,
}

impl Action {
    /// Every action, for tables and tests.
    pub const ALL: [Self; 20] = [
        Self::ViewDashboard,
        Self::ReadWorkflow,
        Self::EditWorkflow,
        Self::PublishWorkflow,
        Self::ReadRun,
        Self::StartRun,
        Self::ControlRun,
        Self::Approve,
        Self::ReadMemory,
        Self::WriteMemory,
        Self::ReadUser,
        Self::ManageUser,
        Self::ManageOwner,
        Self::ManageTrigger,
        Self::ReadProvider,
        Self::ManageProvider,
        Self::UseModel,
        Self::ReadUsage,
        Self::ReadAgent,
        Self::EditAgent,
    ];

    /// The action as the end of "your role may not …".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::ViewDashboard => "see the dashboard",
            Self::ReadWorkflow => "see workflows",
            Self::EditWorkflow => "change workflows",
            Self::PublishWorkflow => "publish workflows",
            Self::ReadRun => "see runs",
            Self::StartRun => "start runs",
            Self::ControlRun => "control runs",
            Self::Approve => "answer approvals",
            Self::ReadMemory => "see memory",
            Self::WriteMemory => "change memory",
            Self::ReadUser => "see users",
            Self::ManageUser => "manage users",
            Self::ManageOwner => "manage owners",
            Self::ManageTrigger => "manage triggers",
            Self::ReadProvider => "see providers",
            Self::ManageProvider => "manage providers",
            Self::UseModel => "call models",
            Self::ReadUsage => "see what calls of models cost",
            Self::ReadAgent => "see agents",
            Self::EditAgent => "change agents",
        }
    }
}

impl Role {
    /// Every role, most powerful first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Builder, Self::Operator, Self::Viewer];

    /// The one permission table.
    pub const fn allows(self, action: Action) -> bool {
        use Action as A;
        match self {
            Self::Owner => true,
            Self::Admin => !matches!(action, A::ManageOwner),
            Self::Builder => !matches!(action, A::ManageOwner | A::ManageUser | A::ManageProvider),
            Self::Operator => matches!(
                action,
                A::ViewDashboard
                    | A::ReadWorkflow
                    | A::ReadRun
                    | A::StartRun
                    | A::ControlRun
                    | A::Approve
                    | A::ReadMemory
                    | A::WriteMemory
                    | A::ReadUser
                    | A::ReadProvider
                    | A::UseModel
                    | A::ReadUsage
                    | A::ReadAgent
            ),
            Self::Viewer => {
                matches!(
                    action,
                    A::ViewDashboard
                        | A::ReadWorkflow
                        | A::ReadRun
                        | A::ReadMemory
                        | A::ReadUser
                        | A::ReadProvider
                        | A::ReadAgent
                )
            }
        }
    }

    /// The role as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Builder => "builder",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    /// The role as a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Builder => "Builder",
            Self::Operator => "Operator",
            Self::Viewer => "Viewer",
        }
    }

    /// Reads [`Role::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A workspace by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceRef {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

/// Who is asking, and what they may do: drawn from by every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person.
    pub id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The workspace they are in.
    pub workspace: WorkspaceRef,
    /// Their role there.
    pub role: Role,
    /// Everything the role allows.
    pub actions: Vec<Action>,
}

impl Me {
    /// Whether to offer an action.
    pub fn may(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }
}

/// A person in the workspace, as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The person.
    pub id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role in this workspace.
    pub role: Role,
    /// Whether they are shut out.
    pub disabled: bool,
    /// When they joined.
    pub created_at: Timestamp,
    /// When they were last seen, if ever.
    pub last_seen_at: Option<Timestamp>,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// For whom.
    pub email: String,
    /// The role they will have.
    pub role: Role,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A sign-in of the person who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoginSession {
    /// Its id.
    pub id: LoginSessionId,
    /// A browser's cookie, or a client's tokens.
    pub kind: LoginKind,
    /// The user agent that signed in, cut to 200 characters.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used (to the minute).
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// How a login session is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// A cookie.
    Browser,
    /// Access and refresh tokens.
    Token,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesser_role_never_allows_what_a_greater_refuses() {
        for pair in Role::ALL.windows(2) {
            for action in Action::ALL {
                assert!(pair[0].allows(action) || !pair[1].allows(action), "{pair:?} {action:?}");
            }
        }
    }

    #[test]
    fn a_role_reads_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
