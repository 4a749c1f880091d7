//! Models of this machine: vectors made inside the process, by encoders of BERT's kind, small enough for a processor.
//!
//! A folder of the setting `embedders` holds a folder for each model, with the files as they are published: `config.json`,
//! `model.safetensors`, `tokenizer.json` or `vocab.txt`. It is named `local/` and the folder's name. What a text says leaves the
//! process nowhere, costs nothing and stands in no log of calls.
//!
//! Promises: files are checked before they are believed, and what does not fit says which file and why; at most
//! [`MOST_LOADED`] models are kept in memory, and what was not asked for the longest goes first; whoever waits for a vector
//! never waits for what is embedded in the background: each has a lane of one thread.

mod encoder;
mod folder;
mod shape;
mod tensors;
mod vocabulary;
mod words;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use self::encoder::Encoder;
use self::folder::{Folder, Unfit};
use self::shape::Shape;
use self::tensors::Tensors;
use self::words::Words;
use crate::model::gateway::{Fault, FaultClass};
use crate::model::memory::{LOCAL_MODELS, LocalModel};
use crate::runtime::{Ctx, Runtime};

/// Models that are kept in memory.
pub const MOST_LOADED: usize = 2;
/// Folders that are looked at.
const MOST_LISTED: usize = 64;
/// Tokens that are embedded in one go, but for a text that has more: about half a second of work.
const GO: usize = 512;

/// Who waits for vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody does: a search, a question of the cache, a trial.
    Asked,
    /// Nobody does.
    Background,
}

/// The name of the folder of a model of this machine; `None` for one that is reached through the gateway.
pub fn folder_of(model: &str) -> Option<&str> {
    model.strip_prefix(LOCAL_MODELS)
}

/// A model in memory.
#[derive(Debug)]
struct Loaded {
    words: Words,
    encoder: Encoder,
    /// Tokens of a text that are read.
    most: usize,
}

/// A model whose files were looked at, but not read.
#[derive(Debug)]
struct Opened {
    folder: Folder,
    shape: Shape,
    tensors: Tensors,
}

impl Opened {
    fn look(shelf: &Path, name: &str) -> Result<Self, Unfit> {
        let folder = Folder::open(shelf, name)?;
        let shape = Shape::read(&folder)?;
        let tensors = Tensors::open(&folder)?;
        encoder::prefix(&tensors, &shape)?;
        Ok(Self { folder, shape, tensors })
    }

    fn load(self) -> Result<Loaded, Unfit> {
        let Self { folder, shape, tensors } = self;
        let words = vocabulary::read(&folder, shape.vocabulary)?;
        Ok(Loaded { words, encoder: Encoder::read(tensors, &shape)?, most: shape.tokens })
    }
}

impl Loaded {
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>> {
        texts.iter().map(|text| self.words.tokens(text, self.most)).collect()
    }
}

/// What this process knows of the models.
#[derive(Debug)]
struct Shelf {
    /// What was asked for last stands last.
    loaded: Mutex<VecDeque<(String, Arc<Loaded>)>>,
    asked: Arc<Semaphore>,
    background: Arc<Semaphore>,
}

impl Default for Shelf {
    fn default() -> Self {
        let lane = || Arc::new(Semaphore::new(1));
        Self { loaded: Mutex::default(), asked: lane(), background: lane() }
    }
}

impl Shelf {
    /// The model of a folder, loaded if it is not. One is loaded at a time.
    async fn find(&self, runtime: &Runtime, name: &str) -> Result<Arc<Loaded>, Fault> {
        let mut loaded = self.loaded.lock().await;
        let there = loaded.iter().position(|(own, _)| own == name);
        let model = match there.and_then(|at| loaded.remove(at)) {
            Some((_, model)) => model,
            None => {
                let (shelf, own) = (shelf(runtime), name.to_owned());
                let unfit = |unfit: Unfit| {
                    Fault::new(FaultClass::NoModel, format!("the model {LOCAL_MODELS}{name} can't be used: {unfit}"))
                };
                let opened = runtime.tasks.blocking(move || Opened::look(&shelf, &own)).await;
                let opened = opened.map_err(|_| broken(name))?.map_err(unfit)?;
                // Only now, for one that is likely to fit, and before its place is needed.
                while loaded.len() >= MOST_LOADED {
                    loaded.pop_front();
                }
                let model = runtime.tasks.blocking(move || opened.load()).await;
                let model = model.map_err(|_| broken(name))?.map_err(unfit)?;
                tracing::info!(model = name, "a model of this machine was loaded");
                Arc::new(model)
            }
        };
        loaded.push_back((name.to_owned(), Arc::clone(&model)));
        Ok(model)
    }

    async fn lane(&self, urgency: Urgency) -> Option<OwnedSemaphorePermit> {
        let lane = match urgency {
            Urgency::Asked => &self.asked,
            Urgency::Background => &self.background,
        };
        Arc::clone(lane).acquire_owned().await.ok() // it is never closed
    }
}

fn shelf(runtime: &Runtime) -> PathBuf {
    runtime.config.embedders.clone()
}

fn broken(name: &str) -> Fault {
    Fault::new(FaultClass::Upstream, format!("the model {LOCAL_MODELS}{name} stopped in the middle of its work"))
}

/// A vector of length 1 of each text, in order, by the model in the folder of this name.
///
/// Texts are embedded in goes of a few hundred tokens, so that whoever stops waiting leaves at most one behind.
///
/// # Errors
/// A fault of the class `no_model` where the folder holds none that fits, with the file and what was expected.
pub async fn embed(ctx: &Ctx, name: &str, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vec<f32>>, Fault> {
    let shelf = ctx.shared::<Shelf>();
    let mut lane = shelf.lane(urgency).await;
    let model = shelf.find(ctx.runtime(), name).await?;
    let own = Arc::clone(&model);
    let tokens = ctx.tasks.blocking(move || own.tokens(&texts)).await.map_err(|_| broken(name))?;
    let mut vectors = vec![Vec::new(); tokens.len()];
    for go in goes(tokens) {
        let own = Arc::clone(&model);
        // The lane goes along: nobody else works in it, also when nobody waits for this any more.
        let work = move || {
            let (places, tokens): (Vec<usize>, Vec<Vec<u32>>) = go.into_iter().unzip();
            (places, own.encoder.vectors(&tokens), lane)
        };
        let (places, made, back) = ctx.tasks.blocking(work).await.map_err(|_| broken(name))?;
        lane = back;
        for (place, vector) in places.into_iter().zip(made) {
            vectors[place] = vector;
        }
    }
    Ok(vectors)
}

/// Texts with their places, gathered into goes of about the same length.
fn goes(tokens: Vec<Vec<u32>>) -> Vec<Vec<(usize, Vec<u32>)>> {
    let mut goes: Vec<Vec<(usize, Vec<u32>)>> = Vec::new();
    let mut room = 0;
    for (place, text) in tokens.into_iter().enumerate() {
        match goes.last_mut().filter(|_| text.len() <= room) {
            Some(go) => {
                room -= text.len();
                go.push((place, text));
            }
            None => {
                room = GO.saturating_sub(text.len());
                goes.push(vec![(place, text)]);
            }
        }
    }
    goes
}

/// The models that stand in the folder, by name; those that can't be used say why. The first 64 of them.
pub async fn list(ctx: &Ctx) -> Vec<LocalModel> {
    let shelf = shelf(ctx.runtime());
    ctx.tasks.blocking(move || looked_at(&shelf)).await.unwrap_or_default()
}

fn looked_at(shelf: &Path) -> Vec<LocalModel> {
    let Ok(entries) = std::fs::read_dir(shelf) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_one = |name: &String| folder::is_name(name) && shelf.join(name).join(shape::FILE).exists();
    let mut names: Vec<String> = names.filter(is_one).collect();
    names.sort();
    names.truncate(MOST_LISTED);
    names.into_iter().map(|name| looked_into(shelf, &name)).collect()
}

fn looked_into(shelf: &Path, name: &str) -> LocalModel {
    let model = format!("{LOCAL_MODELS}{name}");
    match Opened::look(shelf, name) {
        Ok(Opened { folder, shape, tensors }) => LocalModel {
            model,
            dimensions: Some(shape.hidden as u32),
            tokens: Some(shape.tokens as u32),
            bytes: Some(tensors.bytes as i64),
            languages: shape::languages(&folder),
            problem: None,
        },
        Err(unfit) => LocalModel { model, problem: Some(unfit.to_string()), ..LocalModel::default() },
    }
}

#[cfg(test)]
mod tests;
