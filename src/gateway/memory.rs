//! What memory's embedder is in this product, and the cache's, and who writes its summaries: a call of a model like any other.

use std::sync::Arc;

use super::call::{self, Answered, Order};
use super::embed::{EmbedOrder, embed};
use super::error::Error;
use super::explain::explain;
use crate::cache;
use crate::memory::{self, Asking, Embedder, Priced, Summarizer, SummaryAnswer, SummaryQuestion, Urgency, Vectors};
use crate::model::UserId;
use crate::model::cache::CacheWish;
use crate::model::gateway::{
    Block, CallSource, ContextWish, Dialect, EmbedRequest, ExplainRequest, Fault, FaultClass, Message, Request, Role,
    StopReason, Usage,
};
use crate::runtime::{Ctx, Runtime};

/// Asks models of the workspace's providers: routed, retried, masked, budgeted, priced and kept in the log of calls as memory's.
struct OfProviders;

impl Embedder for OfProviders {
    fn embed<'a>(
        &'a self,
        ctx: &'a Ctx,
        model: &'a str,
        texts: Vec<String>,
        on_behalf_of: Option<UserId>,
    ) -> Vectors<'a> {
        Box::pin(async move {
            let request = EmbedRequest::texts(model, texts);
            let order = EmbedOrder { request, source: CallSource::Memory, step: None, on_behalf_of };
            match embed(ctx, order).await {
                Ok(embedded) => Ok(embedded.vectors.vectors),
                Err(error) => Err(fault_of(error)),
            }
        })
    }
}

impl Summarizer for OfProviders {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: SummaryQuestion) -> Asking<'a, SummaryAnswer> {
        Box::pin(async move {
            let mut request = Request::new(Dialect::Anthropic, question.model.as_str());
            request.system.push(Block::text(question.task.as_str()));
            request.messages.push(Message::text(Role::User, question.material));
            request.max_tokens = Some(question.max_tokens);
            let order = Order {
                request,
                source: CallSource::Memory,
                step: None,
                agent: None,
                on_behalf_of: None,
                cache: CacheWish::default(),
                context: ContextWish::default(),
            };
            match call::call(ctx, order).await {
                Ok(Answered::Whole(answer)) if answer.response.stop == StopReason::Refusal => {
                    Err(Fault::new(FaultClass::Malformed, "the model declined to summarize"))
                }
                Ok(Answered::Whole(answer)) => {
                    Ok(SummaryAnswer { text: answer.response.text(), cost_micros: answer.cost_micros })
                }
                Ok(Answered::Live(_)) => Err(Fault::new(FaultClass::Malformed, "a stream came that nobody asked for")),
                Err(error) => Err(fault_of(error)),
            }
        })
    }

    fn price<'a>(&'a self, ctx: &'a Ctx, model: &'a str, read: i64, written: i64) -> Asking<'a, Priced> {
        Box::pin(async move {
            // Who summarizes may not read how providers are set up; that one would answer, they may know.
            let system = ctx.runtime().system(ctx.workspace());
            let explained =
                explain(&system, &ExplainRequest::about(model, Dialect::Anthropic)).await.map_err(fault_of)?;
            let Some(first) = explained.candidates.first() else {
                let why = explained.refused.unwrap_or_else(|| "no model can be asked".to_owned());
                return Err(Fault::new(FaultClass::NoProvider, why));
            };
            let usage = Usage { input: read, output: written, ..Usage::default() };
            let cost = call::cost_micros(&system, first.provider_id, &first.model, usage).await.map_err(fault_of)?;
            Ok(Priced { model: format!("{}/{}", first.provider, first.model), cost_micros: cost })
        })
    }
}

fn fault_of(error: Error) -> Fault {
    match error {
        Error::Fault(fault) => fault,
        other => Fault::new(FaultClass::Upstream, other.to_string()),
    }
}

/// Makes vectors of questions by the model that memory makes its own with, in the log of calls as the cache's; one of this machine
/// is asked directly.
struct OfMemory;

impl cache::Embedder for OfMemory {
    fn serving<'a>(&'a self, ctx: &'a Ctx) -> cache::Making<'a, Option<cache::Serving>> {
        Box::pin(async move {
            let serving = memory::serving_embedder(ctx).await.map_err(|error| error.to_string())?;
            Ok(serving.map(|(id, model, dims)| cache::Serving { id, model, dims }))
        })
    }

    fn embed<'a>(
        &'a self,
        ctx: &'a Ctx,
        model: &'a str,
        texts: Vec<String>,
        on_behalf_of: Option<UserId>,
    ) -> cache::Making<'a, Vec<Vec<f32>>> {
        Box::pin(async move {
            if let Some(name) = memory::local_folder_of(model) {
                let made = memory::embed_locally(ctx, name, texts, Urgency::Asked).await;
                return made.map_err(|fault| fault.message);
            }
            let request = EmbedRequest::texts(model, texts);
            let order = EmbedOrder { request, source: CallSource::Cache, step: None, on_behalf_of };
            embed(ctx, order).await.map(|embedded| embedded.vectors.vectors).map_err(|error| error.to_string())
        })
    }
}

/// Gives memory and the cache the models of this gateway, to make vectors with where a workspace wants that, and to summarize.
pub fn lend_embedder(runtime: &Runtime) {
    memory::lend_embedder(runtime, Arc::new(OfProviders));
    memory::lend_summarizer(runtime, Arc::new(OfProviders));
    cache::lend_embedder(runtime, Arc::new(OfMemory));
}
