//! The browser half's files, served from inside the binary.
//!
//! `scripts/build-site.mjs` fills `target/site` and the compiler embeds it. Names under `/assets/` carry a hash of their
//! content, so a browser keeps them for ever; the few files with a fixed name (`/icons.svg`) are asked for again each
//! time and confirmed by their tag. Compressed copies are made by the build: a request never compresses anything.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use serde::Deserialize;

/// What the site build wrote. Relative to the package, wherever cargo's own target directory is.
#[derive(RustEmbed)]
#[folder = "target/site"]
struct Site;

/// Files of the site that are served under a fixed name stand in this folder of it.
const ROOT_FOLDER: &str = "root/";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The names that the site build gave to what a page needs, each to be prefixed with `/assets/`.
///
/// `None` in a server that was compiled before any site was built, as for `cargo test`: pages then stay without script
/// and style.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The ES module that starts the browser half.
    pub js: Option<String>,
    /// The WebAssembly that the module loads.
    pub wasm: Option<String>,
    /// The one style sheet.
    pub css: Option<String>,
    /// What each group of pages needs beside the main wasm: from the names of `src/ui/chunks.rs` to files.
    #[serde(default)]
    pub chunks: BTreeMap<String, Vec<String>>,
    /// Files of `public/assets/`: from their own name to the hashed one.
    pub files: BTreeMap<String, String>,
}

/// Returns the names of the embedded site, read once.
pub fn manifest() -> &'static Manifest {
    static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
        Site::get("manifest.json").map_or_else(Manifest::default, |file| {
            serde_json::from_slice(&file.data).expect("build.rs and build-site.mjs write a manifest that fits")
        })
    });
    &MANIFEST
}

/// Routes `/assets/{file}` and each fixed name, for GET and HEAD. None of them needs a login.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let fixed = Site::iter().filter_map(|path| path.strip_prefix(ROOT_FOLDER).map(|name| format!("/{name}")));
    fixed
        .filter(|path| !is_compressed_copy(path))
        .fold(Router::new().route("/assets/{file}", get(serve)), |router, path| router.route(&path, get(serve_fixed)))
}

/// Serves a file with a hashed name.
pub async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    // The site's own list and the folder of fixed names are not assets.
    if file == "manifest.json" || file.contains('/') {
        return StatusCode::NOT_FOUND.into_response();
    }
    respond(embedded, &file, FOR_EVER, &headers)
}

/// Serves a file with a fixed name, such as `/favicon.svg`.
async fn serve_fixed(uri: Uri, headers: HeaderMap) -> Response {
    let path = format!("{ROOT_FOLDER}{}", uri.path().trim_start_matches('/'));
    respond(embedded, &path, ASK_AGAIN, &headers)
}

/// One stored representation of a file.
struct Stored {
    bytes: Cow<'static, [u8]>,
    /// Identifies the bytes, and so tells the compressed copies apart, as a strong validator has to.
    hash: [u8; 32],
}

fn embedded(path: &str) -> Option<Stored> {
    Site::get(path).map(|file| Stored { hash: file.metadata.sha256_hash(), bytes: file.data })
}

/// Answers with the smallest representation that the client takes, or that it has it already.
fn respond(find: impl Fn(&str) -> Option<Stored>, path: &str, cache: &'static str, headers: &HeaderMap) -> Response {
    if is_compressed_copy(path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accepted = accepted_encodings(headers);
    let copy = [("br", ".br", accepted.br), ("gzip", ".gz", accepted.gzip)]
        .into_iter()
        .filter(|(_, _, taken)| *taken)
        .find_map(|(encoding, suffix, _)| find(&format!("{path}{suffix}")).map(|stored| (Some(encoding), stored)));
    let plain = || find(path).or_else(|| unpacked(&find, path)).map(|stored| (None, stored));
    let Some((encoding, stored)) = copy.or_else(plain) else {
        return StatusCode::NOT_FOUND.into_response();
    };

    let etag = etag(&stored.hash);
    let known = is_known(headers, &etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match stored.bytes {
            Cow::Borrowed(bytes) => Body::from(bytes).into_response(),
            Cow::Owned(bytes) => Body::from(bytes).into_response(),
        }
    };
    let fields = response.headers_mut();
    fields.insert(header::ETAG, etag);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !known {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
        if let Some(encoding) = encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

/// The plain file, for the rare client that takes no encoding: the largest files are stored as their copies alone.
fn unpacked(find: impl Fn(&str) -> Option<Stored>, path: &str) -> Option<Stored> {
    let copy = find(&format!("{path}.gz"))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*copy.bytes).read_to_end(&mut bytes).ok()?;
    // Its tag follows from the copy's, and is another one.
    Some(Stored { bytes: Cow::Owned(bytes), hash: copy.hash.map(|byte| !byte) })
}

fn is_compressed_copy(path: &str) -> bool {
    matches!(path.rsplit_once('.'), Some((_, "br" | "gz")))
}

fn etag(hash: &[u8; 32]) -> HeaderValue {
    let mut text = String::from('"');
    for byte in &hash[..16] {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
    }
    text.push('"');
    HeaderValue::try_from(text).expect("hexadecimal digits fit into a header")
}

/// Tells whether `If-None-Match` names the representation. The comparison is the weak one, as RFC 9110 section 13.1.2 asks.
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).into_iter();
    tags.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    br: bool,
    gzip: bool,
}

/// Reads `Accept-Encoding`. A coding counts as taken unless its weight is zero; `*` speaks for codings not named.
fn accepted_encodings(headers: &HeaderMap) -> Accepted {
    let (mut br, mut gzip, mut others) = (None, None, false);
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    for item in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        let taken = weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0) || weight.is_empty();
        match coding.trim().to_ascii_lowercase().as_str() {
            "br" => br = Some(taken),
            "gzip" | "x-gzip" => gzip = Some(taken),
            "*" => others = taken,
            _ => {}
        }
    }
    Accepted { br: br.unwrap_or(others), gzip: gzip.unwrap_or(others) }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "warp" as gzip writes it.
    const PACKED: &[u8] = &[31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 43, 79, 44, 42, 0, 0, 102, 140, 181, 211, 4, 0, 0, 0];

    /// A site of one script with both copies, one program with nothing but a copy, and one picture without.
    fn site(path: &str) -> Option<Stored> {
        let (bytes, mark): (&'static [u8], u8) = match path {
            "weft-1.wasm.gz" => (PACKED, 5),
            "weft-1.js" => (b"plain", 1),
            "weft-1.js.br" => (b"brotli", 2),
            "weft-1.js.gz" => (b"gzip", 3),
            "logo-1.png" => (b"picture", 4),
            _ => return None,
        };
        Some(Stored { bytes: Cow::Borrowed(bytes), hash: [mark; 32] })
    }

    fn ask(path: &str, fields: &[(header::HeaderName, &str)]) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).expect("a test header"));
        }
        respond(site, path, FOR_EVER, &headers)
    }

    fn field<'a>(response: &'a Response, name: &header::HeaderName) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    #[test]
    fn the_best_encoding_that_the_client_takes_is_sent() {
        let rows = [
            ("", ""),
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("BR;q=0, gzip;q=0.5", "gzip"),
            ("*", "br"),
            ("*;q=0, gzip", "gzip"),
            ("br; q=0.1", "br"),
            ("identity", ""),
        ];
        for (accept, encoding) in rows {
            let response = ask("weft-1.js", &[(header::ACCEPT_ENCODING, accept)]);
            assert_eq!(response.status(), StatusCode::OK, "{accept}");
            assert_eq!(field(&response, &header::CONTENT_ENCODING), encoding, "{accept}");
            assert_eq!(field(&response, &header::VARY), "accept-encoding");
            assert_eq!(field(&response, &header::CONTENT_TYPE), "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn a_file_without_copies_is_sent_as_it_is() {
        let response = ask("logo-1.png", &[(header::ACCEPT_ENCODING, "br")]);
        assert_eq!(field(&response, &header::CONTENT_ENCODING), "");
        assert_eq!(field(&response, &header::CONTENT_TYPE), "image/png");
        assert_eq!(field(&response, &header::CACHE_CONTROL), FOR_EVER);
    }

    #[tokio::test]
    async fn a_file_that_is_stored_packed_alone_is_unpacked_for_who_takes_no_encoding() {
        let packed = ask("weft-1.wasm", &[(header::ACCEPT_ENCODING, "gzip")]);
        assert_eq!(field(&packed, &header::CONTENT_ENCODING), "gzip");
        let plain = ask("weft-1.wasm", &[]);
        assert_eq!(field(&plain, &header::CONTENT_ENCODING), "");
        assert_eq!(field(&plain, &header::CONTENT_TYPE), "application/wasm");
        assert_ne!(field(&plain, &header::ETAG), field(&packed, &header::ETAG));
        assert_eq!(&axum::body::to_bytes(plain.into_body(), 100).await.expect("it is there")[..], b"warp");
    }

    #[test]
    fn representations_have_tags_of_their_own_and_a_known_one_is_not_sent_again() {
        let plain = ask("weft-1.js", &[]);
        let brotli = ask("weft-1.js", &[(header::ACCEPT_ENCODING, "br")]);
        let tag = field(&brotli, &header::ETAG).to_owned();
        assert_ne!(tag, field(&plain, &header::ETAG));

        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let fields = [(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, known.as_str())];
            let response = ask("weft-1.js", &fields);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(field(&response, &header::ETAG), tag);
            assert_eq!(field(&response, &header::CACHE_CONTROL), FOR_EVER);
        }
        let other = ask("weft-1.js", &[(header::IF_NONE_MATCH, &tag)]);
        assert_eq!(other.status(), StatusCode::OK, "the tag of another representation");
    }

    #[test]
    fn what_is_no_asset_is_not_found() {
        for path in ["weft-2.js", "weft-1.js.br", "weft-1.js.gz", "", "..", "../Cargo.toml"] {
            assert_eq!(ask(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn the_lists_of_the_site_are_not_served() {
        for file in ["manifest.json", "root/favicon.svg"] {
            let response = serve(Path(file.to_owned()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{file}");
        }
    }

    #[test]
    fn every_name_in_the_manifest_is_embedded() {
        let manifest = manifest();
        let names = [&manifest.js, &manifest.wasm, &manifest.css].into_iter().flatten();
        for name in names.chain(manifest.files.values()).chain(manifest.chunks.values().flatten()) {
            assert!(embedded(name).or_else(|| embedded(&format!("{name}.gz"))).is_some(), "{name}");
        }
    }
}
