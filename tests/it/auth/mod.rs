//! Identity: faces and edges, on both databases.

mod guard;
mod people;
mod sign_in;
mod tokens;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;
use weft::auth::{self, Client};
use weft::model::auth::Role;
use weft::model::credentials::{Credentials, InviteAcceptance, InviteRequest, Secret, SetupRequest, Tokens};
use weft::runtime::{Ctx, Runtime};

pub const PASSWORD: &str = "a loom in the attic";

pub fn client() -> Client {
    Client { address: "192.0.2.7".to_owned(), user_agent: "tests".to_owned() }
}

pub fn credentials(email: &str, password: &str) -> Credentials {
    Credentials { email: email.to_owned(), password: password.into() }
}

/// The token of the link that the server printed.
pub async fn setup_token(rt: &Runtime) -> Secret {
    let link = auth::boot(rt).await.unwrap().expect("nobody is there yet");
    Secret(link.split_once("?token=").unwrap().1.to_owned())
}

pub fn setup_request(token: Secret) -> SetupRequest {
    SetupRequest {
        token,
        email: "mara@team.example".to_owned(),
        name: "Mara".to_owned(),
        password: PASSWORD.into(),
        workspace: "Team".to_owned(),
    }
}

/// Makes the first owner; gives the context of their browser and its cookie.
pub async fn owner(rt: &Runtime) -> (Ctx, String) {
    let token = setup_token(rt).await;
    let sign_in = auth::set_up_and_log_in(rt, &client(), &setup_request(token)).await.unwrap();
    (ctx_of(rt, &sign_in.secret.0).await, sign_in.secret.0)
}

/// Invites and accepts; gives the context of the new person's browser and its cookie.
pub async fn member(owner: &Ctx, role: Role) -> (Ctx, String) {
    let email = format!("{}@team.example", role.as_str());
    named_member(owner, role, &email).await
}

pub async fn named_member(owner: &Ctx, role: Role, email: &str) -> (Ctx, String) {
    let made = auth::invite(owner, &InviteRequest { email: email.to_owned(), role }).await.unwrap();
    let token = Secret(made.link.split_once("?token=").unwrap().1.to_owned());
    let acceptance = InviteAcceptance { token, name: "A person".to_owned(), password: PASSWORD.into() };
    let sign_in = auth::accept_invite(owner.runtime(), &client(), &acceptance).await.unwrap();
    (ctx_of(owner.runtime(), &sign_in.secret.0).await, sign_in.secret.0)
}

pub async fn ctx_of(rt: &Runtime, cookie: &str) -> Ctx {
    let actor = auth::authenticate_cookie(rt, cookie).await.unwrap().expect("signed in");
    rt.as_actor(actor, String::new())
}

pub async fn is_signed_in(rt: &Runtime, cookie: &str) -> bool {
    auth::authenticate_cookie(rt, cookie).await.unwrap().is_some()
}

pub async fn holds(rt: &Runtime, tokens: &Tokens) -> bool {
    auth::authenticate_bearer(rt, &tokens.access_token.0).await.unwrap().is_some()
}

/// A request to the whole program.
pub struct Call(axum::http::request::Builder, Body);

pub fn call(method: Method, path: &str) -> Call {
    Call(Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:3000"), Body::empty())
}

impl Call {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0 = self.0.header(name, value);
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.0 = self.0.header(header::CONTENT_TYPE, "application/json");
        self.1 = Body::from(body.to_string());
        self
    }

    pub fn text(mut self, content_type: &str, body: &str) -> Self {
        self.0 = self.0.header(header::CONTENT_TYPE, content_type);
        self.1 = Body::from(body.to_owned());
        self
    }

    /// A body that never ends: whoever reads it waits for ever.
    pub fn endless(mut self, content_type: &str) -> Self {
        self.0 = self.0.header(header::CONTENT_TYPE, content_type);
        self.1 = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        self
    }

    pub async fn send(self, rt: &Runtime) -> axum::response::Response {
        self.send_to(&weft::http::router(rt)).await
    }

    /// The same for many calls: what serves is made once, which costs more than most calls.
    pub async fn send_to(self, app: &axum::Router) -> axum::response::Response {
        app.clone().oneshot(self.0.body(self.1).unwrap()).await.unwrap()
    }

    pub async fn status(self, rt: &Runtime) -> StatusCode {
        self.send(rt).await.status()
    }
}

pub async fn json_of(response: axum::response::Response) -> Value {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}
