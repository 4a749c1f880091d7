//! What makes vectors of questions: lent by the gateway, asked for a moment, and left in peace after a failure.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::model::{EmbedderId, Timestamp, UserId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// How long a question waits for its vector; then the model is asked.
const PATIENCE_MS: i64 = 2_000;
/// How long nobody asks again after a failure, so that not every call waits for what does not answer.
const REST_MS: i64 = 10_000;

/// The embedder of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Its id; another model has another.
    pub id: EmbedderId,
    /// The model's name.
    pub model: String,
    /// Numbers of a vector.
    pub dims: usize,
}

/// Something on its way, or why it does not come.
pub type Making<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// What makes vectors of texts.
pub trait Embedder: Send + Sync {
    /// Which one the workspace has set; `None` where none.
    fn serving<'a>(&'a self, ctx: &'a Ctx) -> Making<'a, Option<Serving>>;

    /// A vector of each text, in order. `on_behalf_of` is the person who asks.
    fn embed<'a>(
        &'a self,
        ctx: &'a Ctx,
        model: &'a str,
        texts: Vec<String>,
        on_behalf_of: Option<UserId>,
    ) -> Making<'a, Vec<Vec<f32>>>;
}

/// The one embedder of this process.
#[derive(Default)]
struct Lent(OnceLock<Arc<dyn Embedder>>);

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.0.get().is_some()).finish()
    }
}

/// Until when the embedder of a workspace is left in peace.
#[derive(Debug, Default)]
struct Resting(Mutex<HashMap<WorkspaceId, (EmbedderId, Timestamp)>>);

/// Gives the cache what makes vectors. The first one stays.
pub fn lend_embedder(runtime: &Runtime, embedder: Arc<dyn Embedder>) {
    let _ = runtime.shared::<Lent>().0.set(embedder); // a second one is the same
}

/// The workspace's embedder; `None` where none is set, or this process has nothing that makes vectors.
pub(in crate::cache) async fn serving(ctx: &Ctx) -> Result<Option<Serving>, String> {
    match ctx.shared::<Lent>().0.get() {
        Some(embedder) => embedder.serving(ctx).await,
        None => Ok(None),
    }
}

/// A vector of length 1 of each text, by this embedder.
pub(super) async fn vectors(
    ctx: &Ctx,
    serving: &Serving,
    texts: Vec<String>,
    on_behalf_of: Option<UserId>,
) -> Result<Vec<Vec<f32>>, String> {
    let (lent, resting) = (ctx.shared::<Lent>(), ctx.shared::<Resting>());
    let Some(embedder) = lent.0.get() else { return Err("this process has nothing that makes vectors".to_owned()) };
    let lock = || resting.0.lock().unwrap_or_else(PoisonError::into_inner);
    let rests = lock().get(&ctx.workspace()).copied();
    if rests.is_some_and(|(id, until)| id == serving.id && until > ctx.clock.now()) {
        return Err(format!("{} failed a moment ago", serving.model));
    }
    let expected = texts.len();
    // The program asks, whatever the role of who asks the model.
    let system = ctx.runtime().system(ctx.workspace());
    let made = tokio::select! {
        made = embedder.embed(&system, &serving.model, texts, on_behalf_of) => made,
        () = ctx.clock.sleep_ms(PATIENCE_MS) => {
            Err(format!("{} did not answer within {} s", serving.model, PATIENCE_MS / 1000))
        }
    };
    let made = made.and_then(|vectors| {
        let fits = vectors.len() == expected && vectors.iter().all(|vector| vector.len() == serving.dims);
        let vectors: Option<Vec<Vec<f32>>> = vectors.into_iter().map(unit).collect();
        vectors.filter(|_| fits).ok_or_else(|| format!("{} made vectors that do not fit", serving.model))
    });
    match &made {
        Ok(_) => drop(lock().remove(&ctx.workspace())),
        Err(_) => drop(lock().insert(ctx.workspace(), (serving.id, ctx.clock.now().plus_ms(REST_MS)))),
    }
    made
}

/// The same direction with the length 1; `None` for one that has no direction.
pub(super) fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|n| f64::from(*n) * f64::from(*n)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return None;
    }
    for n in &mut vector {
        *n = (f64::from(*n) / length) as f32;
    }
    Some(vector)
}

/// The cosine of two vectors of length 1: -1 to 1.
pub(super) fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sum.clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_compared_by_its_direction() {
        let (one, same, across) = (unit(vec![3.0, 4.0]), unit(vec![0.3, 0.4]), unit(vec![-4.0, 3.0]));
        assert!((cosine(&one.clone().unwrap(), &same.unwrap()) - 1.0).abs() < 1e-6);
        assert!(cosine(&one.unwrap(), &across.unwrap()).abs() < 1e-6);
        assert_eq!(unit(vec![0.0, 0.0]), None);
        assert_eq!(unit(vec![f32::NAN]), None);
    }
}
