//! What can be asked of a model over one connection, so that all of it goes the same way: breakers, retries, budgets.

use std::future::Future;

use super::upstream::{self, Begun, Endpoint};
use crate::model::gateway::{EmbedRequest, Fault, Model, Request, Usage, Vectors, estimate_request, estimate_tokens};
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

    async fn ask(&self, http: &Outbound, endpoint: &Endpoint, model: &Model) -> Result<Begun, Fault> {
        upstream::ask(http, endpoint, self, model).await
    }
}

impl Ask for EmbedRequest {
    type Got = Vectors;

    fn expected(&self) -> Usage {
        Usage { input: self.input.tokens(), ..Usage::default() }
    }

    async fn ask(&self, http: &Outbound, endpoint: &Endpoint, model: &Model) -> Result<Vectors, Fault> {
        upstream::embed(http, endpoint, self, model).await
    }
}
