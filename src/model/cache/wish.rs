//! What a caller wishes of the cache, and how a header says it.

use super::{CacheMode, Dependency, MAX_FINGERPRINT};
use crate::model::FieldError;

/// Things that one answer may depend on.
pub const DEPENDENCIES: usize = 64;

/// What one call wishes of the cache. By default, what the key, the route and the workspace say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheWish {
    /// Whether its answer may come from the cache and go into it; `Auto` leaves that to the key and the route.
    pub mode: CacheMode,
    /// Asks the model in any case, and keeps the new answer.
    pub refresh: bool,
    /// Takes no answer that is older, in milliseconds.
    pub max_age_ms: Option<i64>,
    /// Takes no answer to a question that only means the same.
    pub exact: bool,
    /// Takes a kept answer or none: no model is asked, and no answer that is on its way is waited for.
    pub only: bool,
    /// What the answer depends on, each thing once, in order.
    pub depends_on: Vec<Dependency>,
}

impl CacheWish {
    /// Reads the header `x-weft-cache`: `on`, `no-store` (or `off`), `no-cache`, `exact`, `only-if-cached`, `max-age=SECONDS`, with
    /// commas between. Who takes kept answers only wants the cache asked: `only-if-cached` says `on` too.
    ///
    /// Source: RFC 9111, 5.2.1.7.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut wish = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let lower = word.to_ascii_lowercase();
            match lower.as_str() {
                "on" if wish.mode != CacheMode::Never => wish.mode = CacheMode::Always,
                "no-store" | "off" if wish.mode != CacheMode::Always => wish.mode = CacheMode::Never,
                "on" | "no-store" | "off" => return Err("on and no-store can't both hold".to_owned()),
                "no-cache" => wish.refresh = true,
                "exact" => wish.exact = true,
                "only-if-cached" => wish.only = true,
                other => {
                    let seconds = other.strip_prefix("max-age=").and_then(|text| text.parse::<u32>().ok());
                    let seconds = seconds.ok_or_else(|| {
                        let word: String = word.chars().take(40).collect();
                        format!(
                            "expected on, no-store, no-cache, exact, only-if-cached or max-age=SECONDS, found {word:?}"
                        )
                    })?;
                    wish.max_age_ms = Some(i64::from(seconds) * 1000);
                }
            }
        }
        if wish.only {
            if wish.mode == CacheMode::Never {
                return Err("no-store and only-if-cached can't both hold".to_owned());
            }
            if wish.refresh {
                return Err("no-cache and only-if-cached can't both hold".to_owned());
            }
            wish.mode = CacheMode::Always;
        }
        Ok(wish)
    }

    /// Says what the answer depends on. What is named twice counts once; in whatever order, it is the same.
    ///
    /// # Errors
    /// Each that does not fit, by its place.
    pub fn depending_on(mut self, depends_on: Vec<Dependency>) -> Result<Self, Vec<FieldError>> {
        let mut faults = Vec::new();
        if depends_on.len() > DEPENDENCIES {
            faults.push(FieldError::new("/depends_on", format!("expected at most {DEPENDENCIES}")));
        }
        for (at, one) in depends_on.iter().enumerate() {
            let place = format!("/depends_on/{at}");
            faults.extend(one.source().check(&place));
            faults.extend(check_fingerprint(one.fingerprint.as_deref(), &place));
        }
        self.depends_on = depends_on;
        self.depends_on.sort();
        self.depends_on.dedup();
        for pair in self.depends_on.windows(2) {
            if (pair[0].kind, &pair[0].id) == (pair[1].kind, &pair[1].id) {
                let message = format!("{} {:?} has two fingerprints", pair[0].kind.as_str(), pair[0].id);
                faults.push(FieldError::new("/depends_on", message));
            }
        }
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }
}

/// What is wrong with a fingerprint, at this pointer.
pub(super) fn check_fingerprint(fingerprint: Option<&str>, at: &str) -> Option<FieldError> {
    let text = fingerprint?;
    let fits = !text.is_empty() && text.len() <= MAX_FINGERPRINT && !text.contains('\0');
    (!fits).then(|| FieldError::new(format!("{at}/fingerprint"), format!("expected 1 to {MAX_FINGERPRINT} bytes")))
}

/// Reads the header `x-weft-depends-on`: a JSON list of `{"kind", "id", "fingerprint"}`.
///
/// # Errors
/// What was expected.
pub fn parse_dependencies(text: &str) -> Result<Vec<Dependency>, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("expected a list such as [{{\"kind\":\"file\",\"id\":\"a.rs\",\"fingerprint\":\"1\"}}]: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache::SourceKind;

    #[test]
    fn the_header_says_what_is_wished() {
        let read = |text: &str| CacheWish::read(text).unwrap();
        assert_eq!(read(""), CacheWish::default());
        assert_eq!(read("on").mode, CacheMode::Always);
        assert_eq!(read(" No-Store ").mode, CacheMode::Never);
        assert_eq!(read("off").mode, CacheMode::Never);
        assert!(read("Exact").exact && !read("on").exact);
        let wish = read("on, no-cache, max-age=60");
        assert_eq!((wish.mode, wish.refresh, wish.max_age_ms), (CacheMode::Always, true, Some(60_000)));
        let wish = read("only-if-cached, exact, max-age=5");
        assert_eq!((wish.mode, wish.only, wish.exact, wish.max_age_ms), (CacheMode::Always, true, true, Some(5_000)));
        assert!(read("On, Only-If-Cached").only && !read("on").only);
        for bad in [
            "sometimes",
            "max-age",
            "max-age=-1",
            "max-age=soon",
            "on,no-store",
            "off, on",
            "only-if-cached, off",
            "no-store,only-if-cached",
            "only-if-cached,no-cache",
        ] {
            assert!(CacheWish::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dependencies_are_a_set_and_each_has_one_fingerprint() {
        let on = |id: &str, print: &str| Dependency {
            kind: SourceKind::File,
            id: id.into(),
            fingerprint: (!print.is_empty()).then(|| print.to_owned()),
        };
        let wish = CacheWish::default().depending_on(vec![on("b", "1"), on("a", ""), on("b", "1")]).unwrap();
        assert_eq!(wish.depends_on, [on("a", ""), on("b", "1")]);
        let fields = |list| {
            let faults = CacheWish::default().depending_on(list).unwrap_err();
            faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(fields(vec![on("b", "1"), on("b", "2")]), ["/depends_on"]);
        assert_eq!(fields(vec![on("b", "1"), on("", "2")]), ["/depends_on/1/id"]);
        assert_eq!(fields(vec![on("b", &"x".repeat(257))]), ["/depends_on/0/fingerprint"]);
        assert!(parse_dependencies("{}").is_err());
        assert_eq!(parse_dependencies(r#"[{"kind":"file","id":"ä b"}]"#).unwrap(), [on("ä b", "")]);
    }
}
