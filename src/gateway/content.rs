//! Keeps what was asked and answered where the workspace wants it, and shows it to who may see it.

use super::error::{Error, Result};
use super::store;
use super::store::content::Sealed;
use crate::model::CallId;
use crate::model::auth::Action;
use crate::model::gateway::{
    AnswerContent, AskedContent, CallContent, CallOutcome, Contents, Keeping, MAX_CONTENT, Request, Response,
};
use crate::runtime::{Ctx, Runtime};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What was asked, held until the call has ended. It is as it leaves: masked.
#[derive(Debug)]
pub(super) struct Capture {
    keeping: Keeping,
    asked: AskedContent,
    answer: Option<AnswerContent>,
}

impl Capture {
    /// `None` where nothing is to be kept.
    pub fn of(keeping: Keeping, request: &Request) -> Option<Self> {
        (keeping.contents != Contents::None).then(|| {
            let asked = AskedContent::of(request, MAX_CONTENT);
            Self { keeping, asked, answer: None }
        })
    }

    /// What is asked in the end.
    pub fn asks(&mut self, request: &Request) {
        self.asked = AskedContent::of(request, MAX_CONTENT);
    }

    /// What was answered, or a part of it.
    pub fn answered(&mut self, response: &Response) {
        self.answer = (!response.content.is_empty()).then(|| AnswerContent::of(response, MAX_CONTENT));
    }

    /// Whether it is kept of a call that ended so.
    pub fn is_wanted(&self, outcome: CallOutcome) -> bool {
        self.keeping.contents == Contents::All || outcome != CallOutcome::Complete
    }

    /// How long it is as it will be stored, in bytes.
    pub fn bytes(&self) -> usize {
        let mut count = Count(0);
        // Contents are plain data, and counting does not fail.
        let _ = serde_json::to_writer(&mut count, &(&self.asked, &self.answer));
        count.0
    }

    /// Encrypts it for its row.
    pub fn seal(&self, runtime: &Runtime, call: CallId) -> crate::db::Result<Sealed> {
        let seal = |column: &str, text: String| runtime.keys.seal(&runtime.ids, &place(call, column), text.as_bytes());
        let json = |text: serde_json::Result<String>| text.expect("contents are plain data");
        let answer = self.answer.as_ref().map(|answer| seal("answer", json(serde_json::to_string(answer))));
        Ok(Sealed {
            request: seal("request", json(serde_json::to_string(&self.asked)))?,
            answer: answer.transpose()?,
            expires_at: runtime.clock.now().plus_ms(i64::from(self.keeping.days) * DAY_MS),
        })
    }
}

/// Counts what is written to it.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, written: &[u8]) -> std::io::Result<usize> {
        self.0 += written.len();
        Ok(written.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Where a text stands, so that it opens nowhere else.
pub(super) fn place(call: CallId, column: &str) -> String {
    format!("model_call_content/{call}/{column}")
}

/// What was asked and answered in a call, as it left and came. For the person who made it, and for those who manage providers.
///
/// # Errors
/// [`Error::NotFound`] where nothing was kept, or not any more; [`Error::Denied`].
pub async fn get_call_content(ctx: &Ctx, call: CallId) -> Result<CallContent> {
    ctx.authorize(Action::ReadUsage)?;
    let found = store::content::find(&ctx.db, ctx.workspace(), call).await?;
    let (user, sealed) = found.ok_or(Error::NotFound("content of a call"))?;
    if user.is_none() || user != ctx.actor.principal.user_id() {
        ctx.authorize(Action::ManageProvider)?;
    }
    let open = |column: &str, sealed: &[u8]| {
        let clear = ctx.keys.unseal(&place(call, column), sealed);
        clear
            .ok_or_else(|| crate::db::Error::inconsistent("model_call_content", "request", "not under this master key"))
    };
    let read = |error: serde_json::Error| crate::db::Error::inconsistent("model_call_content", "request", error);
    let request = serde_json::from_slice(&open("request", &sealed.request)?).map_err(read)?;
    let answer = match &sealed.answer {
        Some(answer) => Some(serde_json::from_slice(&open("answer", answer)?).map_err(read)?),
        None => None,
    };
    Ok(CallContent { request, answer, expires_at: sealed.expires_at })
}
