//! Approvals: a run waits for people; here they look and answer.
//!
//! The history holds what is asked and each answer; the table is a projection, written in the same transaction. Promises
//! that nobody answers twice, that only those who may do, and that an answer that was acknowledged is stored. Refuses
//! answers that don't fit the form, and those of the person who started the run where four eyes are asked for.

use crate::auth;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Approval, ApprovalFilter, Decision, Question, Signal, Vote};
use crate::model::{ApprovalId, Page, PageRequest, RunId, Timestamp, UserId};
use crate::runtime::Ctx;

use super::engine::Engine;
use super::machine::{Input, Refusal};
use super::store::ask::{self, Row};
use super::{Error, hand, inputs};

/// Characters of a comment.
pub const MAX_COMMENT_CHARS: usize = 2_000;
/// The most that [`count_mine`] looks at.
const COUNTED: u32 = 100;
/// The most that [`list_mine`] looks at.
const LOOKED_AT: u32 = 500;
/// People that an approval can be handed to.
const MAX_DELEGATES: usize = 20;

/// Open approvals oldest first, or ended ones newest first.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list(ctx: &Ctx, filter: ApprovalFilter, page: &PageRequest) -> Result<Page<Approval>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let after = page.cursor.as_deref().map(read_cursor).transpose()?;
    let limit = page.limit();
    let rows = ask::list(&ctx.db, ctx.workspace(), filter, after, limit + 1).await?;
    let me = find_me(ctx).await?;
    let shown = rows.into_iter().map(|row| show(ctx, me.as_ref(), row)).collect();
    Ok(Page::cut(shown, limit, |approval: &Approval| {
        let at = match filter {
            ApprovalFilter::Open => approval.created_at,
            ApprovalFilter::Decided => approval.decided_at.unwrap_or(approval.created_at),
        };
        format!("{}-{}", at.0, approval.id)
    }))
}

fn read_cursor(cursor: &str) -> Result<(Timestamp, ApprovalId), Error> {
    let read = || {
        let (at, id) = cursor.split_once('-')?;
        Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| Error::invalid("cursor", "expected the `next` of a page"))
}

/// How many open approvals the caller may answer, at most 100.
///
/// # Errors
/// The database's.
pub async fn count_mine(ctx: &Ctx) -> Result<u32, Error> {
    ctx.authorize(Action::ReadRun)?;
    let rows = ask::list(&ctx.db, ctx.workspace(), ApprovalFilter::Open, None, COUNTED).await?;
    let me = find_me(ctx).await?;
    Ok(rows.iter().filter(|row| refusal(ctx, me.as_ref(), row).is_none()).count() as u32)
}

/// The steps that ask what the caller may answer: their runs and their paths, of the oldest 500 open approvals.
///
/// # Errors
/// The database's.
pub async fn list_mine(ctx: &Ctx) -> Result<Vec<(RunId, String)>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let Some(me) = find_me(ctx).await? else { return Ok(Vec::new()) };
    let rows = ask::list(&ctx.db, ctx.workspace(), ApprovalFilter::Open, None, LOOKED_AT).await?;
    let mine = rows.into_iter().filter(|row| refusal(ctx, Some(&me), row).is_none());
    Ok(mine.map(|row| (row.approval.run_id, row.approval.step)).collect())
}

/// One approval.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's.
pub async fn get(ctx: &Ctx, id: ApprovalId) -> Result<Approval, Error> {
    ctx.authorize(Action::ReadRun)?;
    let row = find(ctx, id).await?;
    Ok(show(ctx, find_me(ctx).await?.as_ref(), row))
}

/// The open approvals of a run, oldest first, at most 100.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn list_of_run(ctx: &Ctx, run: RunId) -> Result<Vec<Approval>, Error> {
    ctx.authorize(Action::ReadRun)?;
    super::runs::find(ctx, run).await?;
    let rows = ask::list_of_run(&ctx.db, ctx.workspace(), run).await?;
    let me = find_me(ctx).await?;
    Ok(rows.into_iter().map(|row| show(ctx, me.as_ref(), row)).collect())
}

async fn find(ctx: &Ctx, id: ApprovalId) -> Result<Row, Error> {
    ask::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("approval"))
}

/// The caller, if it is a person.
async fn find_me(ctx: &Ctx) -> Result<Option<Me>, Error> {
    match ctx.actor.principal.user_id() {
        Some(_) => Ok(Some(auth::get_me(ctx).await.map_err(|error| Error::Other(error.into()))?)),
        None => Ok(None),
    }
}

fn show(ctx: &Ctx, me: Option<&Me>, row: Row) -> Approval {
    let refusal = refusal(ctx, me, &row);
    Approval { refusal, ..row.approval }
}

/// Why the caller may not answer.
fn refusal(ctx: &Ctx, me: Option<&Me>, row: &Row) -> Option<String> {
    let approval = &row.approval;
    let Some(me) = me else { return Some("only a person can answer".to_owned()) };
    let question = &approval.question;
    let named = |who: &String| {
        who.eq_ignore_ascii_case(&me.email)
            || who.strip_prefix("role:").is_some_and(|role| role.eq_ignore_ascii_case(me.role.as_str()))
    };
    if approval.outcome.is_some() {
        Some("it is decided".to_owned())
    } else if !ctx.actor.role.allows(Action::Approve) {
        Some(format!("the role {} may not {}", ctx.actor.role.label(), Action::Approve.phrase()))
    } else if approval.votes.iter().any(|vote| vote.by == me.id) {
        Some("you have answered".to_owned())
    } else if question.four_eyes && row.started_by_id == Some(me.id) {
        Some("you started this run, and somebody else must answer".to_owned())
    } else if !question.approvers.is_empty() && !question.approvers.iter().chain(&row.delegates).any(named) {
        Some(format!("it is for {}", question.approvers.join(", ")))
    } else {
        None
    }
}

/// Answers an approval. Returns it as it stands then.
///
/// # Errors
/// [`Error::Invalid`] for a decision that there is not, or a form that does not fit (`/form/NAME`), [`Error::Conflict`]
/// when it is decided or the caller has answered, [`Error::Barred`] when the caller may not.
pub async fn decide(ctx: &Ctx, id: ApprovalId, decision: Decision) -> Result<Approval, Error> {
    ctx.authorize(Action::Approve)?;
    let row = find(ctx, id).await?;
    let me = find_me(ctx).await?;
    let me = admit(ctx, me.as_ref(), &row)?;
    let vote = Vote { approval: Some(id), ..vote(&row.approval.question, me.0, me.1, decision)? };
    hand::note(ctx, row.approval.run_id).await?;
    tell(ctx, &row, Signal::Vote(vote)).await?;
    get(ctx, id).await
}

/// Who may answer: id and name.
fn admit<'a>(ctx: &Ctx, me: Option<&'a Me>, row: &Row) -> Result<(UserId, &'a str), Error> {
    match (refusal(ctx, me, row), me) {
        (None, Some(me)) => Ok((me.id, &me.name)),
        (Some(why), Some(me)) => {
            let is_settled = row.approval.outcome.is_some() || row.approval.votes.iter().any(|vote| vote.by == me.id);
            Err(if is_settled { Error::Conflict(why) } else { Error::Barred(why) })
        }
        (why, None) => Err(Error::Barred(why.unwrap_or_default())),
    }
}

fn vote(question: &Question, by: UserId, name: &str, decision: Decision) -> Result<Vote, Error> {
    let Decision { decision, form, comment } = decision;
    if !question.decisions.contains(&decision) {
        return Err(Error::invalid("/decision", format!("expected one of {}", question.decisions.join(", "))));
    }
    if comment.chars().count() > MAX_COMMENT_CHARS {
        return Err(Error::invalid("/comment", format!("expected at most {MAX_COMMENT_CHARS} characters")));
    }
    // Whoever refuses need not fill the form in.
    let agrees = question.decisions.first() == Some(&decision);
    let form = if question.form.is_null() || (!agrees && form.is_null()) {
        form
    } else {
        inputs::fit_form(&question.form, form)?
    };
    Ok(Vote { by, name: name.to_owned(), decision, form, comment, approval: None })
}

/// Lets somebody else of the workspace answer too.
///
/// # Errors
/// [`Error::Invalid`] when nobody has that address, else as [`decide`].
pub async fn delegate(ctx: &Ctx, id: ApprovalId, email: &str) -> Result<Approval, Error> {
    ctx.authorize(Action::Approve)?;
    let row = find(ctx, id).await?;
    let me = find_me(ctx).await?;
    let (_, name) = admit(ctx, me.as_ref(), &row)?;
    let user = auth::find_user(ctx, email.trim())
        .await
        .map_err(|_| Error::invalid("/email", "expected the e-mail address of a person of this workspace"))?;
    if row.delegates.len() >= MAX_DELEGATES {
        return Err(Error::Conflict(format!("it was handed to {MAX_DELEGATES} people already")));
    }
    tell(ctx, &row, Signal::Delegated { by: name.to_owned(), to: user.email, approval: Some(id) }).await?;
    get(ctx, id).await
}

async fn tell(ctx: &Ctx, row: &Row, signal: Signal) -> Result<(), Error> {
    let input = Input::Signal { step: Some(row.approval.step.clone()), attempt: row.attempt, signal };
    let engine = Engine::of(ctx.runtime());
    match engine.tell(ctx.runtime(), ctx.workspace(), row.approval.run_id, input).await {
        Ok(_) => Ok(()),
        Err(Error::Refused(Refusal::Stale)) => Err(Error::Conflict("it is decided".to_owned())),
        Err(Error::Refused(Refusal::Answered)) => Err(Error::Conflict("you have answered".to_owned())),
        Err(error) => Err(error),
    }
}
