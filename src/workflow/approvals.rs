//! Approvals: a run waits for people; here they look and answer.
//!
//! The history holds what is asked and each answer; the table is a projection, written in the same transaction. Promises
//! that nobody answers twice, that only those who may do, and that an answer that was acknowledged is stored. Refuses
//! answers that don't fit the form, and those of the person who started the run where four eyes are asked for.

use crate::auth;
use crate::model::auth::{Action, Me, Role};
use crate::model::workflow::{Approval, ApprovalFilter, Decision, Question, Signal, Vote};
use crate::model::{ApprovalId, Page, PageRequest, RunId, Timestamp, UserId};
use crate::runtime::Ctx;

use super::engine::Engine;
use super::machine::{Input, Refusal};
use super::store::ask::{self, Row};
use super::{Error, hand, inputs};

/// Characters of a comment.
pub const MAX_COMMENT_CHARS: usize = 2_000;
/// The most that [`count_mine`] counts.
const COUNTED: usize = 100;
/// The most that [`count_mine`] and [`list_mine`] look at: what many are asked must not hide what one is asked.
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

/// How many of the oldest 500 open approvals the caller may answer, at most 100.
///
/// # Errors
/// The database's.
pub async fn count_mine(ctx: &Ctx) -> Result<u32, Error> {
    ctx.authorize(Action::ReadRun)?;
    let Some(me) = find_me(ctx).await? else { return Ok(0) };
    let rows = ask::list(&ctx.db, ctx.workspace(), ApprovalFilter::Open, None, LOOKED_AT).await?;
    Ok(rows.iter().filter(|row| refusal(ctx, Some(&me), row).is_none()).take(COUNTED).count() as u32)
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
    let voice = voice(row, me);
    if approval.outcome.is_some() {
        Some("it is decided".to_owned())
    } else if !ctx.actor.role.allows(Action::Approve) {
        Some(format!("the role {} may not {}", ctx.actor.role.label(), Action::Approve.phrase()))
    } else if approval.votes.iter().any(|vote| vote.by == me.id) {
        Some("you have answered".to_owned())
    } else if let Some(vote) = approval.votes.iter().find(|vote| vote.voice() == voice) {
        // One handed it to the other: that makes no second voice of it.
        Some(format!("{} has answered, and you have one voice together", vote.name))
    } else if question.four_eyes && row.started_by_id == Some(me.id) {
        Some("you started this run, and somebody else must answer".to_owned())
    } else if !is_asked(question, &me.email, me.role)
        && !row.delegates.iter().any(|to| to.eq_ignore_ascii_case(&me.email))
    {
        Some(format!("it is for {}", question.approvers.join(", ")))
    } else {
        None
    }
}

/// Whether a question is for this person by itself, without anybody handing it over.
fn is_asked(question: &Question, email: &str, role: Role) -> bool {
    let names = |who: &String| {
        who.eq_ignore_ascii_case(email)
            || who.strip_prefix("role:").is_some_and(|named| named.eq_ignore_ascii_case(role.as_str()))
    };
    question.approvers.is_empty() || question.approvers.iter().any(names)
}

/// Whose voice a person gives: their own, or that of who was asked and handed it to them.
fn voice(row: &Row, me: &Me) -> UserId {
    if is_asked(&row.approval.question, &me.email, me.role) {
        return me.id;
    }
    row.voices.get(&me.email.to_ascii_lowercase()).copied().unwrap_or(me.id)
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
    let voice = Some(voice(&row, me)).filter(|voice| *voice != me.id);
    let vote = vote(&row.approval.question, me, decision)?;
    let vote = Vote { approval: Some(id), instead_of: voice, ..vote };
    hand::note(ctx, row.approval.run_id).await?;
    tell(ctx, &row, Signal::Vote(vote)).await?;
    get(ctx, id).await
}

/// The caller, who may answer.
fn admit<'a>(ctx: &Ctx, me: Option<&'a Me>, row: &Row) -> Result<&'a Me, Error> {
    match (refusal(ctx, me, row), me) {
        (None, Some(me)) => Ok(me),
        (Some(why), Some(me)) => {
            let voice = voice(row, me);
            let has_answered = |vote: &Vote| vote.by == me.id || vote.voice() == voice;
            let is_settled = row.approval.outcome.is_some() || row.approval.votes.iter().any(has_answered);
            Err(if is_settled { Error::Conflict(why) } else { Error::Barred(why) })
        }
        (why, None) => Err(Error::Barred(why.unwrap_or_default())),
    }
}

fn vote(question: &Question, me: &Me, decision: Decision) -> Result<Vote, Error> {
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
    Ok(Vote { by: me.id, name: me.name.clone(), decision, form, comment, approval: None, instead_of: None })
}

/// Lets somebody else of the workspace answer too, with the caller's voice: the first answer of either counts.
///
/// # Errors
/// [`Error::Invalid`] when nobody has that address or they may not answer, else as [`decide`].
pub async fn delegate(ctx: &Ctx, id: ApprovalId, email: &str) -> Result<Approval, Error> {
    ctx.authorize(Action::Approve)?;
    let row = find(ctx, id).await?;
    let me = find_me(ctx).await?;
    let me = admit(ctx, me.as_ref(), &row)?;
    let user = auth::find_user(ctx, email.trim())
        .await
        .map_err(|_| Error::invalid("/email", "expected the e-mail address of a person of this workspace"))?;
    let barred = if user.disabled {
        Some("expected somebody who can sign in".to_owned())
    } else if !user.role.allows(Action::Approve) {
        Some(format!("the role {} may not {}", user.role.label(), Action::Approve.phrase()))
    } else if row.approval.question.four_eyes && row.started_by_id == Some(user.id) {
        Some("they started this run, and somebody else must answer".to_owned())
    } else {
        None
    };
    if let Some(why) = barred {
        return Err(Error::invalid("/email", why));
    }
    if row.delegates.len() >= MAX_DELEGATES {
        return Err(Error::Conflict(format!("it was handed to {MAX_DELEGATES} people already")));
    }
    let voice = Some(voice(&row, me));
    let handed = Signal::Delegated { by: me.name.clone(), to: user.email, approval: Some(id), voice };
    tell(ctx, &row, handed).await?;
    get(ctx, id).await
}

async fn tell(ctx: &Ctx, row: &Row, signal: Signal) -> Result<(), Error> {
    let input = Input::Signal { step: Some(row.approval.step.clone()), attempt: row.attempt, signal };
    let engine = Engine::of(ctx.runtime());
    match engine.tell(ctx.runtime(), ctx.workspace(), row.approval.run_id, input).await {
        Ok(_) => Ok(()),
        Err(Error::Refused(Refusal::Stale)) => Err(Error::Conflict("it is decided".to_owned())),
        Err(Error::Refused(Refusal::Answered)) => Err(Error::Conflict("it was answered with your voice".to_owned())),
        Err(error) => Err(error),
    }
}
