//! What another site can make a browser send changes nothing.

use axum::http::{Method, StatusCode};
use serde_json::json;
use weft::model::PageRequest;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

/// Every row: what a browser may be made to send along, and whether it is ours.
const ROWS: &[(&[(&str, &str)], bool)] = &[
    (&[("sec-fetch-site", "same-origin")], true),
    (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.com")], true),
    (&[("origin", "http://127.0.0.1:3000")], true),
    (&[], false),
    (&[("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "same-site")], false),
    (&[("sec-fetch-site", "none")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:3000")], false),
    (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
    (&[("origin", "null")], false),
    (&[("origin", "https://evil.com")], false),
    (&[("origin", "http://127.0.0.1:3001")], false),
    (&[("origin", "https://127.0.0.1:3000")], false),
    (&[("origin", "http://127.0.0.1:3000.evil.com")], false),
    (&[("origin", "http://127.0.0.1:3000"), ("origin", "https://evil.com")], false),
    (&[("referer", "http://127.0.0.1:3000/")], false),
];

fn with(mut call: Call, headers: &[(&str, &str)]) -> Call {
    for (name, value) in headers {
        call = call.with(name, value);
    }
    call
}

on_both_engines! {
    async fn an_unsafe_request_with_the_cookie_must_come_from_our_own_pages(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let cookie = format!("weft={cookie}");
        for (headers, ours) in ROWS {
            let name = format!("Mara {ours}");
            let rest = call(Method::PUT, "/api/v1/me").with("cookie", &cookie).json(&json!({"name": name}));
            let rpc = call(Method::POST, "/rpc/auth/change_name").with("cookie", &cookie).json(&json!({"name": name}));
            for request in [rest, rpc] {
                let status = with(request, headers).status(rt).await;
                assert_eq!(status, if *ours { StatusCode::OK } else { StatusCode::FORBIDDEN }, "{headers:?}");
            }
        }
        assert_eq!(auth::get_me(&mara).await.unwrap().name, "Mara true");
    }

    async fn what_a_foreign_page_can_send_without_a_preflight_changes_nothing(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let cookie = format!("weft={cookie}");
        let foreign = [("origin", "https://evil.com"), ("sec-fetch-site", "cross-site")];
        let bodies = [
            (FORM, "name=Mallory"),
            ("text/plain", r#"{"name":"Mallory"}"#),
            ("multipart/form-data; boundary=x", "--x--"),
        ];
        for (content_type, body) in bodies {
            for headers in [&foreign[..], &foreign[..1], &[]] {
                let request = call(Method::POST, "/rpc/auth/change_name").with("cookie", &cookie).text(content_type, body);
                assert_eq!(with(request, headers).status(rt).await, StatusCode::FORBIDDEN, "{content_type} {headers:?}");
            }
        }
        for path in ["/rpc/auth/change_name?name=Mallory", "/rpc/users/create_invite?email=a%40b.c&role=admin"] {
            let status = call(Method::GET, path).with("cookie", &cookie).status(rt).await;
            assert!(status.is_client_error(), "{path} {status}");
        }
        // A foreign page that signs its visitor in as somebody else (login CSRF).
        let log_in = "email=mara%40team.example&password=a+loom+in+the+attic&next=%2F";
        let planted = with(call(Method::POST, "/rpc/auth/log_in").text(FORM, log_in), &foreign).send(rt).await;
        assert_eq!(planted.status(), StatusCode::FORBIDDEN);
        assert!(!planted.headers().contains_key("set-cookie"));
        assert_eq!(auth::get_me(&mara).await.unwrap().name, "Mara");
        assert_eq!(auth::list_users(&mara, &PageRequest::default()).await.unwrap().items.len(), 1);
    }

    async fn an_api_client_needs_no_origin_but_a_browser_does(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let body = json!({"email": "mara@team.example", "password": PASSWORD});
        let log_in = || call(Method::POST, "/api/v1/login").json(&body);
        assert_eq!(log_in().with("origin", "https://evil.com").status(rt).await, StatusCode::FORBIDDEN);
        assert_eq!(log_in().with("sec-fetch-site", "cross-site").status(rt).await, StatusCode::FORBIDDEN);
        let answer = log_in().send(rt).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key("set-cookie"));
        let token = json_of(answer).await["access_token"].as_str().unwrap().to_owned();
        let rename = call(Method::PUT, "/api/v1/me").with("authorization", &format!("Bearer {token}"));
        assert_eq!(rename.json(&json!({"name": "Mara L"})).status(rt).await, StatusCode::OK);
    }

    async fn a_foreign_host_is_refused_everywhere(site: Site) {
        let rt = &site.runtime;
        for path in ["/", "/api/v1/me", "/api/openapi.json", "/ws/updates", "/metrics", "/favicon.svg"] {
            for host in ["evil.com", "evil.com:3000", "127.0.0.1.evil.com", "10.0.0.1:3000", "localhost.evil.com:3000"] {
                let request = Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
                let status = weft::http::router(rt).oneshot(request).await.unwrap().status();
                assert_eq!(status, StatusCode::FORBIDDEN, "{host} {path}");
            }
        }
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST"] {
            let request = Request::builder().uri("/api/openapi.json").header("host", host).body(Body::empty()).unwrap();
            assert_eq!(weft::http::router(rt).oneshot(request).await.unwrap().status(), StatusCode::OK, "{host}");
        }
    }
}
