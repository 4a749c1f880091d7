//! Settings that name providers of models: what a workspace begins with, by the variables that other programs read, too.

use std::net::Ipv6Addr;

use super::{Setting, setting};
use crate::model::gateway::{Credential, ProviderKind};

pub(super) const ANTHROPIC_KEY: Setting = Setting {
    secret: true,
    ..setting("anthropic_api_key", "ANTHROPIC_API_KEY", "", "makes the provider anthropic at the first start")
};
pub(super) const ANTHROPIC_URL: Setting = setting(
    "anthropic_base_url",
    "ANTHROPIC_BASE_URL",
    "",
    "with anthropic_api_key: where that provider is; unset means Anthropic's own",
);
pub(super) const OPENAI_KEY: Setting = Setting {
    secret: true,
    ..setting("openai_api_key", "OPENAI_API_KEY", "", "makes the provider openai at the first start")
};
pub(super) const OPENAI_URL: Setting = setting(
    "openai_base_url",
    "OPENAI_BASE_URL",
    "",
    "where that provider is, with its /v1; a server that speaks as OpenAI does needs no key; unset means OpenAI's own",
);
pub(super) const OLLAMA: Setting = setting(
    "ollama_host",
    "OLLAMA_HOST",
    "",
    "makes the provider ollama at the first start, such as 127.0.0.1:11434; it is asked where allow_private names it",
);

/// Where Ollama listens when nobody says.
const OLLAMA_PORT: u16 = 11_434;

/// A provider that a workspace begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// What it is called.
    pub name: &'static str,
    /// What is at the other end.
    pub kind: ProviderKind,
    /// Where it is; the kind's usual place when empty.
    pub base_url: String,
    /// Its key.
    pub credential: Option<Credential>,
}

/// Reads them; `get` gives the text of a setting, empty where it is unset. `own` is the origin of this server: an address there is passed
/// over, since it is what programs are told that are pointed *at* Weft.
///
/// # Errors
/// The name of the setting that does not fit, and what was expected.
pub(super) fn read<'a>(get: impl Fn(&str) -> &'a str, own: &str) -> Result<Vec<Seed>, (&'static str, &'static str)> {
    const URL: &str = "an http or https URL, such as https://api.example.com/v1";
    let url = |name: &'static str| match get(name).trim() {
        "" => Ok(Some(String::new())),
        text if !is_url(text) => Err((name, URL)),
        text if is_within(text, own) => Ok(None),
        text => Ok(Some(text.to_owned())),
    };
    let key = |name: &str| Some(get(name).trim().to_owned()).filter(|key| !key.is_empty());
    let mut seeds = Vec::new();
    if let (Some(base_url), Some(credential)) = (url("anthropic_base_url")?, key("anthropic_api_key")) {
        let credential = Some(Credential(credential));
        seeds.push(Seed { name: "anthropic", kind: ProviderKind::Anthropic, base_url, credential });
    }
    if let Some(base_url) = url("openai_base_url")? {
        let credential = key("openai_api_key").map(Credential);
        let kind = match base_url.as_str() {
            "" => ProviderKind::OpenAi,
            text if text.trim_end_matches('/') == ProviderKind::OpenAi.usual_base_url() => ProviderKind::OpenAi,
            _ => ProviderKind::OpenAiCompatible,
        };
        if credential.is_some() || kind == ProviderKind::OpenAiCompatible {
            seeds.push(Seed { name: "openai", kind, base_url, credential });
        }
    }
    if let Some(host) = key("ollama_host") {
        let base_url = ollama_url(&host).ok_or(("ollama_host", "an address, such as 127.0.0.1:11434"))?;
        seeds.push(Seed { name: "ollama", kind: ProviderKind::Ollama, base_url, credential: None });
    }
    Ok(seeds)
}

fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Whether an address is this server's, by whatever name loopback has in it.
fn is_within(text: &str, own: &str) -> bool {
    let origin = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        let host = match url.host_str()? {
            "127.0.0.1" | "[::1]" | "localhost" | "0.0.0.0" | "[::]" => "localhost",
            host => host,
        };
        Some((host.to_owned(), url.port_or_known_default()))
    };
    origin(text).is_some_and(|there| origin(own) == Some(there))
}

/// What Ollama's own programs take: a host, a host and its port, a port behind a colon, or a URL. Where it is told to listen everywhere it
/// is asked on loopback.
fn ollama_url(given: &str) -> Option<String> {
    let (text, names_port) = if given.contains("://") {
        (given.to_owned(), true)
    } else {
        let host = match given {
            address if address.parse::<Ipv6Addr>().is_ok() => format!("[{address}]"),
            port if port.starts_with(':') => format!("127.0.0.1{port}"),
            host => host.to_owned(),
        };
        (format!("http://{host}"), host.rsplit(']').next().is_some_and(|rest| rest.contains(':')))
    };
    let mut url = url::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    if matches!(url.host_str()?, "0.0.0.0" | "[::]") {
        url.set_host(Some("127.0.0.1")).ok()?;
    }
    if !names_port {
        url.set_port(Some(OLLAMA_PORT)).ok()?;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &'static str)]) -> Result<Vec<(&'static str, ProviderKind, String)>, &'static str> {
        let get = |name: &str| given.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        let seeds = super::read(get, "http://127.0.0.1:3000").map_err(|(name, _)| name)?;
        Ok(seeds.into_iter().map(|seed| (seed.name, seed.kind, seed.base_url)).collect())
    }

    #[test]
    fn a_key_or_an_address_makes_a_provider() {
        use ProviderKind::{Anthropic, Ollama, OpenAi, OpenAiCompatible};
        assert_eq!(read(&[]), Ok(Vec::new()));
        let all = read(&[("anthropic_api_key", "sk-ant-x"), ("openai_api_key", "sk-x"), ("ollama_host", "box")]);
        let names = [("anthropic", Anthropic, ""), ("openai", OpenAi, ""), ("ollama", Ollama, "http://box:11434")];
        assert_eq!(all, Ok(names.map(|(name, kind, url)| (name, kind, url.to_owned())).to_vec()));
        let own = read(&[("openai_api_key", "sk-x"), ("openai_base_url", "https://api.openai.com/v1/")]).unwrap();
        assert_eq!(own[0].1, OpenAi);
        let other = read(&[("openai_base_url", "http://127.0.0.1:8080/v1")]).unwrap();
        assert_eq!(other, [("openai", OpenAiCompatible, "http://127.0.0.1:8080/v1".to_owned())]);
        assert_eq!(
            read(&[("anthropic_base_url", "https://claude.example")]),
            Ok(Vec::new()),
            "nobody answers without a key"
        );
    }

    #[test]
    fn what_is_none_is_named_and_what_is_this_server_is_passed_over() {
        assert_eq!(read(&[("openai_base_url", "localhost")]), Err("openai_base_url"));
        assert_eq!(read(&[("ollama_host", "ftp://box")]), Err("ollama_host"));
        for here in ["http://127.0.0.1:3000/api/v1/gateway/anthropic", "http://localhost:3000/api/v1/gateway/anthropic"]
        {
            assert_eq!(
                read(&[("anthropic_api_key", "weft_gw_x"), ("anthropic_base_url", here)]),
                Ok(Vec::new()),
                "{here}"
            );
        }
    }

    #[test]
    fn ollamas_own_ways_to_say_where_it_is_are_understood() {
        for (host, url) in [
            ("127.0.0.1", "http://127.0.0.1:11434"),
            ("0.0.0.0:9000", "http://127.0.0.1:9000"),
            ("https://models.example/ollama/", "https://models.example/ollama"),
            ("http://box", "http://box"),
            ("box:80", "http://box"),
            (":9000", "http://127.0.0.1:9000"),
            ("::1", "http://[::1]:11434"),
            ("[::]:9000", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(ollama_url(host).as_deref(), Some(url), "{host}");
        }
    }
}
