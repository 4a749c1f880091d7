//! What makes vectors for a bench: a model behind an address, or one of this machine.

use std::path::{Path, PathBuf};

use super::super::Failure;
use crate::gateway::{self, EmbedOrder};
use crate::memory::{self, Urgency};
use crate::model::ApiError;
use crate::model::gateway::{CallSource, EmbedRequest, Limits, Model, ProviderDraft, ProviderKind};
use crate::model::memory::LOCAL_MODELS;
use crate::runtime::Ctx;

/// Who makes vectors.
const PROVIDER: &str = "bench";

/// What `--embedder` and `--model` say.
#[derive(Debug)]
pub(in crate::cli) enum Vectors {
    /// A model behind an address, as OpenAI's.
    Behind { url: String, model: String },
    /// The folder of a model, by where it stands and its name.
    Folder { shelf: PathBuf, name: String },
}

impl Vectors {
    /// Reads them; `None` without an embedder.
    pub fn of(embedder: Option<&str>, model: Option<&str>) -> Result<Option<Self>, Failure> {
        let Some(embedder) = embedder else { return Ok(None) };
        if embedder.starts_with("http://") || embedder.starts_with("https://") {
            let model = model.ok_or_else(|| Failure::usage("--embedder with an address needs --model"))?;
            return Ok(Some(Self::Behind { url: embedder.to_owned(), model: model.to_owned() }));
        }
        if model.is_some() {
            return Err(Failure::usage("--model is for an address; a folder holds one model"));
        }
        let unreadable = |why: &str| Failure::usage(format!("--embedder {embedder}: {why}"));
        let folder = Path::new(embedder).canonicalize();
        let folder = folder.map_err(|error| unreadable(&format!("expected an address or a folder: {error}")))?;
        let parts = folder.parent().zip(folder.file_name().and_then(|name| name.to_str()));
        let (shelf, name) = parts.ok_or_else(|| unreadable("expected the folder of a model"))?;
        Ok(Some(Self::Folder { shelf: shelf.to_owned(), name: name.to_owned() }))
    }

    /// The folder of models of this machine.
    pub fn shelf(&self) -> Option<PathBuf> {
        match self {
            Self::Behind { .. } => None,
            Self::Folder { shelf, .. } => Some(shelf.clone()),
        }
    }

    /// The model's name, for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Behind { model, .. } => model,
            Self::Folder { name, .. } => name,
        }
    }

    /// Makes the model one of the bench's workspace; returns how it is asked for.
    pub async fn provide(&self, ctx: &Ctx) -> Result<String, Failure> {
        let (url, model) = match self {
            Self::Folder { name, .. } => return Ok(format!("{LOCAL_MODELS}{name}")),
            Self::Behind { url, model } => (url, model),
        };
        let draft = ProviderDraft {
            name: PROVIDER.to_owned(),
            kind: ProviderKind::OpenAiCompatible,
            base_url: url.clone(),
            credential: None,
            models: vec![Model::named(model)],
            responses: false,
            enabled: true,
            limits: Limits::default(),
        };
        gateway::create_provider(ctx, draft).await.map_err(ApiError::from)?;
        Ok(format!("{PROVIDER}/{model}"))
    }

    /// A vector of each text, by the model that [`Vectors::provide`] named, in the log of calls as the cache's.
    pub async fn make(&self, ctx: &Ctx, asked: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Failure> {
        if let Self::Folder { name, .. } = self {
            let made = memory::embed_locally(ctx, name, texts, Urgency::Asked).await;
            return made.map_err(|fault| Failure::failed(fault.message));
        }
        let request = EmbedRequest::texts(asked, texts);
        let order = EmbedOrder { request, source: CallSource::Cache, step: None, on_behalf_of: None };
        Ok(gateway::embed(ctx, order).await.map_err(ApiError::from)?.vectors.vectors)
    }
}
