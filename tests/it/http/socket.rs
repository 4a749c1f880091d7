//! `/ws/updates` on a real port.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use weft::auth;
use weft::memory::{self, Expect};
use weft::model::auth::Role;
use weft::model::memory::{Access, Allowed, EntryDraft};
use weft::runtime::{Ctx, Runtime};
use weft::workflow::{self, NewRun, definitions};

use super::{definition, member, owner};
use crate::support::Site;

/// A socket of a browser.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message that is no ping; a close as `{"closed": code}`.
    async fn hear(&mut self) -> Value {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                    Some(Ok(Message::Close(frame))) => return json!({"closed": frame.map(|f| u16::from(f.code))}),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return json!({"closed": null}),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), next).await.expect("a message within ten seconds")
    }

    /// Everything up to the answer of a ping: whatever was on its way has arrived then.
    async fn hear_all(&mut self) -> Vec<Value> {
        self.say(json!({"ping": 7})).await;
        let mut heard = Vec::new();
        loop {
            match self.hear().await {
                message if message["pong"] == 7 => return heard,
                message => heard.push(message),
            }
        }
    }
}

/// Serves the program on a port of its own.
async fn serve(rt: &Runtime) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let app = weft::http::router(rt).into_make_service_with_connect_info::<std::net::SocketAddr>();
    rt.tasks.spawn("a test's server", async move { axum::serve(listener, app).await.unwrap() });
    host
}

async fn open(host: &str, headers: &[(&'static str, String)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{host}/ws/updates").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// The socket that a page of ours opens.
async fn browser(host: &str, cookie: &str) -> Socket {
    open(host, &[("cookie", format!("weft={cookie}")), ("origin", format!("http://{host}"))]).await.unwrap()
}

async fn remember(ctx: &Ctx, namespace: &str, key: &str) {
    let draft = EntryDraft { content: "A thought.".to_owned(), ..EntryDraft::default() };
    memory::put(ctx, namespace, key, draft, Expect::Any, memory::source(ctx)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_our_own_pages_and_tokens_open_it() {
    let site = Site::sqlite().await;
    let (_, cookie) = owner(&site.runtime).await;
    let host = serve(&site.runtime).await;
    let cookie = ("cookie", format!("weft={cookie}"));
    let ours = ("origin", format!("http://{host}"));
    assert!(open(&host, &[cookie.clone(), ours.clone()]).await.is_ok());
    for (headers, status) in [
        (vec![], 401),
        (vec![ours], 401),
        (vec![cookie.clone()], 403),
        (vec![cookie.clone(), ("origin", "https://evil.com".to_owned())], 403),
        (vec![cookie.clone(), ("origin", format!("https://{host}"))], 403),
        (vec![cookie.clone(), ("origin", "null".to_owned())], 403),
        (vec![cookie, ("origin", format!("http://{host}")), ("sec-fetch-site", "cross-site".to_owned())], 403),
        (vec![("authorization", "Bearer none".to_owned())], 401),
    ] {
        assert_eq!(open(&host, &headers).await.err(), Some(status), "{headers:?}");
    }
    let credentials = crate::auth::credentials("mara@team.example", crate::auth::PASSWORD);
    let tokens = auth::issue_tokens(&site.runtime, &crate::auth::client(), &credentials).await.unwrap();
    assert!(open(&host, &[("authorization", format!("Bearer {}", tokens.access_token.0))]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_closed_when_the_sign_in_ends_and_when_the_role_changes() {
    let site = Site::sqlite().await;
    let rt = &site.runtime;
    let (mara, cookie) = owner(rt).await;
    let (tomas, his) = member(&mara, Role::Admin).await;
    let host = serve(rt).await;
    let (mut hers, mut demoted) = (browser(&host, &cookie).await, browser(&host, &his).await);
    assert!(hers.hear_all().await.is_empty() && demoted.hear_all().await.is_empty());
    auth::change_role(&mara, tomas.actor.principal.user_id().unwrap(), Role::Viewer).await.unwrap();
    assert_eq!(demoted.hear().await, json!({"closed": 4401}));
    assert!(hers.hear_all().await.is_empty());
    auth::log_out(&mara).await.unwrap();
    assert_eq!(hers.hear().await, json!({"closed": 4401}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_followed_live_and_taken_up_again_where_it_was_left() {
    let site = Site::sqlite().await;
    let rt = &site.runtime;
    let (mara, cookie) = owner(rt).await;
    let host = serve(rt).await;
    let made = definitions::create(&mara, serde_json::from_value(definition("Nightly")).unwrap()).await.unwrap();
    let mut socket = browser(&host, &cookie).await;
    socket.say(json!({"subscribe": ["runs"]})).await;
    assert_eq!(socket.hear().await["snapshot"], "runs");
    let run = workflow::start(&mara, NewRun::manual(made.id, json!({}), None, true)).await.unwrap();
    workflow::wait_for_end(&mara, run, Duration::from_secs(30)).await.unwrap();
    let mut last = json!(null);
    while last["data"]["status"] != "succeeded" {
        last = socket.hear().await;
        assert_eq!((&last["topic"], &last["kind"]), (&json!("runs"), &json!("run_changed")), "{last}");
    }
    assert_eq!(last["data"]["id"], run.to_string());
    drop(socket);

    let topic = format!("run:{run}");
    let mut again = browser(&host, &cookie).await;
    again.say(json!({"subscribe": [topic], "after": {topic.as_str(): 2}})).await;
    let missed = again.hear_all().await;
    let seqs: Vec<i64> = missed.iter().map(|update| update["seq"].as_i64().unwrap()).collect();
    let history = workflow::list_events(&mara, run, 2, 100).await.unwrap();
    assert_eq!(seqs, history.iter().map(|event| event.seq).collect::<Vec<_>>());
    assert!(missed.iter().all(|update| update["kind"] == "event" && update["topic"] == topic.as_str()), "{missed:?}");
    assert_eq!(missed.last().unwrap()["data"]["kind"], "run_succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_is_followed_with_what_is_below_it() {
    let site = Site::sqlite().await;
    let (mara, cookie) = owner(&site.runtime).await;
    let host = serve(&site.runtime).await;
    let mut socket = browser(&host, &cookie).await;
    socket.say(json!({"subscribe": ["memory:code"]})).await;
    assert_eq!(socket.hear().await["snapshot"], "memory:code");
    for (namespace, key) in [("codec", "a"), ("code/health", "b"), ("people", "c"), ("code", "d")] {
        remember(&mara, namespace, key).await;
    }
    let heard = socket.hear_all().await;
    let keys: Vec<&str> = heard.iter().map(|update| update["data"]["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["b", "d"], "{heard:?}");
    socket.say(json!({"unsubscribe": ["memory:code"]})).await;
    remember(&mara, "code", "e").await;
    assert!(socket.hear_all().await.iter().all(|update| update["data"]["key"] == "e"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_rule_hides_is_not_heard_of_and_what_it_lets_out_is() {
    let site = Site::sqlite().await;
    let (mara, _) = owner(&site.runtime).await;
    let (_, his) = member(&mara, Role::Builder).await;
    let host = serve(&site.runtime).await;
    let allow = async |path: &str, role: Role| {
        let admins = Allowed { role: Some(role), users: Vec::new() };
        memory::allow(&mara, path, Access { read: admins.clone(), write: admins }).await.unwrap();
    };
    allow("people", Role::Admin).await;
    let mut socket = browser(&host, &his).await;
    socket.say(json!({"subscribe": ["memory:", "memory:people"]})).await;
    socket.hear_all().await;
    remember(&mara, "people/pay", "a").await;
    remember(&mara, "code", "b").await;
    let moved = json!({"steps": [{"namespace": "code", "key": "b", "act": {"kind": "move", "to": "people"}}]});
    memory::change_entries(&mara, &serde_json::from_value(moved).unwrap()).await.unwrap();
    let heard = json!(socket.hear_all().await).to_string();
    assert!(heard.contains("\"b\"") && !heard.contains("people"), "{heard}");
    assert!(heard.contains("entry_deleted"), "what was moved to where he may not look is gone for him: {heard}");
    allow("people", Role::Viewer).await;
    let heard = socket.hear_all().await;
    assert!(heard.iter().any(|message| message["snapshot"] == "memory:people"), "it is read anew: {heard:?}");
    remember(&mara, "people/pay", "c").await;
    let heard = socket.hear_all().await;
    assert!(heard.iter().all(|message| message["data"]["key"] == "c") && heard.len() == 2, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_does_not_understand_it_says() {
    let site = Site::sqlite().await;
    let (mara, cookie) = owner(&site.runtime).await;
    let host = serve(&site.runtime).await;
    let mut socket = browser(&host, &cookie).await;
    let strangers_run = site.runtime.ids.fresh::<weft::model::RunId>();
    for message in [
        json!({"subscribe": ["weather"]}),
        json!({"shout": true}),
        json!([]),
        json!({"subscribe": [format!("run:{strangers_run}")], "after": {format!("run:{strangers_run}"): 1}}),
    ] {
        socket.say(message.clone()).await;
        assert!(socket.hear().await["error"].is_string(), "{message}");
    }
    // Topics that nobody could need are refused, and those before them stay.
    let many: Vec<String> = (0..80).map(|n| format!("memory:n{n}")).collect();
    socket.say(json!({"subscribe": many})).await;
    assert!(socket.hear_all().await.iter().any(|message| message["error"].is_string()));
    remember(&mara, "n0", "k").await;
    assert_eq!(socket.hear_all().await.last().unwrap()["topic"], "memory:n0");
}
