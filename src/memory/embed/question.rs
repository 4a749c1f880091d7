//! A question as a vector: asked once, kept for a while, never waited for long.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use super::{Waiting, ask};
use crate::memory::catalog::Serving;
use crate::memory::index::Question;
use crate::memory::local::Urgency;
use crate::model::{EmbedderId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;

/// How long a search waits for the vector of its question. It answers by words then.
const PATIENCE_MS: i64 = 2_000;
/// Questions whose vectors are kept, of all workspaces; the oldest go first. About 10 KB each with 1,536 numbers.
const KEPT: usize = 256;
/// How long nobody asks again after a failure, so that not every search waits for what does not answer.
const REST_MS: i64 = 10_000;

/// What is kept of questions.
#[derive(Debug, Default)]
struct Questions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    known: HashMap<(EmbedderId, String), Question>,
    order: VecDeque<(EmbedderId, String)>,
    /// Why a workspace's embedder failed of late, and until when it is left in peace.
    resting: HashMap<WorkspaceId, (Timestamp, EmbedderId, String)>,
}

impl Kept {
    fn keep(&mut self, key: (EmbedderId, String), question: Question) {
        if self.known.insert(key.clone(), question).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// The vector of a question by the embedder that serves, or why there is none.
pub(in crate::memory) async fn vector_of(ctx: &Ctx, serving: &Serving, text: &str) -> Result<Question, String> {
    let questions = ctx.shared::<Questions>();
    let lock = || questions.0.lock().expect("no code panics while it holds this lock");
    let key = (serving.id, text.trim().to_owned());
    {
        let kept = lock();
        if let Some(question) = kept.known.get(&key) {
            return Ok(question.clone());
        }
        if let Some((until, embedder, reason)) = kept.resting.get(&ctx.workspace())
            && *embedder == serving.id
            && *until > ctx.clock.now()
        {
            return Err(reason.clone());
        }
    }
    let on_behalf_of = ctx.actor.principal.user_id();
    let waiting = Waiting { on_behalf_of, urgency: Urgency::Asked, patience_ms: PATIENCE_MS };
    let made = match ask(ctx, &serving.model, vec![key.1.clone()], waiting).await {
        Ok(vectors) => question(serving, &vectors),
        Err(fault) => Err(fault.message),
    };
    let mut kept = lock();
    match &made {
        Ok(question) => {
            kept.resting.remove(&ctx.workspace());
            kept.keep(key, question.clone());
        }
        Err(reason) => {
            let until = ctx.clock.now().plus_ms(REST_MS);
            kept.resting.insert(ctx.workspace(), (until, serving.id, reason.clone()));
        }
    }
    made
}

fn question(serving: &Serving, vectors: &[Vec<f32>]) -> Result<Question, String> {
    let vector = vectors.first().map_or(&[][..], Vec::as_slice);
    if vector.len() != serving.dims {
        return Err(format!("{} made a vector of {} numbers, not {}", serving.model, vector.len(), serving.dims));
    }
    Question::new(serving.id, vector).ok_or_else(|| format!("{} made a vector without a direction", serving.model))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_oldest_question_makes_room() {
        let embedder = EmbedderId(Uuid::nil());
        let question = Question::new(embedder, &[1.0]).expect("fits");
        let mut kept = Kept::default();
        for at in 0..=KEPT {
            kept.keep((embedder, at.to_string()), question.clone());
            kept.keep((embedder, at.to_string()), question.clone());
        }
        assert_eq!((kept.known.len(), kept.order.len()), (KEPT, KEPT));
        assert!(!kept.known.contains_key(&(embedder, "0".to_owned())));
        assert!(kept.known.contains_key(&(embedder, KEPT.to_string())));
    }
}
