//! Pages as the server renders them.

use axum::http::{Method, StatusCode, header};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::{NIL, call, owner};
use crate::support::Site;

fn paths() -> Vec<String> {
    let fixed = ["/", "/workflows", "/runs", "/memory", "/memory?q=health", "/providers", "/users", "/account"];
    let of_one = [format!("/workflows/{NIL}"), format!("/runs/{NIL}"), format!("/runs/{NIL}?step=a")];
    fixed.into_iter().map(str::to_owned).chain(of_one).collect()
}

// Rendering runs on several threads, and what one of them disposes another must not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_page_is_whole_however_many_are_asked_for_at_once() {
    let site = Site::sqlite().await;
    let (_, cookie) = owner(&site.runtime).await;
    let router = weft::http::router(&site.runtime);
    for path in paths() {
        let mut asked = JoinSet::new();
        for _ in 0..100 {
            let request = axum::http::Request::builder()
                .uri(&path)
                .header(header::HOST, "127.0.0.1:3000")
                .header(header::COOKIE, format!("weft={cookie}"))
                .body(axum::body::Body::empty())
                .unwrap();
            let router = router.clone();
            asked.spawn(async move {
                let answer = router.oneshot(request).await.unwrap();
                let status = answer.status();
                let body = axum::body::to_bytes(answer.into_body(), 1 << 22).await.unwrap();
                (status, String::from_utf8(body.to_vec()).unwrap())
            });
        }
        for (status, page) in asked.join_all().await {
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(page.contains("</html>"), "{path}");
            assert!(page.contains("Mara"), "{path} is rendered for who asks");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_signed_in_is_led_to_the_login_page_and_back() {
    let site = Site::sqlite().await;
    let cases = [
        ("/", "/login"),
        ("/runs?status=failed&q=a", "/login?next=/runs%3Fstatus%3Dfailed%26q%3Da"),
        ("/users", "/login?next=/users"),
    ];
    for (path, login) in cases {
        let answer = call(Method::GET, path).send(&site.runtime).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers()[header::LOCATION], login);
    }
    for path in ["/login", "/setup?token=x", "/invite?token=x"] {
        assert_eq!(call(Method::GET, path).status(&site.runtime).await, StatusCode::OK, "{path}");
    }
}
