//! How many tokens a request has, before it is made. Nothing is answered, nothing costs, and nothing is kept in the log.

use super::error::Result;
use super::providers::endpoint;
use super::redact::{Mask, Rules};
use super::rollout::Asker;
use super::tokens::{self, Tokens};
use super::who::Found;
use super::{upstream, who};
use crate::model::auth::Action;
use crate::model::gateway::{CallSource, Request, TokensBy, Wire, estimate_request};
use crate::runtime::Ctx;

/// Tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub input_tokens: i64,
    /// Whose number it is.
    pub by: TokensBy,
}

/// Counts the tokens of texts for a model, as far as that can be done here: by its own vocabulary, else by the estimate.
///
/// # Errors
/// [`super::Error::Denied`].
pub async fn count_texts(ctx: &Ctx, texts: &[String], model: &str) -> Result<Counted> {
    ctx.authorize(Action::ReadUsage)?;
    let Tokens { count, by } = tokens::of_texts(ctx, texts, model).await;
    Ok(Counted { input_tokens: count, by })
}

/// Counts the tokens that a request would have for the model that would answer it: by the provider where it is Anthropic, by the
/// model's own vocabulary where that is published, else, or where the provider can't be reached, by an estimate: characters by four,
/// with something for each message, tool and picture.
///
/// # Errors
/// [`super::Error::Fault`] where nobody could be asked, or the provider finds that the request does not fit.
pub async fn count_tokens(ctx: &Ctx, mut request: Request) -> Result<Counted> {
    ctx.authorize(Action::UseModel)?;
    Mask::cover(&*Rules::of(ctx).await?, &mut request);
    let request = &request;
    let asker = Asker { session: request.session(), ..Asker::default() };
    let asked = (request.dialect, CallSource::Proxy);
    let Found { rows, candidates, .. } = who::could_answer(ctx, &request.model, asked, asker).await?;
    for candidate in &candidates {
        let row = &rows[candidate.provider];
        if row.wire(request.dialect)? != Wire::Anthropic {
            let Tokens { count, by } = tokens::of_request(ctx, request, &candidate.model.id).await;
            return Ok(Counted { input_tokens: count, by });
        }
        let counted = match endpoint(ctx, row) {
            Ok(endpoint) => upstream::count_tokens(&ctx.http, &endpoint, request, &candidate.model).await,
            Err(super::Error::Fault(fault)) => Err(fault),
            Err(error) => return Err(error),
        };
        match counted {
            Ok(input_tokens) => return Ok(Counted { input_tokens, by: TokensBy::Provider }),
            Err(fault) if fault.class.may_differ_elsewhere() => {
                tracing::debug!(%fault, "tokens were not counted by the provider");
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(Counted { input_tokens: estimate_request(request), by: TokensBy::Estimate })
}
