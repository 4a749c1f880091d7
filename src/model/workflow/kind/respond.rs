//! What a `respond` step may answer with.

use std::ops::RangeInclusive;

/// The status where a step says nothing.
pub const DEFAULT_STATUS: i64 = 200;
/// The statuses that a step may answer with: final ones.
pub const STATUSES: RangeInclusive<i64> = 200..=599;

/// Whether a step may set a header of its answer: what tells about the body, and names of the workflow's own beginning with
/// `x-`. Nothing that would change what browsers do with this server's other pages, such as cookies.
pub fn is_answerable(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let own = ["x-frame-options", "x-content-type-options", "x-trace-id", "x-xss-protection", "x-robots-tag"];
    let is_token = !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_known = matches!(
        name.as_str(),
        "content-type"
            | "content-language"
            | "content-disposition"
            | "cache-control"
            | "etag"
            | "location"
            | "retry-after"
    );
    is_token && (is_known || (name.starts_with("x-") && !own.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_sets_no_header_that_reaches_beyond_it() {
        for name in ["Content-Type", "x-order", "Location"] {
            assert!(is_answerable(name), "{name}");
        }
        for name in [
            "Set-Cookie",
            "set-cookie2",
            "X-Frame-Options",
            "Access-Control-Allow-Origin",
            "x-a\r\nset-cookie",
            "",
            "Clear-Site-Data",
        ] {
            assert!(!is_answerable(name), "{name}");
        }
    }
}
