//! Signatures of requests to an object store. Pure.
//!
//! Source: AWS Signature Version 4 with a single chunk, as its documentation for S3 describes it; other stores that speak S3 take the same.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Which key signs, for which region.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub region: &'a str,
    pub access_key_id: &'a str,
    pub secret: &'a str,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub method: &'a str,
    /// The path, encoded as it is sent; nothing follows it.
    pub path: &'a str,
    /// Names in lower case and values, in the order of the names; `host`, `x-amz-content-sha256` and `x-amz-date` among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// `x-amz-content-sha256`.
    pub content: &'a str,
    /// `x-amz-date`: `20261123T023000Z`.
    pub at: &'a str,
}

impl Signer<'_> {
    /// The value of the header `authorization`.
    pub fn authorization(&self, signed: Signed<'_>) -> String {
        let Signed { method, path, headers, content, at } = signed;
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{method}\n{path}\n\n");
        for (name, value) in headers {
            let _ = writeln!(canonical, "{name}:{}", value.trim());
        }
        let _ = write!(canonical, "\n{names}\n{content}");
        let day = at.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", digest(canonical.as_bytes()));
        let mut key = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in [self.region, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        let id = self.access_key_id;
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_the_documentation_shows() {
        let signer = Signer {
            region: "us-east-1",
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        };
        let (content, at) = (digest(b""), "20130524T000000Z");
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", content.as_str()),
            ("x-amz-date", at),
        ];
        let signed = Signed { method: "GET", path: "/test.txt", headers: &headers, content: &content, at };
        let header = signer.authorization(signed);
        assert!(header.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature="
        ));
        assert!(header.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"), "{header}");
    }
}
