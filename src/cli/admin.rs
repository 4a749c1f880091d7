//! `weft admin`: the people and settings of the oldest workspace, for whoever runs the server, and what each role may do.

use clap::{Args, Subcommand};
use serde_json::json;

use super::table::{Column, Paint, table};
use super::{Failure, Global, file, local, out, workspace};
use crate::auth;
use crate::model::auth::{Action, Role, User};
use crate::model::credentials::{InviteRequest, Password};
use crate::model::{ApiError, PageRequest};
use crate::runtime::Ctx;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List, invite, disable and enable people; change roles; reset passwords.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at the built-in roles.
    #[command(subcommand)]
    Role(RoleCommand),
    /// Look at and change the settings of the workspace.
    #[command(subcommand)]
    Workspace(workspace::Command),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// List the people in the order they joined.
    List,
    /// Print a one-time link, good for seven days, with which a person makes their account.
    Invite {
        /// Their e-mail address.
        email: String,
        /// owner, admin, builder, operator or viewer.
        #[arg(long, value_parser = read_role)]
        role: Role,
    },
    /// Give a person another role.
    Role {
        /// Their e-mail address.
        email: String,
        /// owner, admin, builder, operator or viewer.
        #[arg(value_parser = read_role)]
        role: Role,
    },
    /// Shut a person out at once, everywhere.
    Disable {
        /// Their e-mail address.
        email: String,
    },
    /// Let a disabled person sign in again.
    Enable {
        /// Their e-mail address.
        email: String,
    },
    /// Replace a person's password and print the new one; everything they have open ends.
    ResetPassword {
        /// Their e-mail address.
        email: String,
        /// Read the new password from standard input instead of making one up.
        #[arg(long)]
        stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum RoleCommand {
    /// List the roles and what each may do.
    List,
}

fn read_role(text: &str) -> Result<Role, String> {
    let words = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("expected one of {words}"))
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let command = match arguments.command {
        Command::Role(RoleCommand::List) => {
            list_roles(global.json);
            return Ok(());
        }
        Command::Workspace(command) => return workspace::run(global, command).await,
        Command::User(command) => command,
    };
    // Before the database is opened: a pipe may take its time.
    let password = match &command {
        UserCommand::ResetPassword { stdin: true, .. } => Some(read_password()?),
        _ => None,
    };
    local::within(global, async |ctx| user(ctx, global.json, command, password).await).await
}

async fn user(ctx: &Ctx, json: bool, command: UserCommand, password: Option<Password>) -> Result<(), Failure> {
    match command {
        UserCommand::List => list_users(ctx, json).await,
        UserCommand::Invite { email, role } => {
            let made = auth::invite(ctx, &InviteRequest { email, role }).await?;
            if json {
                out::json(&made)
            } else {
                out::line(made.link)
            }
            Ok(())
        }
        UserCommand::Role { email, role } => {
            let found = auth::find_user(ctx, &email).await?;
            show(json, &auth::change_role(ctx, found.id, role).await?);
            Ok(())
        }
        UserCommand::Disable { email } => {
            let found = auth::find_user(ctx, &email).await?;
            show(json, &auth::disable_user(ctx, found.id).await?);
            Ok(())
        }
        UserCommand::Enable { email } => {
            let found = auth::find_user(ctx, &email).await?;
            show(json, &auth::enable_user(ctx, found.id).await?);
            Ok(())
        }
        UserCommand::ResetPassword { email, .. } => reset_password(ctx, json, &email, password).await,
    }
}

impl From<auth::Error> for Failure {
    fn from(error: auth::Error) -> Self {
        ApiError::from(error).into()
    }
}

/// The first line of standard input.
fn read_password() -> Result<Password, Failure> {
    let text = file::read_text("-")?;
    Ok(Password::from(text.lines().next().unwrap_or_default()))
}

async fn list_users(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let mut page = PageRequest { limit: PageRequest::MAX, cursor: None };
    let mut rows = Vec::new();
    loop {
        let found = auth::list_users(ctx, &page).await?;
        for user in found.items {
            if json {
                out::json(&user);
            }
            let seen = user.last_seen_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            let state = if user.disabled { "disabled" } else { "active" };
            rows.push(vec![user.email, user.name, user.role.label().to_owned(), state.to_owned(), seen]);
        }
        page.cursor = found.next;
        if page.cursor.is_none() {
            break;
        }
    }
    if rows.is_empty() {
        out::note("no people");
    } else if !json {
        let columns = ["E-mail", "Name", "Role", "State", "Last seen"].map(Column::left);
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    Ok(())
}

async fn reset_password(ctx: &Ctx, json: bool, email: &str, given: Option<Password>) -> Result<(), Failure> {
    let user = auth::find_user(ctx, email).await?;
    let is_given = given.is_some();
    let new = given.unwrap_or_else(|| Password(ctx.ids.secret()));
    auth::reset_password(ctx, user.id, &new).await?;
    match (json, is_given) {
        (true, true) => out::json(&json!({"email": user.email})),
        (true, false) => out::json(&json!({"email": user.email, "password": new.0})),
        (false, true) => out::line(format_args!("{} has the new password", user.email)),
        (false, false) => out::line(&new.0),
    }
    if user.disabled {
        out::note(format_args!("{} is disabled; `weft admin user enable {0}` lets them sign in", user.email));
    }
    Ok(())
}

fn show(json: bool, user: &User) {
    if json {
        out::json(user);
    } else {
        let state = if user.disabled { "disabled" } else { "active" };
        out::line(format_args!("{}: {}, {state}", user.email, user.role.label()));
    }
}

fn list_roles(json: bool) {
    let mut rows = Vec::new();
    for role in Role::ALL {
        let allowed = Action::ALL.into_iter().filter(|action| role.allows(*action));
        if json {
            out::json(&json!({"role": role, "actions": allowed.collect::<Vec<_>>()}));
        } else {
            let phrases: Vec<&str> = allowed.map(Action::phrase).collect();
            rows.push(vec![role.as_str().to_owned(), phrases.join(", ")]);
        }
    }
    if !json {
        out::line(table(Paint::of_stdout(), &[Column::left("Role"), Column::left("May")], rows).trim_end());
    }
}
