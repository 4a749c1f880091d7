//! `weft memory access|allow`: who may read and change the entries of which namespaces.

use super::table::{Column, Paint, table};
use super::{Failure, out};
use crate::auth;
use crate::memory;
use crate::model::ApiError;
use crate::model::auth::Role;
use crate::model::memory::{Access, AccessRule, Allowed};
use crate::runtime::Ctx;

/// What is asked of rules, or said.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Commands {
    /// List the rules of who may read and change what.
    Access,
    /// Say who may read and change the entries of a namespace and all below it.
    Allow(Allow),
}

/// Who may.
#[derive(Debug, clap::Args)]
pub(super) struct Allow {
    /// A path such as code/decisions.
    namespace: String,
    /// This role and those above it may read: owner, admin, builder, operator or viewer.
    #[arg(long, value_name = "ROLE", value_parser = role, required_unless_present = "remove")]
    read: Option<Role>,
    /// This role and those above it may change too; as --read without it.
    #[arg(long, value_name = "ROLE", value_parser = role)]
    write: Option<Role>,
    /// A person who may read, by e-mail address (repeatable).
    #[arg(long, value_name = "EMAIL")]
    reader: Vec<String>,
    /// A person who may read and change, by e-mail address (repeatable).
    #[arg(long, value_name = "EMAIL")]
    writer: Vec<String>,
    /// Remove the namespace's own rule.
    #[arg(long, conflicts_with_all = ["read", "write", "reader", "writer"])]
    remove: bool,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "expected owner, admin, builder, operator or viewer".to_owned())
}

impl Commands {
    pub async fn run(self, ctx: &Ctx, json: bool) -> Result<(), Failure> {
        match self {
            Self::Access => list(ctx, json).await,
            Self::Allow(asked) => allow(ctx, json, &asked).await,
        }
    }
}

/// Who may, in a cell: the least role and how many people besides.
fn who(allowed: &Allowed) -> String {
    let role = allowed.role.unwrap_or(Role::Owner).as_str();
    match allowed.users.len() {
        0 => role.to_owned(),
        1 => format!("{role}, 1 by name"),
        many => format!("{role}, {many} by name"),
    }
}

async fn list(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let rules = memory::list_access(ctx).await?;
    if json {
        rules.iter().for_each(out::json);
        return Ok(());
    }
    let row = |rule: &AccessRule| vec![rule.path.clone(), who(&rule.read), who(&rule.write), rule.set_at.to_string()];
    let columns =
        [Column::left("Namespace"), Column::left("Read from"), Column::left("Change from"), Column::left("Since")];
    let rows: Vec<Vec<String>> = rules.iter().map(row).collect();
    if rows.is_empty() {
        out::note("no rules: roles alone decide");
    } else {
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    Ok(())
}

async fn allow(ctx: &Ctx, json: bool, asked: &Allow) -> Result<(), Failure> {
    let namespace = asked.namespace.as_str();
    let Some(read) = asked.read else {
        memory::allow_by_role(ctx, namespace).await?;
        if json {
            out::json(&serde_json::json!({"namespace": namespace, "access": null}));
        } else {
            out::line(format_args!("{namespace} has no rule of its own any more"));
        }
        return Ok(());
    };
    let (mut readers, mut writers) = (Vec::new(), Vec::new());
    for (emails, lists) in [(&asked.reader, false), (&asked.writer, true)] {
        for email in emails {
            let user = auth::find_user(ctx, email).await.map_err(ApiError::from)?;
            readers.push(user.id);
            if lists {
                writers.push(user.id);
            }
        }
    }
    let least = |role: Role| Some(role).filter(|role| *role != Role::Owner);
    let access = Access {
        read: Allowed { role: least(read), users: readers },
        write: Allowed { role: least(asked.write.unwrap_or(read)), users: writers },
    };
    let rule = memory::allow(ctx, namespace, access).await?;
    if json {
        out::json(&rule);
    } else {
        out::line(format_args!("{namespace}: read from {}, change from {}", who(&rule.read), who(&rule.write)));
    }
    Ok(())
}
