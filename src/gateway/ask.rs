//! What can be asked of a model over one connection, so that all of it goes the same way: breakers, retries, budgets.

use std::future::Future;

use super::tokens;
use super::upstream::{self, Begun, Endpoint};
use crate::model::gateway::{
    EmbedInput, EmbedRequest, Fault, Model, Request, Usage, Vectors, estimate_request, estimate_tokens,
};
use crate::runtime::Ctx;
use crate::runtime::outbound::Outbound;

/// Tokens that an answer is expected to have, where its limit is not lower. Callers name limits far above what they get.
pub(super) const EXPECTED_OUTPUT: u32 = 1_024;

/// A question to a model.
pub(super) trait Ask: Sync {
    /// What is got.
    type Got: Send;

    /// What it is expected to take.
    fn expected(&self) -> Usage;

    /// Tokens that it is sent to read, by our own count.
    fn reads(&self) -> i64 {
        self.expected().prompt()
    }

    /// Tokens that it has a model read at most; `None` where they can't be counted for the model, and [`Ask::expected`] is all there is.
    fn reads_at_most(&self, _model: &str) -> Option<i64> {
        None
    }

    /// What it is expected to take of a model whose tokens can be counted: with what it reads by the model's own vocabulary.
    fn counted(&self, _ctx: &Ctx, _model: &str) -> impl Future<Output = Usage> + Send {
        let expected = self.expected();
        async move { expected }
    }

    /// Asks one model of one provider, once.
    fn ask(
        &self,
        http: &Outbound,
        endpoint: &Endpoint,
        model: &Model,
    ) -> impl Future<Output = Result<Self::Got, Fault>> + Send;
}

impl Ask for Request {
    type Got = Begun;

    fn expected(&self) -> Usage {
        let output = self.max_tokens.unwrap_or(EXPECTED_OUTPUT).min(EXPECTED_OUTPUT);
        let output = i64::from(output) * i64::from(self.answers);
        Usage { input: estimate_tokens(self.chars()), output, ..Usage::default() }
    }

    fn reads(&self) -> i64 {
        estimate_request(self)
    }

    fn reads_at_most(&self, model: &str) -> Option<i64> {
        tokens::at_most(self, model)
    }

    async fn counted(&self, ctx: &Ctx, model: &str) -> Usage {
        Usage { input: tokens::of_request(ctx, self, model).await.count, ..self.expected() }
    }

    async fn ask(&self, http: &Outbound, endpoint: &Endpoint, model: &Model) -> Result<Begun, Fault> {
        upstream::ask(http, endpoint, self, model).await
    }
}

impl Ask for EmbedRequest {
    type Got = Vectors;

    fn expected(&self) -> Usage {
        Usage { input: self.input.tokens(), ..Usage::default() }
    }

    fn reads_at_most(&self, model: &str) -> Option<i64> {
        match &self.input {
            EmbedInput::Texts(texts) => tokens::texts_at_most(texts, model),
            EmbedInput::Tokens(_) => None,
        }
    }

    async fn counted(&self, ctx: &Ctx, model: &str) -> Usage {
        match &self.input {
            EmbedInput::Texts(texts) => {
                Usage { input: tokens::of_texts(ctx, texts, model).await.count, ..Usage::default() }
            }
            // They are counted already.
            EmbedInput::Tokens(_) => self.expected(),
        }
    }

    async fn ask(&self, http: &Outbound, endpoint: &Endpoint, model: &Model) -> Result<Vectors, Fault> {
        upstream::embed(http, endpoint, self, model).await
    }
}
