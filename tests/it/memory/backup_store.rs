//! Backups to a store that speaks S3: a small one, which checks what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use weft::memory::{self, Expect};
use weft::model::memory::{BackupDraft, BackupOutcome, BackupRestore};
use weft::runtime::outbound::{Outbound, Policy};
use weft::runtime::{Ctx, Runtime};

use super::{put, workspace};

const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Bytes>,
    refuses: bool,
    gate: Option<Arc<Gate>>,
}

/// Where the next file that is written waits.
#[derive(Debug, Default)]
struct Gate {
    came: Notify,
    goes_on: Notify,
}

/// A running store.
struct Bucket {
    url: String,
    kept: Arc<Mutex<Kept>>,
}

impl Bucket {
    async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept }
    }

    fn names(&self) -> Vec<String> {
        self.kept.lock().unwrap().objects.keys().cloned().collect()
    }

    fn refuse(&self, refuses: bool) {
        self.kept.lock().unwrap().refuses = refuses;
    }

    /// Has the next file that is written wait.
    fn hold(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.kept.lock().unwrap().gate = Some(Arc::clone(&gate));
        gate
    }
}

async fn answer(
    State(kept): State<Arc<Mutex<Kept>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let gate = if method == Method::PUT { kept.lock().unwrap().gate.take() } else { None };
    if let Some(gate) = gate {
        gate.came.notify_one();
        gate.goes_on.notified().await;
    }
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    let mut kept = kept.lock().unwrap();
    let said = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap();
    let digest: String = Sha256::digest(&body).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let signed = header("authorization");
    let is_signed = signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/")
        && signed
            .contains("/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=")
        && header("x-amz-date").len() == "20261123T023000Z".len();
    if kept.refuses || !is_signed || header("x-amz-content-sha256") != digest {
        let told = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        return said(403, Body::from(told));
    }
    let path = uri.path().to_owned();
    match method {
        Method::PUT => {
            kept.objects.insert(path, body);
            said(200, Body::empty())
        }
        Method::DELETE => {
            kept.objects.remove(&path);
            said(204, Body::empty())
        }
        _ => match kept.objects.get(&path) {
            Some(object) => said(200, Body::from(object.clone())),
            None => said(404, Body::from("<Error><Code>NoSuchKey</Code></Error>")),
        },
    }
}

/// The same workspace in a process that may reach loopback.
fn reaching(ctx: &Ctx) -> Ctx {
    let mut runtime: Runtime = ctx.runtime().clone();
    runtime.http = Outbound::new(Policy::allowing(&["127.0.0.1/32"]).unwrap());
    runtime.as_actor(ctx.actor.clone(), String::new())
}

/// A backup of a namespace to the store, every hour.
fn to(bucket: &Bucket, prefix: &str) -> BackupDraft {
    let draft = json!({"namespace": "code", "schedule": {"kind": "every", "hours": 1}, "keep": 1, "enabled": true,
        "target": {"kind": "s3", "endpoint": bucket.url, "region": "eu-central-1", "bucket": "team", "prefix": prefix,
            "access_key_id": "AKID"},
        "secret_key": "hush-hush"});
    serde_json::from_value(draft).unwrap()
}

on_both_engines! {
    async fn a_copy_whose_backup_goes_elsewhere_meanwhile_does_not_count(site: Site) {
        let ctx = reaching(&workspace(&site).await);
        let bucket = Bucket::start().await;
        put(&ctx, "code", "a", "one").await;
        let made = memory::save_backup(&ctx, None, to(&bucket, "old")).await.unwrap();
        let gate = bucket.hold();
        ctx.clock.advance_ms(HOUR_MS);
        let moved = async {
            gate.came.notified().await;
            memory::save_backup(&ctx, Some(made.id), to(&bucket, "new")).await.unwrap();
            gate.goes_on.notify_one();
        };
        let (fired, ()) = tokio::join!(memory::fire_backups(ctx.runtime()), moved);
        assert_eq!(fired.unwrap(), 1);
        let known = memory::list_backups(&ctx).await.unwrap().remove(0);
        assert_eq!((known.copies.len(), known.runs[0].outcome), (0, BackupOutcome::Failed));
        assert!(known.runs[0].reason.contains("was changed"), "{}", known.runs[0].reason);
        assert_eq!(bucket.names(), [""; 0], "what was written of it is gone");
        ctx.clock.advance_ms(HOUR_MS);
        assert_eq!(memory::fire_backups(ctx.runtime()).await.unwrap(), 1);
        let known = memory::list_backups(&ctx).await.unwrap().remove(0);
        assert_eq!(bucket.names(), [format!("/team/new/{}-1.jsonl", known.copies[0].name)]);
    }

    async fn copies_go_to_a_store_are_kept_as_said_and_come_back(site: Site) {
        let ctx = reaching(&workspace(&site).await);
        let bucket = Bucket::start().await;
        put(&ctx, "code", "a", "as it was").await;
        let made = memory::save_backup(&ctx, None, to(&bucket, "weft/daily")).await.unwrap();
        let fire = async || {
            ctx.clock.advance_ms(HOUR_MS);
            assert_eq!(memory::fire_backups(ctx.runtime()).await.unwrap(), 1);
            memory::list_backups(&ctx).await.unwrap().remove(0)
        };
        let first = fire().await;
        assert_eq!((first.runs[0].outcome, first.runs[0].reason.as_str()), (BackupOutcome::Done, ""));
        let name = first.copies[0].name.clone();
        assert_eq!(bucket.names(), [format!("/team/weft/daily/{name}-1.jsonl")]);
        put(&ctx, "code", "a", "something else").await;
        let asked = BackupRestore { copy: name.clone(), preview: false };
        assert_eq!(memory::restore_backup(&ctx, made.id, &asked).await.unwrap().updated, 1);
        assert_eq!(memory::get(&ctx, "code", "a").await.unwrap().content, "as it was");
        let second = fire().await;
        assert_eq!((second.copies.len(), second.runs[0].removed, bucket.names().len()), (1, 1, 1));
        assert_ne!(second.copies[0].name, name);
        // What the store refuses is told in its words, and the copy before stays.
        bucket.refuse(true);
        let refused = fire().await;
        assert_eq!(refused.runs[0].outcome, BackupOutcome::Failed);
        assert!(refused.runs[0].reason.contains("the store answered 403 (AccessDenied: Access Denied)"), "{}", refused.runs[0].reason);
        assert_eq!(refused.copies, second.copies);
        let asked = BackupRestore { copy: second.copies[0].name.clone(), preview: true };
        let unreadable = memory::restore_backup(&ctx, made.id, &asked).await.unwrap_err().to_string();
        assert!(unreadable.contains("can't be read"), "{unreadable}");
        // What was begun and never became whole is gone once the store answers again.
        bucket.refuse(false);
        memory::delete(&ctx, "code", "a", Expect::Any).await.unwrap();
        put(&ctx, "code", "b", "another").await;
        let third = fire().await;
        assert_eq!((third.copies.len(), bucket.names().len()), (1, 1));
    }
}
