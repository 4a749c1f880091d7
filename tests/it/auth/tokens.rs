//! Access and refresh tokens.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use weft::auth::{self, Error};

use super::*;

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

on_both_engines! {
    async fn a_refresh_token_works_once_and_an_old_one_ends_the_family(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let first = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        let second = auth::refresh(rt, &client(), &first.refresh_token).await.unwrap();
        assert!(holds(rt, &second).await && holds(rt, &first).await);
        let stolen = auth::refresh(rt, &client(), &first.refresh_token).await.expect_err("used up");
        assert!(matches!(stolen, Error::RefreshRefused));
        assert!(!holds(rt, &second).await, "the family is ended");
        assert!(auth::refresh(rt, &client(), &second.refresh_token).await.is_err());
    }

    async fn of_two_racing_refreshes_at_most_one_gets_tokens(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let first = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        let client = client();
        let (a, b) = tokio::join!(
            auth::refresh(rt, &client, &first.refresh_token),
            auth::refresh(rt, &client, &first.refresh_token),
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    }

    async fn a_forged_refresh_token_ends_nobodys_family(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let tokens = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        let mut forged = tokens.refresh_token.0.clone();
        forged.replace_range(40..44, "AAAA");
        for token in [forged.as_str(), "", "wrt_", "wrt_AAAA", &"wrt_".repeat(100_000)] {
            assert!(auth::refresh(rt, &client(), &token.into()).await.is_err());
        }
        auth::refresh(rt, &client(), &tokens.refresh_token).await.unwrap();
    }

    async fn an_access_token_dies_after_ten_minutes(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let tokens = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        assert!(tokens.expires_in <= 600);
        rt.clock.advance_ms(599_000);
        assert!(holds(rt, &tokens).await);
        rt.clock.advance_ms(1_000);
        assert!(!holds(rt, &tokens).await);
    }

    async fn every_token_that_is_not_ours_is_refused(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let good = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        let good = good.access_token.0;
        let parts: Vec<&str> = good.split('.').collect();
        let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
        let key = rt.keys.derive("weft 2026 access token v1");
        let with = |change: &dyn Fn(&mut Value)| {
            let mut claims = claims.clone();
            change(&mut claims);
            claims
        };
        let signed = |header: &Value, claims: &Value, algorithm: Algorithm| {
            let mut typed = Header::new(algorithm);
            typed.typ = header["typ"].as_str().map(str::to_owned);
            typed.kid = header["kid"].as_str().map(str::to_owned);
            jsonwebtoken::encode(&typed, claims, &EncodingKey::from_secret(&key)).unwrap()
        };
        let ours = signed(&header, &claims, Algorithm::HS256);
        assert!(auth::authenticate_bearer(rt, &ours).await.unwrap().is_some(), "the corpus is made as ours are");
        let unsigned = |algorithm: &str| {
            let header = json!({"alg": algorithm, "typ": header["typ"], "kid": header["kid"]});
            format!("{}.{}.", encoded(&header), parts[1])
        };
        let headed = |name: &str, value: &str| {
            let mut header = header.clone();
            header[name] = json!(value);
            signed(&header, &claims, Algorithm::HS256)
        };
        let rs256 = json!({"alg": "RS256", "typ": header["typ"], "kid": header["kid"]});
        let expiry = claims["exp"].as_i64().unwrap();
        let corpus = [
            unsigned("none"),
            unsigned("None"),
            unsigned("nOnE"),
            format!("{}.{}.{}", encoded(&rs256), parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], encoded(&with(&|c| c["epoch"] = json!(9))), parts[2]),
            signed(&header, &claims, Algorithm::HS512),
            headed("typ", "JWT"),
            headed("kid", "../../dev/null"),
            headed("kid", "' or '1'='1"),
            signed(&header, &with(&|c| c["aud"] = json!("another-api")), Algorithm::HS256),
            signed(&header, &with(&|c| c["iss"] = json!("https://evil.com")), Algorithm::HS256),
            signed(&header, &with(&|c| c["exp"] = json!(expiry.to_string())), Algorithm::HS256),
            signed(&header, &with(&|c| c["nbf"] = json!("99999999999")), Algorithm::HS256),
            signed(&header, &with(&|c| c["nbf"] = json!(expiry)), Algorithm::HS256),
            signed(&header, &with(&|c| drop(c.as_object_mut().unwrap().remove("exp"))), Algorithm::HS256),
            signed(&header, &with(&|c| drop(c.as_object_mut().unwrap().remove("nbf"))), Algorithm::HS256),
            signed(&header, &with(&|c| drop(c.as_object_mut().unwrap().remove("aud"))), Algorithm::HS256),
            signed(&header, &with(&|c| c["sub"] = json!(uuid::Uuid::nil())), Algorithm::HS256),
            signed(&header, &with(&|c| c["sid"] = json!(uuid::Uuid::nil())), Algorithm::HS256),
            signed(&header, &with(&|c| c["epoch"] = json!(1)), Algorithm::HS256),
            "x".repeat(1 << 20),
            "' OR '1'='1".to_owned(),
            String::new(),
        ];
        for token in corpus {
            let shown: String = token.chars().take(80).collect();
            let status = call(Method::GET, "/api/v1/me").with("authorization", &format!("Bearer {token}")).status(rt).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{shown}");
        }
        assert!(auth::authenticate_bearer(rt, &good).await.unwrap().is_some());
    }

    async fn a_bad_token_is_not_made_good_by_a_cookie(site: Site) {
        let rt = &site.runtime;
        let (_, cookie) = owner(rt).await;
        let me = || call(Method::GET, "/api/v1/me").with("cookie", &format!("weft={cookie}"));
        assert_eq!(me().status(rt).await, StatusCode::OK);
        assert_eq!(me().with("authorization", "Bearer nope").status(rt).await, StatusCode::UNAUTHORIZED);
        assert_eq!(me().with("authorization", "Basic bWFyYTp4").status(rt).await, StatusCode::UNAUTHORIZED);
    }
}
