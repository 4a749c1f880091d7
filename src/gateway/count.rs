//! How many tokens a request has, before it is made. Nothing is answered, nothing costs, and nothing is kept in the log.

use super::error::Result;
use super::providers::endpoint;
use super::who::Found;
use super::{upstream, who};
use crate::model::auth::Action;
use crate::model::gateway::{Block, Request, Wire, estimate_tokens};
use crate::runtime::Ctx;

/// Tokens of a picture: what Anthropic counts for the largest that it does not make smaller.
///
/// Source: Anthropic's guide to vision, width times height by 750, at most about 1,600.
const PICTURE_TOKENS: i64 = 1_600;
/// Tokens of what stands around each message and tool.
const FRAME_TOKENS: i64 = 4;

/// Tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub input_tokens: i64,
    /// Whether that is an estimate of ours, and not the provider's number.
    pub estimated: bool,
}

/// Counts the tokens that a request would have for the model that would answer it: by the provider where it is Anthropic, else, or
/// where that can't be reached, by an estimate. Characters by four, with something for each message, tool and picture.
///
/// # Errors
/// [`super::Error::Fault`] where nobody could be asked, or the provider finds that the request does not fit.
pub async fn count_tokens(ctx: &Ctx, request: &Request) -> Result<Counted> {
    ctx.authorize(Action::UseModel)?;
    let Found { rows, candidates, .. } = who::could_answer(ctx, &request.model, request.dialect).await?;
    for candidate in &candidates {
        let row = &rows[candidate.provider];
        if row.wire(request.dialect)? != Wire::Anthropic {
            break;
        }
        let counted = match endpoint(ctx, row) {
            Ok(endpoint) => upstream::count_tokens(&ctx.http, &endpoint, request, &candidate.model).await,
            Err(super::Error::Fault(fault)) => Err(fault),
            Err(error) => return Err(error),
        };
        match counted {
            Ok(input_tokens) => return Ok(Counted { input_tokens, estimated: false }),
            Err(fault) if fault.class.may_differ_elsewhere() => {
                tracing::debug!(%fault, "tokens were not counted by the provider");
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(Counted { input_tokens: estimate(request), estimated: true })
}

fn estimate(request: &Request) -> i64 {
    let blocks = request.messages.iter().flat_map(|message| &message.content).chain(&request.system);
    let pictures: i64 = blocks.map(pictures).sum();
    let frames = (request.messages.len() + request.tools.len()) as i64;
    estimate_tokens(request.chars()) + pictures * PICTURE_TOKENS + frames * FRAME_TOKENS
}

fn pictures(block: &Block) -> i64 {
    match block {
        Block::Image { .. } => 1,
        Block::ToolResult { content, .. } => content.iter().map(pictures).sum(),
        _ => 0,
    }
}
