//! The configuration: flag, then environment, then `weft.toml` in the data directory, then default; each value knows where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

pub mod cache;
mod embedder;
mod file;
mod folders;
mod mask;
mod seeds;

use mask::{MASK, masked_url};
pub use seeds::Seed;

/// One setting, described once for the file, the environment, `weft config` and the docs.
#[derive(Debug)]
pub struct Setting {
    /// In `weft.toml`, and the flag without its dashes and with `_`.
    pub name: &'static str,
    /// In the environment.
    pub env: &'static str,
    /// What holds when nobody says; empty means unset.
    pub default: &'static str,
    /// Whether it is masked when shown.
    pub secret: bool,
    /// What it means and what is expected.
    pub help: &'static str,
}

const fn setting(name: &'static str, env: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, env, default, secret: false, help }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting(
        "addr",
        "WEFT_ADDR",
        "127.0.0.1:3000",
        "listen address, such as 127.0.0.1:3000; a public one needs public_url",
    ),
    setting("public_url", "WEFT_PUBLIC_URL", "", "the origin that browsers use, such as https://weft.example.com"),
    setting(
        "trusted_proxies",
        "WEFT_TRUSTED_PROXIES",
        "",
        "addresses of reverse proxies whose X-Forwarded-For is believed, such as 10.0.0.5,10.0.0.6",
    ),
    setting("data_dir", "WEFT_DATA_DIR", "weft-data", "folder for keys, working directories and the SQLite database"),
    setting(
        "database_url",
        "WEFT_DATABASE_URL",
        "",
        "sqlite:PATH or postgres://…; unset means weft.db in the data directory",
    ),
    setting(
        "master_key_file",
        "WEFT_MASTER_KEY_FILE",
        "",
        "key-encryption key, 32 bytes base64; unset means master.key in the data directory",
    ),
    setting(
        "embedders",
        "WEFT_EMBEDDERS",
        "",
        "folder with models that make vectors of memory on this machine; unset means embedders in the data directory",
    ),
    embedder::SETTING,
    setting("log", "WEFT_LOG", "info", "tracing filter, such as info or weft=debug"),
    setting("log_format", "WEFT_LOG_FORMAT", "auto", "json, text, or auto (text on a terminal, else json)"),
    setting("admin_email", "WEFT_ADMIN_EMAIL", "", "with admin_password: makes the owner at the first start"),
    Setting { secret: true, ..setting("admin_password", "WEFT_ADMIN_PASSWORD", "", "at least 10 characters") },
    setting(
        "allow_private",
        "WEFT_ALLOW_PRIVATE",
        "",
        "address ranges that http steps may reach though private, such as 10.0.0.0/8,127.0.0.1/32",
    ),
    folders::ALLOW_PATHS,
    folders::BACKUP_DIR,
    setting("max_steps", "WEFT_MAX_STEPS", "64", "steps with effects that may be in flight at once, 1..=1024"),
    setting(
        "max_queued_runs",
        "WEFT_MAX_QUEUED_RUNS",
        "10000",
        "runs of a workspace that may wait to begin, 1..=1000000",
    ),
    setting(
        "max_running_runs",
        "WEFT_MAX_RUNNING_RUNS",
        "",
        "runs of a workspace that may be in progress, 1..=1000000; unset means any number",
    ),
    setting("retention_days", "WEFT_RETENTION_DAYS", "90", "days that ended runs and their logs are kept, 1..=3650"),
    cache::MEMORY_MB,
    cache::MEMORY_MINUTES,
    cache::MINUTES,
    cache::ENTRIES,
    cache::MB,
    seeds::ANTHROPIC_KEY,
    seeds::ANTHROPIC_URL,
    seeds::OPENAI_KEY,
    seeds::OPENAI_URL,
    seeds::OLLAMA,
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// This variable.
    Environment(&'static str),
    /// This file.
    File(PathBuf),
    /// The table above.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting's outcome, as `weft config` prints it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The setting.
    pub setting: &'static Setting,
    /// Its text; empty means unset.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Outcome {
    /// The value for people: secrets masked.
    pub fn shown(&self) -> String {
        if self.setting.secret && !self.value.is_empty() { MASK.to_owned() } else { masked_url(&self.value) }
    }
}

/// A value that doesn't fit.
#[derive(Debug, thiserror::Error)]
#[error("{name} (from {origin}): expected {expected}, found {found:?}")]
pub struct Error {
    /// The setting's name.
    pub name: String,
    /// Where the value came from.
    pub origin: String,
    /// What would fit.
    pub expected: String,
    /// What was there; masked for secrets.
    pub found: String,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub addr: SocketAddr,
    /// The origin that browsers use, without a slash at the end.
    pub public_url: String,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Keys, working directories, the SQLite file.
    pub data_dir: PathBuf,
    /// `sqlite:…` or `postgres://…`.
    pub database_url: String,
    /// The key-encryption key's file.
    pub master_key_file: PathBuf,
    /// Folders of models that make vectors on this machine.
    pub embedders: PathBuf,
    /// The model that makes vectors where nobody has chosen, as a workspace would choose it.
    pub embedder: Option<String>,
    /// The tracing filter.
    pub log: String,
    /// `json`, `text` or `auto`.
    pub log_format: String,
    /// The owner to make at the first start.
    pub admin: Option<(String, String)>,
    /// Private ranges that http steps may reach.
    pub allow_private: Vec<String>,
    /// Folders that steps may read and work in; `None` means any.
    pub allow_paths: Option<Vec<PathBuf>>,
    /// The folder below which backups of the memory are written; `None`: nowhere on this machine.
    pub backup_dir: Option<PathBuf>,
    /// Steps with effects in flight at once.
    pub max_steps: u32,
    /// Runs of a workspace that may wait to begin.
    pub max_queued_runs: u32,
    /// Runs of a workspace that may be in progress; `None` for any number.
    pub max_running_runs: Option<u32>,
    /// Days that ended runs are kept.
    pub retention_days: u32,
    /// What the response cache may take, and for how long.
    pub cache: cache::Bounds,
    /// Providers of models that a workspace begins with.
    pub seeds: Vec<Seed>,
    /// Every outcome, in the order of [`SETTINGS`].
    pub outcomes: Vec<Outcome>,
}

impl Config {
    /// Reads the settings. `flags` holds what the command line gave, by setting name.
    ///
    /// # Errors
    /// The first value that doesn't fit, with its place and what was expected; also an unknown key in `weft.toml`.
    pub fn load(flags: &BTreeMap<&'static str, String>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let data_dir = pick(find("data_dir"), flags, env, &BTreeMap::new(), Path::new(""));
        let path = PathBuf::from(&data_dir.value).join("weft.toml");
        let in_file = file::read(&path)?;
        let outcomes: Vec<Outcome> = SETTINGS.iter().map(|s| pick(s, flags, env, &in_file, &path)).collect();
        check(outcomes).map(Self::with_derived)
    }

    /// Puts what unset settings amount to into their outcomes.
    fn with_derived(mut self) -> Self {
        let derived = [
            ("public_url", self.public_url.clone()),
            ("database_url", self.database_url.clone()),
            ("master_key_file", self.master_key_file.display().to_string()),
            ("embedders", self.embedders.display().to_string()),
        ];
        for (name, value) in derived {
            let unset = self.outcomes.iter_mut().find(|o| o.setting.name == name && o.value.is_empty());
            if let Some(outcome) = unset {
                outcome.value = value;
            }
        }
        self
    }

    /// The defaults for a test or a headless run: nothing read from outside, everything under `data_dir`.
    pub fn isolated(data_dir: &Path) -> Self {
        let flags = BTreeMap::from([("data_dir", data_dir.display().to_string())]);
        let outcomes = SETTINGS.iter().map(|s| pick(s, &flags, &|_| None, &BTreeMap::new(), Path::new(""))).collect();
        check(outcomes).expect("the defaults fit")
    }

    /// Whether somebody gave this setting: a flag, the environment or the file.
    pub fn is_given(&self, name: &str) -> bool {
        self.outcomes.iter().any(|o| o.setting.name == name && o.origin != Origin::Default)
    }

    /// Whether cookies must be `Secure`.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// The process' environment; read here and nowhere else.
pub fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn find(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|s| s.name == name).expect("named in the table")
}

fn pick(
    setting: &'static Setting,
    flags: &BTreeMap<&'static str, String>,
    env: &dyn Fn(&str) -> Option<String>,
    in_file: &BTreeMap<String, String>,
    file: &Path,
) -> Outcome {
    let (value, origin) = if let Some(value) = flags.get(setting.name) {
        (value.clone(), Origin::Flag)
    } else if let Some(value) = env(setting.env) {
        (value, Origin::Environment(setting.env))
    } else if let Some(value) = in_file.get(setting.name) {
        (value.clone(), Origin::File(file.to_owned()))
    } else {
        (setting.default.to_owned(), Origin::Default)
    };
    Outcome { setting, value, origin }
}

fn check(outcomes: Vec<Outcome>) -> Result<Config, Error> {
    let get = |name: &str| outcomes.iter().find(|o| o.setting.name == name).expect("every setting has an outcome");
    let refuse = |name: &str, expected: &str| {
        let outcome = get(name);
        Error {
            name: name.to_owned(),
            origin: outcome.origin.to_string(),
            expected: expected.to_owned(),
            found: outcome.shown(),
        }
    };
    let optional = |name: &str| Some(get(name).value.clone()).filter(|value| !value.is_empty());
    let addr: SocketAddr =
        get("addr").value.parse().map_err(|_| refuse("addr", "an address and port, such as 127.0.0.1:3000"))?;
    let public = optional("public_url");
    if public.is_none() && !addr.ip().is_loopback() {
        return Err(refuse("public_url", "an https:// origin, because addr is not a loopback address"));
    }
    let public_url = public.unwrap_or_else(|| format!("http://{addr}"));
    let parsed = url::Url::parse(&public_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let origin = parsed.filter(|url| url.path() == "/" && url.query().is_none() && url.username().is_empty());
    let public_url = origin
        .map(|url| url.origin().ascii_serialization())
        .ok_or_else(|| refuse("public_url", "an origin, such as https://weft.example.com"))?;
    if !addr.ip().is_loopback() && !public_url.starts_with("https://") {
        return Err(refuse("public_url", "an https:// origin, because addr is not a loopback address"));
    }

    let data_dir = PathBuf::from(&get("data_dir").value);
    let database_url =
        optional("database_url").unwrap_or_else(|| format!("sqlite:{}", data_dir.join("weft.db").display()));
    if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database_url.starts_with(scheme)) {
        return Err(refuse("database_url", "sqlite:PATH or postgres://…"));
    }
    let log_format = get("log_format").value.clone();
    if !matches!(log_format.as_str(), "json" | "text" | "auto") {
        return Err(refuse("log_format", "json, text or auto"));
    }
    let admin = match (optional("admin_email"), optional("admin_password")) {
        (Some(email), Some(password)) => Some((email, password)),
        (None, None) => None,
        (Some(_), None) => return Err(refuse("admin_password", "a password, because admin_email is set")),
        (None, Some(_)) => return Err(refuse("admin_email", "an e-mail address, because admin_password is set")),
    };
    let number = |name: &str, range: std::ops::RangeInclusive<u32>| {
        get(name)
            .value
            .parse()
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| refuse(name, &format!("a whole number from {} to {}", range.start(), range.end())))
    };
    let (named, given) = (&get("embedder").value, optional("embedders").map(PathBuf::from));
    let (embedders, embedder) =
        embedder::read(named, given, data_dir.join("embedders")).map_err(|expected| refuse("embedder", expected))?;
    let seeds =
        seeds::read(|name| get(name).value.as_str(), &public_url).map_err(|(name, expected)| refuse(name, expected))?;
    let trusted_proxies = optional("trusted_proxies").unwrap_or_default();
    let trusted_proxies = trusted_proxies.split(',').map(str::trim).filter(|address| !address.is_empty());
    let trusted_proxies = trusted_proxies.map(str::parse).collect::<Result<Vec<IpAddr>, _>>();
    let allow_paths = optional("allow_paths")
        .map(|paths| std::env::split_paths(&paths).collect())
        .or_else(|| (!addr.ip().is_loopback()).then(Vec::new));
    Ok(Config {
        addr,
        public_url,
        trusted_proxies: trusted_proxies
            .map_err(|_| refuse("trusted_proxies", "addresses with commas between, such as 10.0.0.5,10.0.0.6"))?,
        master_key_file: optional("master_key_file").map_or_else(|| data_dir.join("master.key"), PathBuf::from),
        embedders,
        embedder,
        data_dir,
        database_url,
        log: get("log").value.clone(),
        log_format,
        admin,
        allow_private: optional("allow_private")
            .map(|list| list.split(',').map(|range| range.trim().to_owned()).collect())
            .unwrap_or_default(),
        allow_paths,
        backup_dir: optional("backup_dir").map(PathBuf::from),
        max_steps: number("max_steps", 1..=1024)?,
        max_queued_runs: number("max_queued_runs", 1..=1_000_000)?,
        max_running_runs: optional("max_running_runs")
            .map(|_| number("max_running_runs", 1..=1_000_000))
            .transpose()?,
        retention_days: number("retention_days", 1..=3650)?,
        cache: cache::Bounds::read(number)?,
        seeds,
        outcomes,
    })
}

#[cfg(test)]
mod tests;
