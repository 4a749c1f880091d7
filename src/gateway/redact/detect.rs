//! What secrets and personal data look like. Pure.
//!
//! Every expression runs in time linear in the text. `\b` is that of ASCII: the engine is several times slower with the other.

use std::net::IpAddr;
use std::sync::OnceLock;

use regex::Regex;

use crate::model::gateway::MaskKind;

/// How many bytes of what an expression found it really is; `None` for none of it.
type Fits = fn(&str) -> Option<usize>;
/// A name, a kind, an expression, and what else must hold.
type Look = (&'static str, MaskKind, &'static str, Fits);

/// Something that is found by its look.
#[derive(Debug)]
pub(super) struct Detector {
    /// As placeholders and the log name it.
    pub what: &'static str,
    pub kind: MaskKind,
    pub regex: Regex,
    pub fits: Fits,
}

#[expect(clippy::unnecessary_wraps, reason = "one of several that may say no")]
const fn whole(found: &str) -> Option<usize> {
    Some(found.len())
}

/// The look of each, and the documents that it is from: those of the services about their keys, unless said otherwise.
const LOOKS: &[Look] = {
    use MaskKind::{Assigned, Card, Email, Iban, Ip, Phone, Secrets};
    &[
        // RFC 7468, and what OpenSSH and PGP write. Its end may be missing where a file was cut.
        (
            "private_key",
            Secrets,
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]|-[^-])*-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\[nr])+[A-Za-z0-9+/=]{32,})+)",
            whole,
        ),
        ("aws_key", Secrets, r"(?-u:\b)(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}(?-u:\b)", whole),
        (
            "aws_secret",
            Secrets,
            r#"(?i-u:aws_?secret_?(?:access_?)?key)(?-u:["'\s:=]{1,8})([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
            whole,
        ),
        ("github_token", Secrets, r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})", whole),
        ("gitlab_token", Secrets, r"(?-u:\b)gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,255}", whole),
        ("slack_token", Secrets, r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,255}", whole),
        ("slack_webhook", Secrets, r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,255}", whole),
        ("stripe_key", Secrets, r"(?-u:\b)(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}", whole),
        ("google_key", Secrets, r"(?-u:\b)AIza[A-Za-z0-9_-]{35}", whole),
        ("anthropic_key", Secrets, r"(?-u:\b)sk-ant-[A-Za-z0-9_-]{20,255}", whole),
        ("openai_key", Secrets, r"(?-u:\b)sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{32,255}", has_digit),
        ("weft_key", Secrets, r"(?-u:\b)weft_gw_[A-Za-z0-9_-]{20,255}", whole),
        ("huggingface_token", Secrets, r"(?-u:\b)hf_[A-Za-z0-9]{30,255}", whole),
        ("npm_token", Secrets, r"(?-u:\b)npm_[A-Za-z0-9]{36}", whole),
        ("pypi_token", Secrets, r"(?-u:\b)pypi-AgE[A-Za-z0-9_-]{40,255}", whole),
        ("sendgrid_key", Secrets, r"(?-u:\b)SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", whole),
        ("digitalocean_token", Secrets, r"(?-u:\b)do[opr]_v1_[a-f0-9]{64}", whole),
        ("azure_key", Secrets, r"(?-u:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{42,88}={0,2})", whole),
        // RFC 7519: three parts of base64url, of which the first two are JSON objects.
        ("jwt", Secrets, r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}", whole),
        // RFC 3986, userinfo.
        (
            "url_password",
            Secrets,
            r#"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@"'<>]{0,100}:([^\s/@"'<>]{3,200})@"#,
            no_variable,
        ),
        (
            "assigned",
            Assigned,
            r#"(?i-u:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential)(?-u:[a-z0-9_-]{0,20}["']?\s{0,3}(?::=|=>|:|=)\s{0,3}["'`]?)([^\s"'`,;(){}\[\]<>]{8,200})"#,
            looks_drawn,
        ),
        (
            "email",
            Email,
            r"(?-u:\b)[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?-u:\b)",
            not_git,
        ),
        // ISO/IEC 7812.
        ("card", Card, r"(?-u:\b)[2-6][0-9]{3}(?:[ -]?[0-9]){9,15}(?-u:\b)", card),
        // ISO 13616.
        ("iban", Iban, r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?-u:\b)", iban),
        // ITU-T E.164: at most 15 digits.
        ("phone", Phone, r"\+[1-9][0-9]{0,2}(?:[ ./-]?\([0-9]{1,4}\))?(?:[ ./-]?[0-9]){5,13}(?-u:\b)", phone),
        ("ip", Ip, r"(?-u:\b)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?-u:\b)", ip),
        ("ip", Ip, r"(?-u:\b)[0-9A-Fa-f]{1,4}(?:::?[0-9A-Fa-f]{1,4}){3,7}(?-u:\b)", ip),
    ]
};

/// All of them.
pub(super) fn detectors() -> &'static [Detector] {
    static DETECTORS: OnceLock<Vec<Detector>> = OnceLock::new();
    DETECTORS.get_or_init(|| {
        let detector = |&(what, kind, look, fits): &Look| Detector {
            what,
            kind,
            regex: Regex::new(look).expect("a test compiles each"),
            fits,
        };
        LOOKS.iter().map(detector).collect()
    })
}

/// Names in kebab case begin like keys, but have no digits.
fn has_digit(found: &str) -> Option<usize> {
    found.bytes().any(|b| b.is_ascii_digit()).then_some(found.len())
}

/// `${PASSWORD}`, `$PASSWORD`, `{password}` and `***` stand for a password, but are none.
fn no_variable(found: &str) -> Option<usize> {
    let is_named = found.starts_with(['$', '{', '%', '[', '*']);
    (!is_named).then_some(found.len())
}

/// What somebody drew by chance or made up as a password: letters and digits. A name in code rarely has both.
fn looks_drawn(found: &str) -> Option<usize> {
    let digits = found.bytes().filter(u8::is_ascii_digit).count();
    let letters = found.bytes().filter(u8::is_ascii_alphabetic).count();
    (digits >= 2 && letters >= 2).then_some(found.len()).and(no_variable(found))
}

/// `git@host` is how code is fetched, not a person.
fn not_git(found: &str) -> Option<usize> {
    (!found.starts_with("git@")).then_some(found.len())
}

/// ISO/IEC 7812-1, annex B: from the right, every second digit is doubled; the sum of digits is a multiple of ten.
fn card(found: &str) -> Option<usize> {
    let digits: Vec<u32> = found.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    ((13..=19).contains(&digits.len()) && sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0]))
        .then_some(found.len())
}

/// ISO 13616: with the first four characters moved to the end and letters as 10 to 35, the number is 1 modulo 97. What stands
/// behind it in capitals may have been taken along: groups at the end are left out until it fits.
fn iban(found: &str) -> Option<usize> {
    let mut end = found.len();
    loop {
        if is_iban(&found[..end]) {
            return Some(end);
        }
        end = found[..end].rfind(' ')?;
    }
}

fn is_iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let moved = plain[4..].iter().chain(&plain[..4]);
    let rest = moved.fold(0_u32, |rest, c| match c.to_digit(36) {
        Some(value) if value >= 10 => (rest * 100 + value) % 97,
        Some(value) => (rest * 10 + value) % 97,
        None => rest,
    });
    rest == 1
}

fn phone(found: &str) -> Option<usize> {
    let digits = found.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits).then_some(found.len())
}

fn ip(found: &str) -> Option<usize> {
    let address: IpAddr = found.parse().ok()?;
    (!address.is_loopback() && !address.is_unspecified()).then_some(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a text a detector would mask.
    fn found(what: &str, text: &str) -> Vec<String> {
        let own = detectors().iter().filter(|detector| detector.what == what);
        own.flat_map(|detector| {
            detector.regex.captures_iter(text).filter_map(|captures| {
                let found = captures.get(1).or_else(|| captures.get(0))?.as_str();
                (detector.fits)(found).map(|length| found[..length].to_owned())
            })
        })
        .collect()
    }

    /// Put together here, so that no scanner of secrets takes this file for one.
    fn drawn(length: usize) -> String {
        "aB3dE5gH7jK9mN1pQ2sT4vW6xY8z".chars().cycle().take(length).collect()
    }

    #[test]
    fn keys_are_known_by_their_look() {
        let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", drawn(64));
        let cut = format!("-----BEGIN PRIVATE KEY-----\\n{}\\n{}", drawn(64), drawn(40));
        for (what, secret) in [
            ("private_key", pem),
            ("private_key", cut),
            ("aws_key", format!("AKIA{}", "ABCDEFGH234567AB")),
            ("github_token", format!("ghp_{}", drawn(36))),
            ("github_token", format!("github_pat_{}", drawn(40))),
            ("gitlab_token", format!("glpat-{}", drawn(20))),
            ("slack_token", format!("xoxb-{}", drawn(24))),
            ("stripe_key", format!("sk_live_{}", drawn(24))),
            ("google_key", format!("AIza{}", drawn(35))),
            ("anthropic_key", format!("sk-ant-api03-{}", drawn(40))),
            ("openai_key", format!("sk-proj-{}", drawn(48))),
            ("weft_key", format!("weft_gw_{}", drawn(43))),
            ("huggingface_token", format!("hf_{}", drawn(34))),
            ("npm_token", format!("npm_{}", drawn(36))),
            ("jwt", format!("eyJ{}.eyJ{}.{}", drawn(20), drawn(30), drawn(43))),
        ] {
            assert_eq!(found(what, &format!("key: {secret} and more")), std::slice::from_ref(&secret), "{what}");
        }
        assert_eq!(found("aws_secret", &format!("AWS_SECRET_ACCESS_KEY={}\n", drawn(40))), [drawn(40)]);
        assert_eq!(found("url_password", "postgres://weft:hunter22@db/weft"), ["hunter22"]);
        assert_eq!(found("url_password", "redis://:hunter22@cache"), ["hunter22"]);
    }

    #[test]
    fn what_only_begins_like_a_secret_is_none() {
        for (what, text) in [
            ("private_key", "a file that begins with -----BEGIN PRIVATE KEY----- is a key."),
            ("aws_key", "AKIASHORT"),
            ("openai_key", "sk-button-primary-with-a-very-long-class-name-indeed"),
            ("url_password", "postgres://weft:${PASSWORD}@db/weft and http://host:8080/a@b"),
            ("assigned", "password: String, token = read_token(), secret = settings.secret_value"),
            ("email", "git@example.org:team/repo.git, a@b, @decorator.name"),
            ("card", "4111 1111 1111 1112, 0000000000000000, 12345678901234567890123"),
            ("iban", "DE00 3704 0044 0532 0130 00 and AB12 WORD WORD WORD"),
            ("phone", "+1 23, 1 + 12345678"),
            ("ip", "127.0.0.1, 0.0.0.0, 1.2.3, 999.1.1.1, std::fmt::Debug, 12:30:45:10"),
        ] {
            assert_eq!(found(what, text), Vec::<String>::new(), "{what} in {text}");
        }
    }

    #[test]
    fn personal_data_are_found_where_their_check_digits_fit() {
        assert_eq!(found("email", "Ada <ada.lovelace+x@mail.example.org>, ok"), ["ada.lovelace+x@mail.example.org"]);
        assert_eq!(
            found("card", "4111 1111 1111 1111, 5500-0000-0000-0004"),
            ["4111 1111 1111 1111", "5500-0000-0000-0004"]
        );
        assert_eq!(found("iban", "to DE89 3704 0044 0532 0130 00 TODAY"), ["DE89 3704 0044 0532 0130 00"]);
        assert_eq!(found("iban", "GB82WEST12345698765432."), ["GB82WEST12345698765432"]);
        assert_eq!(found("phone", "call +49 (30) 1234-567"), ["+49 (30) 1234-567"]);
        assert_eq!(found("ip", "10.1.2.3 2001:db8:0:1::17"), ["10.1.2.3", "2001:db8:0:1::17"]);
        assert_eq!(found("assigned", "DB_PASSWORD='tr0ub4dor&3x'"), ["tr0ub4dor&3x"]);
        assert_eq!(found("assigned", r#"{"api_key": "q9w8e7r6t5"}"#), ["q9w8e7r6t5"]);
    }
}
