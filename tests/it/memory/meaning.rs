//! A model server whose vectors say what a text is about, and that fails on command.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Notify;
use weft::gateway;
use weft::memory;
use weft::model::gateway::{Credential, Limits, Model, ProviderDraft, ProviderKind};
use weft::model::memory::{EmbedderDraft, EmbedderReport};
use weft::runtime::{Clock, Ctx, Runtime};

use crate::gateway::process;
use crate::support::Site;

/// Words that mean the same: a number of the vector each.
const MATTERS: [&[&str]; 3] =
    [&["car", "automobile", "vehicle"], &["cake", "dessert", "pastry"], &["doctor", "physician", "clinic"]];

/// Numbers for what is about nothing of that. A vector has 32.
const OWN: usize = 29;

/// How it behaves.
#[derive(Debug, Default)]
pub struct Manner {
    /// Every request's texts, in order.
    pub asked: Vec<Vec<String>>,
    /// It answers with 503.
    pub is_down: bool,
    /// It never answers.
    pub hangs: bool,
    /// It refuses requests with a text that holds this.
    pub refuses: Option<&'static str>,
    /// Numbers that it adds to each vector.
    pub more: usize,
}

/// The server.
pub struct Meaning {
    url: String,
    pub manner: Arc<Mutex<Manner>>,
    pub arrived: Arc<Notify>,
}

impl Meaning {
    pub async fn start() -> Self {
        let (manner, arrived) = (Arc::new(Mutex::new(Manner::default())), Arc::new(Notify::new()));
        let state = (Arc::clone(&manner), Arc::clone(&arrived));
        let router = Router::new().fallback(answer).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, manner, arrived }
    }

    /// Makes it a provider of a workspace, with two models.
    pub async fn provide(&self, ctx: &Ctx) {
        self.provide_as(ctx, "acme").await;
    }

    /// The same under another name.
    pub async fn provide_as(&self, ctx: &Ctx, name: &str) {
        let draft = ProviderDraft {
            name: name.into(),
            kind: ProviderKind::OpenAiCompatible,
            base_url: self.url.clone(),
            credential: Some(Credential("sk-secret".into())),
            models: vec![Model::named("vec"), Model::named("other")],
            responses: false,
            enabled: true,
            limits: Limits { max_retries: 0, ..Limits::default() },
        };
        gateway::create_provider(ctx, draft).await.unwrap();
    }

    /// Its address, as providers have it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How often entries and questions were embedded, trials left out.
    pub fn texts(&self) -> Vec<String> {
        let asked = self.manner.lock().unwrap().asked.clone();
        asked.into_iter().flatten().filter(|text| !text.starts_with("Does this model")).collect()
    }
}

type Shared = (Arc<Mutex<Manner>>, Arc<Notify>);

async fn answer(State((manner, arrived)): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let texts: Vec<String> = match &body["input"] {
        Value::String(text) => vec![text.clone()],
        list => serde_json::from_value(list.clone()).unwrap(),
    };
    let (down, hangs, refused, more) = {
        let mut manner = manner.lock().unwrap();
        manner.asked.push(texts.clone());
        let refused = manner.refuses.is_some_and(|word| texts.iter().any(|text| text.contains(word)));
        (manner.is_down, manner.hangs, refused, manner.more)
    };
    arrived.notify_one();
    if hangs {
        std::future::pending::<()>().await;
    }
    if down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": {"message": "out for lunch"}})));
    }
    if refused {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": {"message": "this text can't be embedded"}})));
    }
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text, more)}))
        .collect();
    let usage = json!({"prompt_tokens": 10, "total_tokens": 10});
    (StatusCode::OK, Json(json!({"object": "list", "data": data, "model": "vec", "usage": usage})))
}

fn vector(text: &str, more: usize) -> Vec<f32> {
    let lower = text.to_lowercase();
    let about = |words: &&[&str]| words.iter().filter(|word| lower.contains(**word)).count() as f32;
    let mut vector: Vec<f32> = MATTERS.iter().map(about).collect();
    // What is about nothing of it still has a direction, of its own.
    let rest = if vector.iter().sum::<f32>() == 0.0 { 1.0 } else { 0.05 };
    let own = lower.bytes().map(usize::from).sum::<usize>() % OWN;
    vector.extend((0..OWN).map(|at| if at == own { rest } else { 0.0 }));
    vector.extend(std::iter::repeat_n(0.0, more));
    vector
}

/// A process of its own on the site's database that may reach the server.
pub fn reaching(site: &Site, clock: Clock) -> Runtime {
    let runtime = process(site, clock);
    gateway::lend_embedder(&runtime);
    runtime
}

/// The same workspace in another process.
pub fn elsewhere(site: &Site, ctx: &Ctx) -> Ctx {
    reaching(site, ctx.clock.clone()).system(ctx.workspace())
}

/// Sets what makes vectors.
pub async fn set(ctx: &Ctx, model: &str) -> EmbedderReport {
    memory::set_embedder(ctx, EmbedderDraft { model: Some(model.to_owned()), anew: false }).await.unwrap()
}
