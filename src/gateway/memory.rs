//! What memory's embedder is in this product, and the cache's: a call of a model like any other.

use std::sync::Arc;

use super::embed::{EmbedOrder, embed};
use super::error::Error;
use crate::cache;
use crate::memory::{self, Embedder, Urgency, Vectors};
use crate::model::UserId;
use crate::model::gateway::{CallSource, EmbedRequest, Fault, FaultClass};
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
                Err(Error::Fault(fault)) => Err(fault),
                Err(other) => Err(Fault::new(FaultClass::Upstream, other.to_string())),
            }
        })
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

/// Gives memory and the cache the models of this gateway, to make vectors with where a workspace wants that.
pub fn lend_embedder(runtime: &Runtime) {
    memory::lend_embedder(runtime, Arc::new(OfProviders));
    cache::lend_embedder(runtime, Arc::new(OfMemory));
}
