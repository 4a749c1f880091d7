//! The guarded client against URLs that point inside, and against servers that misbehave.

use std::io::Write;
use std::net::TcpListener;

use axum::Router;
use axum::extract::Request as Incoming;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use weft::runtime::outbound::{Error, Outbound, Policy, Request};

const INSIDE: &[&str] = &[
    "http://127.0.0.1:P/",
    "http://127.1:P/",
    "http://127.0.1:P/",
    "http://2130706433:P/",
    "http://0x7f000001:P/",
    "http://0x7f.1:P/",
    "http://0x7f.0x0.0x0.0x1:P/",
    "http://0177.0.0.1:P/",
    "http://017700000001:P/",
    "http://127.0.0.1.:P/",
    "http://localhost:P/",
    "http://LOCALHOST:P/",
    "http://localhost.:P/",
    "http://127.255.255.254:P/",
    "http://0:P/",
    "http://0.0.0.0:P/",
    "http://0.0.0.1:P/",
    "http://[::1]:P/",
    "http://[::]:P/",
    "http://[0:0:0:0:0:0:0:1]:P/",
    "http://[::ffff:127.0.0.1]:P/",
    "http://[::ffff:7f00:1]:P/",
    "http://[::127.0.0.1]:P/",
    "http://[::ffff:169.254.169.254]:P/",
    "http://[64:ff9b::7f00:1]:P/",
    "http://[64:ff9b::169.254.169.254]:P/",
    "http://[64:ff9b:1::7f00:1]:P/",
    "http://[2002:7f00:1::]:P/",
    "http://[2001:0:7f00:1::]:P/",
    "http://[fe80::1]:P/",
    "http://[fc00::1]:P/",
    "http://[fd00:ec2::254]:P/",
    "http://[ff02::1]:P/",
    "http://[2001:db8::1]:P/",
    "http://169.254.169.254:P/latest/meta-data/",
    "http://169.254.170.2:P/",
    "http://2852039166:P/",
    "http://0xa9fea9fe:P/",
    "http://0251.0376.0251.0376:P/",
    "http://10.0.0.1:P/",
    "http://172.16.0.1:P/",
    "http://192.168.0.1:P/",
    "http://100.64.0.1:P/",
    "http://198.18.0.1:P/",
    "http://192.0.2.1:P/",
    "http://203.0.113.1:P/",
    "http://224.0.0.1:P/",
    "http://255.255.255.255:P/",
    "http://240.0.0.1:P/",
    "http://①②⑦.⓪.⓪.①:P/",
    "http://127。0。0。1:P/",
    "http://１２７.0.0.1:P/",
    "http://%31%32%37.0.0.1:P/",
    "http://%6c%6f%63%61%6c%68%6f%73%74:P/",
    "https://127.0.0.1:P/",
    "http://127.0.0.1:P#@ok.example/",
    "http://168.63.129.16:P/",
];
const UNUSABLE: &[&str] = &[
    "",
    "127.0.0.1:P",
    "//127.0.0.1:P/",
    "http://",
    "http:///",
    "http://ok.example@127.0.0.1:P/",
    "http://user:pass@127.0.0.1:P/",
    "http://127.0.0.1:P\\@ok.example/",
    "http:\\\\127.0.0.1:P/",
    "http://127.0.0.1\t:P/",
    "http://127.0.0.1:P/\nHost: x",
    " http://127.0.0.1:P/",
    "gopher://127.0.0.1:P/_x",
    "file:///etc/passwd",
    "ftp://127.0.0.1:P/",
    "dict://127.0.0.1:P/",
    "ldap://127.0.0.1:P/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "unix:/run/docker.sock",
    "ws://127.0.0.1:P/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:99999/",
    "http://[::1%25lo]:P/",
    "http://256.0.0.1:P/",
];

#[tokio::test]
async fn no_url_that_points_inside_makes_a_connection() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let port = canary.local_addr().unwrap().port().to_string();
    let outbound = Outbound::new(Policy::default());
    assert!(INSIDE.len() + UNUSABLE.len() >= 60);
    for url in INSIDE {
        let refused = outbound.send(Request::new("GET", url.replace('P', &port))).await.unwrap_err();
        assert_eq!(refused, Error::Refused, "{url}");
    }
    for url in INSIDE {
        let refused = outbound.open(Request::new("POST", url.replace('P', &port)), 1000).await.unwrap_err();
        assert_eq!(refused, Error::Refused, "{url}");
    }
    for url in UNUSABLE {
        let refused = outbound.send(Request::new("GET", url.replace('P', &port))).await.unwrap_err();
        assert!(matches!(&refused, Error::InvalidRequest { field, .. } if field == "url"), "{url}: {refused}");
    }
    assert!(canary.accept().is_err(), "the canary was reached");
}

/// A server on loopback, and a client that may reach it.
async fn serve(router: Router) -> (String, Outbound) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with its test")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, Outbound::new(Policy::allowing(&["127.0.0.0/8"]).unwrap()))
}

async fn echo(request: Incoming) -> String {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let names: Vec<_> = parts.headers.keys().map(ToString::to_string).collect();
    format!("{} {} {} {}", parts.method, parts.uri, names.join(","), String::from_utf8_lossy(&body))
}

#[tokio::test]
async fn a_request_arrives_and_its_answer_comes_back_whole() {
    let (base, outbound) = serve(Router::new().fallback(any(echo))).await;
    let mut request = Request::new("POST", format!("{base}/a?b=c"));
    request.headers.push(("x-one".into(), "1".into()));
    request.body = Some(b"hello".to_vec());
    let response = outbound.send(request).await.unwrap();
    let said = String::from_utf8(response.body).unwrap();
    assert_eq!((response.status, response.truncated), (200, false));
    assert!(said.starts_with("POST /a?b=c ") && said.contains("x-one") && said.ends_with(" hello"), "{said}");
}

#[tokio::test]
async fn redirects_are_counted_checked_and_leave_credentials_behind() {
    let (other, _) = serve(Router::new().fallback(any(echo))).await;
    let to_other = other.clone();
    let router = Router::new()
        .route("/away", any(move || async move { Redirect::temporary(&to_other) }))
        .route("/near", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/echo")]) }))
        .route("/same", any(|| async { Redirect::permanent("/echo") }))
        .route("/metadata", any(|| async { Redirect::temporary("http://169.254.169.254/latest") }))
        .route("/file", any(|| async { Redirect::temporary("file:///etc/passwd") }))
        .route("/loop", any(|| async { Redirect::temporary("/loop") }))
        .route("/echo", any(echo));
    let (base, outbound) = serve(router).await;
    let go = |path: &str| {
        let mut request = Request::new("POST", format!("{base}{path}"));
        for name in ["authorization", "cookie", "x-api-key", "accept"] {
            request.headers.push((name.into(), "v".into()));
        }
        request.body = Some(b"body".to_vec());
        outbound.send(request)
    };
    let away = String::from_utf8(go("/away").await.unwrap().body).unwrap();
    assert!(away.starts_with("POST / ") && away.ends_with(" body") && away.contains("accept"), "{away}");
    assert!(!["authorization", "cookie", "x-api-key"].iter().any(|name| away.contains(name)), "{away}");
    let near = String::from_utf8(go("/near").await.unwrap().body).unwrap();
    assert!(near.starts_with("GET /echo ") && near.contains("authorization") && !near.ends_with("body"), "{near}");
    let same = String::from_utf8(go("/same").await.unwrap().body).unwrap();
    assert!(same.starts_with("POST /echo ") && same.ends_with(" body"), "{same}");
    assert_eq!(go("/metadata").await.unwrap_err(), Error::Refused);
    assert!(matches!(go("/file").await.unwrap_err(), Error::InvalidRequest { .. }));
    assert_eq!(go("/loop").await.unwrap_err(), Error::TooManyRedirects(3));
}

#[tokio::test]
async fn answers_beyond_the_caps_are_errors() {
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![0; 5 << 20]).unwrap();
        packer.finish().unwrap()
    };
    let small = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(b"small").unwrap();
        packer.finish().unwrap()
    };
    let router = Router::new()
        .route("/bomb", get(move || async move { ([(header::CONTENT_ENCODING, "gzip")], bomb) }))
        .route("/small", get(move || async move { ([(header::CONTENT_ENCODING, "gzip")], small) }))
        .route("/bad", get(|| async { ([(header::CONTENT_ENCODING, "gzip")], "not gzip") }))
        .route("/large", get(|| async { vec![b'x'; 2 << 20] }))
        .route(
            "/headers",
            get(|| async {
                let mut headers = HeaderMap::new();
                for i in 0..20 {
                    headers.insert(
                        header::HeaderName::try_from(format!("x-{i}")).unwrap(),
                        "y".repeat(5000).parse().unwrap(),
                    );
                }
                (headers, "").into_response()
            }),
        )
        .route("/never", get(std::future::pending::<String>));
    let (base, outbound) = serve(router).await;
    let go = |path: &str| {
        let mut request = Request::new("GET", format!("{base}{path}"));
        (request.max_bytes, request.max_decompressed, request.timeout_ms) = (Some(1 << 20), Some(1 << 20), Some(2000));
        outbound.send(request)
    };
    assert!(matches!(go("/bomb").await.unwrap_err(), Error::TooLarge { part: "decompressed body", .. }));
    assert!(matches!(go("/large").await.unwrap_err(), Error::TooLarge { part: "body", .. }));
    assert!(matches!(go("/headers").await.unwrap_err(), Error::TooLarge { part: "headers", .. }));
    assert!(matches!(go("/bad").await.unwrap_err(), Error::Connect(_)));
    assert_eq!(go("/never").await.unwrap_err(), Error::Timeout(2000));
    assert_eq!(go("/small").await.unwrap().body, b"small");
}

#[tokio::test]
async fn a_request_with_a_bad_field_names_it() {
    let outbound = Outbound::new(Policy::default());
    let request = || Request::new("GET", "https://example.com/");
    let header = |name: &str, value: &str| Request { headers: vec![(name.into(), value.into())], ..request() };
    let cases = [
        (Request::new("get", "https://example.com/"), "method"),
        (header("Host", "evil"), "headers.Host"),
        (header("Transfer-Encoding", "chunked"), "headers.Transfer-Encoding"),
        (header("a b", "x"), "headers.a b"),
        (header("x", "a\r\nb: c"), "headers.x"),
        (Request { timeout_ms: Some(0), ..request() }, "timeout_ms"),
    ];
    for (request, name) in cases {
        let refused = outbound.send(request).await.unwrap_err();
        assert!(matches!(&refused, Error::InvalidRequest { field, .. } if field == name), "{refused}");
    }
}

#[tokio::test]
async fn a_plain_server_behind_https_is_a_tls_error_and_a_closed_port_a_connect_error() {
    let (base, outbound) = serve(Router::new()).await;
    let failed = outbound.send(Request::new("GET", base.replace("http:", "https:"))).await.unwrap_err();
    assert!(matches!(failed, Error::Tls(_)), "{failed:?}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = outbound.send(Request::new("GET", format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(failed, Error::Connect(_)) && failed.is_transient(), "{failed:?}");
}
