//! Fresh ids and secrets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Where ids and secrets come from.
#[derive(Debug, Clone, Default)]
pub struct Ids;

impl Ids {
    /// A new id; UUIDv7, so later ones sort after earlier ones.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn fresh<T: From<Uuid>>(&self) -> T {
        T::from(Uuid::now_v7())
    }

    /// A new secret for a URL or header: 256 bits of randomness, base64url.
    pub fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random_bytes::<32>())
    }

    /// Bytes from the operating system's generator.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        rand::fill(&mut bytes[..]);
        bytes
    }

    /// A number in 0.0..1.0, for jitter; not for secrets.
    pub fn fraction(&self) -> f64 {
        rand::random::<f64>()
    }
}
