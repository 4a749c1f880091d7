//! Tokens, counted here: before a call, and where a provider does not tell.
//!
//! Owns which number is taken. Promises that each says where it is from ([`TokensBy`]), and that counting takes a bounded time and
//! memory whatever the text is. A model whose vocabulary is published is counted by that, which is in the program; of all others
//! (Anthropic publishes none) the number is the estimate that needs nothing but the length.
//!
//! Counting reads the whole text, some ten megabytes a second. So it is done where the number decides something: where somebody
//! asks for it, where a request may be too long for its window, where a budget may not have the money for it, and where a provider
//! told none of an answer, whole, streamed or broken off (`later`). Not for queues, and not for what was left behind before it began
//! to answer: those go by the estimate, as they would for any other model, and say so.

mod later;
mod vocabulary;
mod words;

use std::sync::Arc;

use tokio::sync::Semaphore;

pub(super) use self::later::{Counted, Lacks, Later};
use self::words::Words;
use crate::model::gateway::{Request, Response, TokensBy, Usage, Vocabulary, estimate_request, estimate_tokens};
use crate::runtime::{Ctx, Runtime};

/// Texts that are counted at once; the library keeps 1.2 MB for each thread that counts.
const AT_ONCE: usize = 2;
/// Bytes that are counted; what is longer is estimated. More than any model of a known vocabulary holds.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tokens {
    pub count: i64,
    /// Where it is from.
    pub by: TokensBy,
}

impl Tokens {
    /// By the length alone.
    pub const fn estimated(count: i64) -> Self {
        Self { count, by: TokensBy::Estimate }
    }
}

/// Who may count now.
#[derive(Debug)]
struct Counting(Arc<Semaphore>);

impl Default for Counting {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Tokens of a request for a model: all that it reads.
pub(super) async fn of_request(ctx: &Ctx, request: &Request, model: &str) -> Tokens {
    match Vocabulary::of(model) {
        Some(vocabulary) => count(ctx.runtime(), vocabulary, Words::of(request, MOST_BYTES).await.map(Arc::new)).await,
        None => None,
    }
    .unwrap_or_else(|| Tokens::estimated(estimate_request(request)))
}

/// Tokens that a request has at most for a model; `None` where the model's vocabulary is not known, so that nobody here could count.
pub(super) fn at_most(request: &Request, model: &str) -> Option<i64> {
    Vocabulary::of(model).map(|_| words::at_most(request))
}

/// The same of texts: a token has a byte or more.
pub(super) fn texts_at_most(texts: &[String], model: &str) -> Option<i64> {
    Vocabulary::of(model).map(|_| texts.iter().map(|text| text.len() as i64).sum())
}

/// Whether a request fits into so many tokens whatever its vocabulary, so that nothing has to be counted.
pub(super) fn fits_surely(request: &Request, room: u32) -> bool {
    words::at_most(request) <= i64::from(room)
}

/// Tokens of texts for a model.
pub(super) async fn of_texts(ctx: &Ctx, texts: &[String], model: &str) -> Tokens {
    match Vocabulary::of(model) {
        Some(vocabulary) => count(ctx.runtime(), vocabulary, Words::of_texts(texts, MOST_BYTES).map(Arc::new)).await,
        None => None,
    }
    .unwrap_or_else(|| Tokens::estimated(texts.iter().map(|text| estimate_tokens(text.chars().count() as u64)).sum()))
}

/// What a whole answer took: the provider's numbers, and our own of what it does not tell. `reads` is what it was sent to read.
pub(super) async fn of_answer(ctx: &Ctx, reads: Tokens, response: &Response, model: &str) -> (Usage, TokensBy) {
    let written = Tokens::estimated(estimate_tokens(response.blocks().map(crate::model::gateway::Block::chars).sum()));
    let counted = match Vocabulary::of(model).filter(|_| response.usage.output == 0 && written.count > 0) {
        Some(vocabulary) => {
            let words = Words::of_blocks(response.blocks(), MOST_BYTES).map(Arc::new);
            count(ctx.runtime(), vocabulary, words).await
        }
        None => None,
    };
    filled(response.usage, reads, counted.unwrap_or(written))
}

/// The provider's numbers, and ours for those that it does not tell.
fn filled(told: Usage, reads: Tokens, written: Tokens) -> (Usage, TokensBy) {
    let (mut usage, mut by) = (told, TokensBy::Provider);
    if told.prompt() == 0 {
        (usage.input, by) = (reads.count, by.max(reads.by));
    }
    if told.output == 0 && written.count > 0 {
        (usage.output, by) = (written.count, by.max(written.by));
    }
    (usage, by)
}

/// `None` where it can't be counted: it is too long (there are no words then), or the work was cut off.
async fn count(runtime: &Runtime, vocabulary: Vocabulary, words: Option<Arc<Words>>) -> Option<Tokens> {
    let words = words?;
    let counting = runtime.shared::<Counting>();
    let turn = Arc::clone(&counting.0).acquire_owned().await.ok()?;
    let work = move || {
        // Whoever asked may be gone by now: it is its turn until it is done.
        let _turn = turn;
        let mut sum = words.around;
        for text in &words.texts {
            sum += vocabulary::count(vocabulary, text)?;
        }
        Some(Tokens { count: sum, by: if words.is_vague { TokensBy::Estimate } else { TokensBy::Tokenizer } })
    };
    runtime.tasks.blocking(work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_does_not_tell_is_counted_here_and_says_so() {
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        let reads = Tokens { count: 40, by: TokensBy::Tokenizer };
        let filled = |told| {
            let (usage, by) = filled(told, reads, Tokens::estimated(2));
            (usage.prompt(), usage.output, by)
        };
        assert_eq!(filled(usage(9, 3)), (9, 3, TokensBy::Provider));
        assert_eq!(filled(usage(0, 3)), (40, 3, TokensBy::Tokenizer));
        assert_eq!(filled(usage(9, 0)), (9, 2, TokensBy::Estimate));
        assert_eq!(filled(usage(0, 0)), (40, 2, TokensBy::Estimate));
        assert_eq!(filled(Usage { cache_read: 9, ..usage(0, 3) }), (9, 3, TokensBy::Provider));
    }
}
