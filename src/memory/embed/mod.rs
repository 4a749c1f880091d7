//! Vectors of entries: who makes them, and what happens in the background.
//!
//! An **embedder** turns texts into vectors. A model whose name begins with `local/` is one of this machine (`local`). For all
//! others memory knows one trait; what stands behind it is lent at the start of the process (`gateway` lends one that asks a
//! model, metered and budgeted like every call). A workspace has none until somebody
//! sets one, or the settings name one for those where nobody has (`default`).
//!
//! Promises: an entry is found by its words at once, and by its vector as soon as that is made; several processes on one
//! database never pay twice for an entry, but after a crash in the middle of a batch; what can't be done waits, and says why.

mod default;
mod manage;
mod order;
mod question;
mod work;

pub use manage::{get_embedder, list_local_models, serving_embedder, set_embedder, try_embedder};
pub(super) use question::vector_of;
pub(super) use work::tell;
pub use work::{Round, boot, embed_pending};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use crate::memory::local::{self, Urgency};
use crate::model::UserId;
use crate::model::gateway::{Fault, FaultClass};
use crate::runtime::{Ctx, Runtime};

/// Vectors on their way: one for each text, in order, or why there are none.
pub type Vectors<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<f32>>, Fault>> + Send + 'a>>;

/// What makes vectors of texts.
pub trait Embedder: Send + Sync {
    /// Makes a vector of each text, in the workspace of `ctx`, by a model of that name. `on_behalf_of` is the person who waits
    /// for it; nobody does for work in the background.
    ///
    /// A fault of the classes `invalid`, `too_large` and `untranslatable` is these texts' own; with all others nothing can be
    /// embedded for now.
    fn embed<'a>(
        &'a self,
        ctx: &'a Ctx,
        model: &'a str,
        texts: Vec<String>,
        on_behalf_of: Option<UserId>,
    ) -> Vectors<'a>;
}

/// The one embedder of this process.
#[derive(Default)]
struct Lent(OnceLock<Arc<dyn Embedder>>);

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.0.get().is_some()).finish()
    }
}

/// Gives memory what makes vectors. The first one stays.
pub fn lend_embedder(runtime: &Runtime, embedder: Arc<dyn Embedder>) {
    let _ = runtime.shared::<Lent>().0.set(embedder); // a second one is the same
}

/// Who waits for vectors, and for how long.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    on_behalf_of: Option<UserId>,
    urgency: Urgency,
    patience_ms: i64,
}

/// Asks the model, one of this machine or by the lent embedder.
async fn ask(ctx: &Ctx, model: &str, texts: Vec<String>, waiting: Waiting) -> Result<Vec<Vec<f32>>, Fault> {
    let Waiting { on_behalf_of, urgency, patience_ms } = waiting;
    // The program asks, whatever the role of who searches: they search, and that they may.
    let system = ctx.runtime().system(ctx.workspace());
    let expected = texts.len();
    let making = async {
        if let Some(name) = local::folder_of(model) {
            return local::embed(&system, name, texts, urgency).await;
        }
        let lent = ctx.shared::<Lent>();
        let Some(embedder) = lent.0.get() else {
            return Err(Fault::new(FaultClass::NoProvider, "this process has nothing that makes vectors"));
        };
        embedder.embed(&system, model, texts, on_behalf_of).await
    };
    let vectors = tokio::select! {
        vectors = making => vectors?,
        () = ctx.clock.sleep_ms(patience_ms) => {
            let message = format!("{model} did not answer within {} s", patience_ms / 1000);
            return Err(Fault::new(FaultClass::Timeout, message));
        }
    };
    if vectors.len() != expected {
        let message = format!("{model} made {} vectors of {expected} texts", vectors.len());
        return Err(Fault::new(FaultClass::Malformed, message));
    }
    Ok(vectors)
}

/// Whether a fault is that of the texts, so that others may still be embedded.
const fn is_of_the_texts(class: FaultClass) -> bool {
    matches!(class, FaultClass::Invalid | FaultClass::TooLarge | FaultClass::Untranslatable)
}
