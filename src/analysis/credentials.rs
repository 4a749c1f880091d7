//! Credentials written into files: well-known shapes of tokens, and literals under a telling name that look random.

use std::borrow::Cow;
use std::ops::Range;

/// The shape of a token that a service hands out: what it begins with, and what follows.
struct Shape {
    prefix: &'static str,
    what: &'static str,
    /// Fewest characters after the prefix.
    min: usize,
    /// True if exactly `min` characters follow.
    exact: bool,
    /// Characters besides letters and digits.
    extra: &'static [u8],
}

const fn shape(prefix: &'static str, what: &'static str, min: usize, extra: &'static [u8]) -> Shape {
    Shape { prefix, what, min, exact: false, extra }
}

const fn exact(prefix: &'static str, what: &'static str, length: usize) -> Shape {
    Shape { prefix, what, min: length, exact: true, extra: b"" }
}

/// Sources: the token formats that the services publish for secret scanning.
const SHAPES: &[Shape] = &[
    exact("AKIA", "an AWS access key", 16),
    exact("ASIA", "an AWS session key", 16),
    shape("ghp_", "a GitHub token", 36, b""),
    shape("gho_", "a GitHub token", 36, b""),
    shape("ghu_", "a GitHub token", 36, b""),
    shape("ghs_", "a GitHub token", 36, b""),
    shape("ghr_", "a GitHub token", 36, b""),
    shape("github_pat_", "a GitHub token", 22, b"_"),
    shape("glpat-", "a GitLab token", 20, b"-_"),
    shape("sk-ant-", "an Anthropic API key", 20, b"-_"),
    shape("sk-proj-", "an OpenAI API key", 20, b"-_"),
    shape("sk_live_", "a Stripe key", 16, b""),
    shape("rk_live_", "a Stripe key", 16, b""),
    shape("xoxb-", "a Slack token", 10, b"-"),
    shape("xoxp-", "a Slack token", 10, b"-"),
    shape("xoxa-", "a Slack token", 10, b"-"),
    shape("AIza", "a Google API key", 35, b"-_"),
    shape("npm_", "an npm token", 36, b""),
    shape("hf_", "a Hugging Face token", 30, b""),
];

/// Finds the first token of a known shape, and says what it is.
pub fn known(text: &str) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let is_start = |at: usize| at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let mut at = 0;
    while at + 12 <= bytes.len() {
        if matches!(bytes[at], b'A' | b'g' | b's' | b'r' | b'x' | b'n' | b'h')
            && is_start(at)
            && let Some(found) = SHAPES.iter().find_map(|shape| shape.at(bytes, at))
        {
            return Some(found);
        }
        at += 1;
    }
    private_key(text)
}

impl Shape {
    fn at(&self, bytes: &[u8], at: usize) -> Option<(Range<usize>, &'static str)> {
        let body = bytes.get(at..)?.strip_prefix(self.prefix.as_bytes())?;
        let is_body = |b: &&u8| b.is_ascii_alphanumeric() || self.extra.contains(b);
        let length = body.iter().take_while(is_body).count();
        let fits = if self.exact { length == self.min } else { length >= self.min };
        let body = &body[..length];
        // `AKIAIOSFODNN7EXAMPLE` is what AWS itself prints in its manuals.
        let real = fits && !body.ends_with(b"EXAMPLE") && entropy(body) >= 2.5;
        real.then(|| (at..at + self.prefix.len() + length, self.what))
    }
}

/// A private key: its header, followed by something that can be its content.
fn private_key(text: &str) -> Option<(Range<usize>, &'static str)> {
    const FEWEST_CHARS: usize = 40;
    let begin = text.find("-----BEGIN ")?;
    let header_end = begin + text[begin..].find("PRIVATE KEY-----")? + "PRIVATE KEY-----".len();
    if header_end - begin > 64 {
        return None;
    }
    let end = text[header_end..].find("-----END").map_or(text.len(), |at| header_end + at);
    let is_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let body = text[header_end..end].chars().filter(is_key).take(FEWEST_CHARS);
    (body.count() == FEWEST_CHARS).then_some((begin..end, "a private key"))
}

/// Masks every token of a known shape.
pub fn mask_known(text: &str) -> Cow<'_, str> {
    let Some((first, _)) = known(text) else {
        return Cow::Borrowed(text);
    };
    let mut masked = String::with_capacity(text.len());
    let mut next = Some(first);
    let mut at = 0;
    while let Some(range) = next {
        masked.push_str(&text[at..range.start]);
        masked.push_str(&mask(&text[range.clone()]));
        at = range.end;
        next = known(&text[at..]).map(|(range, _)| range.start + at..range.end + at);
    }
    masked.push_str(&text[at..]);
    Cow::Owned(masked)
}

/// What is shown of a secret: up to four characters of a long one, none of a short one.
pub fn mask(secret: &str) -> String {
    let shown = if secret.chars().count() >= 16 { 4 } else { 0 };
    let start: String = secret.chars().take(shown).collect();
    format!("{start}***")
}

/// A literal that stands under a name: is it a credential?
///
/// The name's last word must say so (`db_password`, `apiKey`, not `token_type`), and the value must not be a
/// placeholder, a path, an address or an ordinary word.
pub fn is_credential(name: &str, value: &str) -> bool {
    const CHARS: Range<usize> = 8..513;
    let Some(telling) = telling(name) else { return false };
    let length = value.chars().count();
    if !CHARS.contains(&length) || value.contains(char::is_whitespace) || is_placeholder(value) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| value.as_bytes().iter().any(test);
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    let (digit, symbol) = (has(u8::is_ascii_digit), has(u8::is_ascii_punctuation));
    match telling {
        Telling::Password => {
            let kinds = [lower, upper, digit, symbol].into_iter().filter(|kind| *kind).count();
            kinds >= 2 && (lower || upper) && (digit || (symbol && upper)) && entropy(value.as_bytes()) >= 2.5
        }
        Telling::Key => length >= 12 && digit && (lower || upper) && entropy(value.as_bytes()) >= 3.0,
    }
}

enum Telling {
    /// People choose it.
    Password,
    /// A machine made it.
    Key,
}

fn telling(name: &str) -> Option<Telling> {
    let words = words(name);
    let last = words.last()?.as_str();
    let before = words.len().checked_sub(2).map_or("", |at| words[at].as_str());
    match last {
        "password" | "passwd" | "pwd" | "passphrase" | "passcode" => Some(Telling::Password),
        "token" | "secret" | "apikey" | "secretkey" | "accesskey" | "credential" | "credentials" => Some(Telling::Key),
        "key"
            if matches!(
                before,
                "api" | "access" | "secret" | "private" | "auth" | "encryption" | "signing" | "account"
            ) =>
        {
            Some(Telling::Key)
        }
        _ => None,
    }
}

/// The words of a name in any spelling: `dbPassword`, `DB_PASSWORD`, `db-password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars().take(200) {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            words.last_mut().expect("there is always a word").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_placeholder(value: &str) -> bool {
    const TELLING: [&str; 14] = [
        "example",
        "changeme",
        "change-me",
        "change_me",
        "placeholder",
        "your",
        "dummy",
        "xxxx",
        "****",
        "redacted",
        "test",
        "sample",
        "fake",
        "insert",
    ];
    const BEGINS: [&str; 8] = ["http://", "https://", "/", "./", "$", "%", "<", "env:"];
    const HOLDS: [&str; 5] = ["${", "{{", "{}", "%s", "\\"];
    let lower = value.to_ascii_lowercase();
    TELLING.iter().any(|word| lower.contains(word))
        || BEGINS.iter().any(|start| value.starts_with(start))
        || HOLDS.iter().any(|part| value.contains(part))
}

/// Shannon entropy in bits a byte, 0 for an empty text.
fn entropy(bytes: &[u8]) -> f64 {
    let mut times = [0_u32; 256];
    for byte in bytes {
        times[*byte as usize] += 1;
    }
    let length = bytes.len() as f64;
    times.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / length).map(|p| -p * p.log2()).sum()
}

/// The user and password of an address such as `postgres://user:password@host`, unless it is a placeholder, the
/// default of a local server, or an expression.
pub fn password_in_url(text: &str) -> Option<&str> {
    let after = text.split_once("://")?.1;
    let authority = after.split(['/', '?', '#', ' ', '"', '\'']).next()?;
    let (user_info, host) = authority.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':')?;
    let local = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"].iter().any(|name| host.starts_with(name));
    let usable = !user.is_empty() && password.len() >= 6 && password != user && !local && !host.is_empty();
    let literal =
        !password.contains(['{', '$', '<', '*', '%']) && !matches!(password, "password" | "passwd" | "secret");
    (usable && literal && !is_placeholder(password) && !host.contains("example") && !host.starts_with("host"))
        .then_some(password)
}
