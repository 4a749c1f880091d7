//! `weft serve`: the server, until it is asked to stop.

use std::time::Duration;

use clap::Args;

use super::interrupt::Interrupt;
use super::{Failure, Global};
use crate::db::{Db, Options};
use crate::http;
use crate::runtime::outbound::{Outbound, Policy};
use crate::runtime::sandbox;
use crate::runtime::{Clock, Config, Ids, Keys, Runtime};

/// Open files that a thousand streams at once need and more: each holds two connections.
const OPEN_FILES: u64 = 65_536;
/// How long a stop waits for what is in flight.
const DRAIN: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) async fn run(global: &Global, _arguments: Arguments) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen();
    let runtime = boot(global.server()?).await?;
    let listener = tokio::net::TcpListener::bind(runtime.config.addr)
        .await
        .map_err(|error| Failure::failed(format!("cannot listen on {}: {error}", runtime.config.addr)))?;
    tracing::info!(addr = %runtime.config.addr, url = runtime.config.public_url, engine = runtime.db.engine(), "ready");
    let is_first = crate::auth::is_setup_pending(&runtime).await.map_err(crate::model::ApiError::from)?;
    if let Some(link) = crate::auth::boot(&runtime).await.map_err(crate::model::ApiError::from)? {
        super::out::note(format_args!("Open {link} to create the owner account."));
    } else if is_first {
        http::first::furnish(&runtime).await;
    }
    crate::auth::start(&runtime);
    crate::master::start(&runtime);
    crate::memory::boot(&runtime);
    crate::cache::boot(&runtime);
    crate::gateway::boot(&runtime);
    crate::agents::boot(&runtime);
    crate::workflow::boot(&runtime).await.map_err(crate::model::ApiError::from)?;
    crate::workflow::assign::boot(&runtime);
    crate::trigger::boot(&runtime).await.map_err(crate::model::ApiError::from)?;
    crate::runtime::heap::boot(&runtime);
    http::serve(&runtime, listener, async move { interrupt.asked().await })
        .await
        .map_err(|error| Failure::failed(format!("the server stopped: {error}")))?;
    runtime.tasks.stop(DRAIN).await;
    runtime.db.close().await;
    Ok(())
}

/// Where the master key comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeySource {
    /// The file of the settings, made when missing.
    File,
    /// One that dies with this process, for a database in memory.
    Ephemeral,
}

/// Opens the database and the keys, and puts the runtime together.
pub(super) async fn boot(config: Config) -> Result<Runtime, Failure> {
    boot_with(config, KeySource::File).await
}

/// [`boot`], with the master key from elsewhere.
pub(super) async fn boot_with(config: Config, keys: KeySource) -> Result<Runtime, Failure> {
    let keys = match keys {
        KeySource::File => Keys::open(&config.master_key_file, &Ids).map_err(|e| Failure::failed(e.to_string()))?,
        KeySource::Ephemeral => Keys::ephemeral(&Ids),
    };
    allow_open_files();
    let db = Db::open(&Options::new(config.database_url.clone())).await?;
    let data_dir = config.data_dir.canonicalize().ok();
    // Where it does not stand in there.
    let key_file = config.master_key_file.canonicalize().ok();
    let key_file = key_file.filter(|file| data_dir.as_ref().is_none_or(|folder| !file.starts_with(folder)));
    let hidden = data_dir.into_iter().chain(key_file).collect();
    sandbox::install(sandbox::Settings { hidden, ..sandbox::Settings::default() });
    let policy = Policy::allowing(&config.allow_private).map_err(|error| Failure::failed(error.to_string()))?;
    let clock = Clock::of(&db).await?;
    let runtime = Runtime::new(config, db, clock, keys, Outbound::new(policy));
    // Before anything is sealed or opened.
    crate::master::boot(&runtime).await.map_err(|error| Failure::failed(error.to_string()))?;
    crate::gateway::lend_embedder(&runtime);
    crate::memory::lend_guard(&runtime);
    runtime.tasks.spawn("clock", runtime.clock.clone().keep(runtime.db.clone(), runtime.tasks.stopping().clone()));
    Ok(runtime)
}

/// Raises the limit of open files as far as this process may: many systems begin with 1,024 for the sake of old programs. What runs
/// in the sandbox has limits of its own.
pub(super) fn allow_open_files() {
    match rlimit::increase_nofile_limit(OPEN_FILES) {
        Ok(most) if most < OPEN_FILES => tracing::debug!(most, "files that may be open at once"),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}
