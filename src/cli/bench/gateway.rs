//! `weft bench gateway`: what a gateway adds to a call, before a model server that answers at once.
//!
//! The same client calls the model server by itself and through the gateway, in turns, at the same rate. What is added is the
//! difference of the two medians, and of the two times within which 99 of 100 calls are answered. With `--streams` it is looked
//! what the gateway gathers for readers who don't read, and whether they have everything in the end.

mod client;
mod flood;
mod streams;
mod upstream;

use std::net::SocketAddr;

use clap::Args;

use self::client::{Load, Target, Times};
use super::{Bar, Figure, hooks, process};
use crate::cli::{Failure, serve};
use crate::gateway;
use crate::model::ApiError;
use crate::model::cache::CacheMode;
use crate::model::gateway::{Credential, KeyDraft, KeyLimits, Limits, Model, ProviderDraft, ProviderKind};
use crate::runtime::Ctx;

#[derive(Debug, Clone, Args)]
pub(super) struct Gateway {
    /// Calls a second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    rate: u32,
    /// Connections that they come over.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How often each figure is taken, after one round to warm up.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Port of the model server, for a gateway of another maker to be pointed at; 0 is a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    upstream_port: u16,
    /// Measure this gateway instead: the address of its chat completions, where the model is called `mock`.
    #[arg(long, value_name = "URL", requires = "upstream_port")]
    through: Option<String>,
    /// Hold so many streams at once instead, whose readers don't read for a while.
    #[arg(long, value_name = "NUMBER", conflicts_with = "through", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    streams: Option<u32>,
    /// How long the answer of each of them is, in MiB.
    #[arg(long, default_value_t = 4, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=60))]
    mebibytes: u32,
    /// The key of that gateway.
    #[arg(long, env = "WEFT_BENCH_KEY", hide_env_values = true, value_name = "KEY")]
    key: Option<String>,
}

/// Milliseconds that may be added, and to the first token: `reliability.md` of the project's founders.
const P50_MS: f64 = 0.3;
const P99_MS: f64 = 1.0;
const FIRST_TOKEN_MS: f64 = 1.0;

impl Gateway {
    /// Whether it needs a Weft of its own.
    pub(super) const fn measures_weft(&self) -> bool {
        self.through.is_none()
    }

    const fn load(&self, rate: Option<u32>, stream: bool) -> Load {
        Load { rate, connections: self.connections, seconds: self.seconds, stream }
    }
}

/// Measures Weft's own gateway in this workspace, or the one that is named.
pub(super) async fn measure(ctx: Option<&Ctx>, options: &Gateway) -> Result<Vec<Figure>, Failure> {
    // Both ends of each connection are this process': a thousand streams take four thousand files.
    serve::allow_open_files();
    if let (Some(ctx), Some(streams)) = (ctx, options.streams) {
        return streams::measure(ctx, streams, options.mebibytes).await;
    }
    let model = upstream::start(options.upstream_port).await?;
    let direct = Target::new(&format!("http://{model}/v1/chat/completions"), "none")?;
    let through = match (ctx, &options.through) {
        (_, Some(url)) => Target::new(url, options.key.as_deref().unwrap_or("none"))?,
        (Some(ctx), None) => point(ctx, model, hooks::serve(ctx).await?).await?,
        (None, None) => return Err(Failure::usage("there is nothing to measure")),
    };
    let (mut p50, mut p99, mut first, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=options.rounds {
        let whole = options.load(Some(options.rate), false);
        let (alone, added) = (client::call(&direct, whole).await?, client::call(&through, whole).await?);
        kept_up(&alone, "the model server")?;
        kept_up(&added, "the gateway")?;
        let streamed = options.load(Some(options.rate.div_ceil(10)), true);
        let (alone_first, added_first) =
            (client::call(&direct, streamed).await?, client::call(&through, streamed).await?);
        let most = client::call(&through, options.load(None, false)).await?;
        if round > 0 {
            p50.push(added.within(0.5) - alone.within(0.5));
            p99.push(added.within(0.99) - alone.within(0.99));
            first.push(added_first.within(0.5) - alone_first.within(0.5));
            rates.push(most.rate);
        }
    }
    let mut figures = vec![
        Figure::of("gateway_p50", "added to a call, half of them within", "ms", Bar::AtMost(P50_MS), p50),
        Figure::of("gateway_p99", "… 99 of 100 within", "ms", Bar::AtMost(P99_MS), p99),
        Figure::of("gateway_first", "added to the first token, half within", "ms", Bar::AtMost(FIRST_TOKEN_MS), first),
        Figure::of("gateway_rate", "calls as fast as they are answered", "a second", Bar::None, rates),
    ];
    if options.measures_weft()
        && let Some((_, peak)) = process::resident()
    {
        figures.push(Figure::of(
            "gateway_memory",
            "resident, client and model server included",
            "MiB",
            Bar::None,
            vec![peak],
        ));
    }
    Ok(figures)
}

/// A client that fell behind measures itself.
fn kept_up(times: &Times, who: &str) -> Result<(), Failure> {
    match times.wanted {
        Some(wanted) if times.rate < f64::from(wanted) * 0.97 => Err(Failure::failed(format!(
            "{who} answered {:.0} of {wanted} calls a second; ask for fewer with --rate",
            times.rate
        ))),
        _ => Ok(()),
    }
}

/// Sets the gateway at `addr` up before the model server, and tells how it is called.
async fn point(ctx: &Ctx, model: SocketAddr, addr: SocketAddr) -> Result<Target, Failure> {
    let provider = ProviderDraft {
        name: "bench".into(),
        kind: ProviderKind::OpenAiCompatible,
        base_url: format!("http://{model}/v1"),
        credential: Some(Credential("none".into())),
        models: vec![Model::named("mock")],
        responses: false,
        enabled: true,
        limits: Limits::default(),
    };
    gateway::create_provider(ctx, provider).await.map_err(ApiError::from)?;
    let key = KeyDraft {
        name: "bench".into(),
        models: Vec::new(),
        expires_at: None,
        cache: CacheMode::Never,
        limits: KeyLimits::default(),
    };
    let key = gateway::create_key(ctx, key).await.map_err(ApiError::from)?;
    Target::new(&format!("http://{addr}/api/v1/gateway/openai/v1/chat/completions"), &key.secret.0)
}
