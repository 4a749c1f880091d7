//! What memory's embedder is in this product: a call of a model like any other.

use std::sync::Arc;

use super::embed::{EmbedOrder, embed};
use super::error::Error;
use crate::memory::{self, Embedder, Vectors};
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

/// Gives memory the models of this gateway, to make vectors with where a workspace wants that.
pub fn lend_embedder(runtime: &Runtime) {
    memory::lend_embedder(runtime, Arc::new(OfProviders));
}
