//! The tokens of API clients: a short-lived signed access token, and a refresh token that is good for one use.
//!
//! Access tokens are JWTs with one algorithm (HS256) and one key, which is looked up by nothing that the token says: the
//! `kid` is compared, never resolved. Times are checked against our own clock. A refresh token carries the id of its
//! login session and a keyed tag, so that a forged one is refused before the database is asked, and an old genuine one
//! is told from a forged one without keeping a row for each.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::error::{Error, Result};
use crate::model::credentials::Secret;
use crate::model::{LoginSessionId, UserId};
use crate::runtime::Runtime;

/// Seconds that an access token is good for.
pub const ACCESS_SECONDS: i64 = 600;
/// Bytes that are looked at; ours are about 400.
const MAX_ACCESS_BYTES: usize = 2048;
const AUDIENCE: &str = "weft-api";
const TYPE: &str = "at+jwt";
const ACCESS: &str = "weft 2026 access token v1";
/// What refresh tokens are tagged with. It stays when the master key changes: nobody has to sign in again.
pub const REFRESH: &str = "weft 2026 refresh token v1";
const REFRESH_PREFIX: &str = "wrt_";
const RANDOM_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    /// The person.
    pub(super) sub: UserId,
    /// The login session; revoked with it.
    pub(super) sid: LoginSessionId,
    /// The person's epoch.
    pub(super) epoch: i64,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// SHA-256: how every secret that we hand out is kept. They are random, so a slow hash would gain nothing.
pub(super) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Compares two digests in a time that tells nothing.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Signs an access token.
///
/// # Errors
/// [`Error::Crypto`], which would be a bug.
pub(super) fn sign_access(runtime: &Runtime, user: UserId, session: LoginSessionId, epoch: i64) -> Result<Secret> {
    let now = runtime.clock.now().unix_ms() / 1000;
    let claims = Claims {
        iss: runtime.config.public_url.clone(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        sid: session,
        epoch,
        iat: now,
        nbf: now,
        exp: now + ACCESS_SECONDS,
    };
    let key = access_key(runtime);
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key_id(&key));
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key))
        .map(Secret)
        .map_err(|_| Error::Crypto("sign an access token"))
}

/// Reads an access token; `None` for any that is not ours, not for us, or not now.
pub(super) fn read_access(runtime: &Runtime, token: &str) -> Option<Claims> {
    if token.len() > MAX_ACCESS_BYTES {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    if header.alg != Algorithm::HS256 || header.typ.as_deref() != Some(TYPE) {
        return None;
    }
    // While the master key changes, tokens of the one before are good until they end.
    let mut keys = runtime.keys.derive_each(ACCESS).into_iter();
    let key = keys.find(|key| header.kid.as_deref() == Some(key_id(key).as_str()))?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[runtime.config.public_url.as_str()]);
    // Our clock decides below, on claims whose types serde has checked.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key), &validation).ok()?.claims;
    let now = runtime.clock.now().unix_ms() / 1000;
    (claims.nbf <= now && now < claims.exp).then_some(claims)
}

/// A new refresh token of a login session.
pub(super) fn new_refresh(runtime: &Runtime, session: LoginSessionId) -> Secret {
    let random: [u8; RANDOM_BYTES] = runtime.ids.random_bytes();
    let mut bytes = session.0.as_bytes().to_vec();
    bytes.extend_from_slice(&random);
    let tag = refresh_tag(runtime, &bytes);
    bytes.extend_from_slice(&tag);
    Secret(format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The login session of a refresh token that we made, be it old or new; `None` for any other text.
pub(super) fn read_refresh(runtime: &Runtime, token: &Secret) -> Option<LoginSessionId> {
    const BODY: usize = 16 + RANDOM_BYTES;
    let encoded = token.0.strip_prefix(REFRESH_PREFIX).filter(|encoded| encoded.len() <= 128)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok().filter(|bytes| bytes.len() == BODY + TAG_BYTES)?;
    let (body, tag) = bytes.split_at(BODY);
    if !same(tag, &refresh_tag(runtime, body)) {
        return None;
    }
    Uuid::from_slice(&body[..16]).ok().map(LoginSessionId)
}

fn refresh_tag(runtime: &Runtime, body: &[u8]) -> [u8; TAG_BYTES] {
    let key = runtime.keys.lasting(REFRESH);
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&blake3::keyed_hash(&key, body).as_bytes()[..TAG_BYTES]);
    tag
}

fn access_key(runtime: &Runtime) -> [u8; 32] {
    runtime.keys.derive(ACCESS)
}

/// A name for the key that says nothing about it.
fn key_id(key: &[u8; 32]) -> String {
    let name = blake3::derive_key("weft 2026 access token key id v1", key);
    format!("{:08x}", u32::from_be_bytes([name[0], name[1], name[2], name[3]]))
}
