//! What asks a model for summaries: lent at the start of the process, as what makes vectors is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use crate::model::gateway::{Fault, FaultClass};
use crate::runtime::{Ctx, Runtime};

/// What a model was asked for, on its way.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// What a model is asked.
#[derive(Debug)]
pub struct Question {
    /// A route or `provider/model`; empty means the default route.
    pub model: String,
    /// What it is to do.
    pub task: String,
    /// What it is to do that with.
    pub material: String,
    /// Tokens of the answer, at most.
    pub max_tokens: u32,
}

/// What a model wrote.
#[derive(Debug)]
pub struct Answer {
    /// Its words.
    pub text: String,
    /// Millionths of a US dollar; `None` when the model has no price.
    pub cost_micros: Option<i64>,
}

/// What would be asked, and what that would cost.
#[derive(Debug)]
pub struct Priced {
    /// As `provider/model`.
    pub model: String,
    /// Millionths of a US dollar; `None` when the model has no price.
    pub cost_micros: Option<i64>,
}

/// What asks models.
pub trait Summarizer: Send + Sync {
    /// Asks a model, for who asks and in their workspace.
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: Question) -> Asking<'a, Answer>;

    /// Says who would be asked, and what so many tokens read and written would cost. Nobody is asked.
    fn price<'a>(&'a self, ctx: &'a Ctx, model: &'a str, read: i64, written: i64) -> Asking<'a, Priced>;
}

/// The one of this process.
#[derive(Default)]
pub(super) struct Lent(OnceLock<Arc<dyn Summarizer>>);

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.0.get().is_some()).finish()
    }
}

/// Gives memory what asks models for summaries. The first one stays.
pub fn lend_summarizer(runtime: &Runtime, summarizer: Arc<dyn Summarizer>) {
    let _ = runtime.shared::<Lent>().0.set(summarizer); // a second one is the same
}

/// What was lent.
pub(super) fn lent(ctx: &Ctx) -> Result<Arc<dyn Summarizer>, Fault> {
    let none = || Fault::new(FaultClass::NoProvider, "this process has nothing that asks models");
    ctx.shared::<Lent>().0.get().cloned().ok_or_else(none)
}
