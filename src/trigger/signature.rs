//! Signed calls, as the Standard Webhooks convention has them.
//!
//! Source: standardwebhooks.com, specification 1.0: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`; several
//! signatures are separated by spaces, so that a sender can replace its secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Timestamp;

/// How far the sender's clock may be from ours, either way.
const TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// What the headers of a call say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: seconds since the Unix epoch.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signature: &'a str,
}

/// Which of the secrets one of the signatures was made with, just now. Takes the same time whichever fits.
///
/// # Errors
/// What was expected.
pub(super) fn verify(
    secrets: &[&[u8]],
    signed: Signed<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<usize, &'static str> {
    if signed.id.is_empty() || signed.timestamp.is_empty() || signed.signature.is_empty() {
        return Err("expected the headers webhook-id, webhook-timestamp and webhook-signature");
    }
    let sent = signed.timestamp.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp);
    let sent = sent.ok_or("expected seconds since 1970 in webhook-timestamp")?;
    let mut fits = None;
    for (number, secret) in secrets.iter().enumerate() {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        for part in [signed.id.as_bytes(), b".", signed.timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        for signature in signed.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")) {
            let signature = STANDARD.decode(signature).unwrap_or_default();
            // No way out early: neither the place of a difference nor the secret that fits shows in the time.
            if mac.clone().verify_slice(&signature).is_ok() {
                fits = Some(number);
            }
        }
    }
    let fits = fits.ok_or("no signature in webhook-signature fits")?;
    if now.ms_since(sent).abs() > TOLERANCE_MS {
        return Err("webhook-timestamp is more than five minutes away");
    }
    Ok(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn check(signature: &str, timestamp: &str, body: &[u8], now_s: i64) -> Result<usize, &'static str> {
        let secret = STANDARD.decode(SECRET).expect("base64");
        let other = vec![7; 32];
        let signed = Signed { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp, signature };
        verify(&[&other, &secret], signed, body, Timestamp(now_s * 1_000_000))
    }

    #[test]
    fn the_example_of_the_specification_fits() {
        assert_eq!(check(SIGNATURE, "1614265330", BODY, 1_614_265_330), Ok(1));
        let two = format!("v1,AAAA {SIGNATURE} v1a,ignored");
        assert_eq!(check(&two, "1614265330", BODY, 1_614_265_330 + 299), Ok(1));
    }

    #[test]
    fn what_was_changed_or_is_old_does_not_fit() {
        assert!(check(SIGNATURE, "1614265330", b"{}", 1_614_265_330).is_err());
        assert!(check(SIGNATURE, "1614265331", BODY, 1_614_265_330).is_err());
        assert!(check("v1,", "1614265330", BODY, 1_614_265_330).is_err());
        assert!(check("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "1614265330", BODY, 1_614_265_330).is_err());
        for far in [-301, 301] {
            assert!(check(SIGNATURE, "1614265330", BODY, 1_614_265_330 + far).is_err());
        }
        assert!(check(SIGNATURE, "soon", BODY, 1_614_265_330).is_err());
        assert!(check("", "1614265330", BODY, 1_614_265_330).is_err());
    }
}
