//! From a URL's host to addresses that were all checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::{Error, Policy};

/// The addresses to connect to. If one of a name's addresses is forbidden, all are: a name that answers with both is
/// waiting for a client that checks one and connects to the other.
pub(super) async fn vetted(url: &Url, policy: &Policy) -> Result<Vec<SocketAddr>, Error> {
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses: Vec<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        // RFC 6761: loopback by definition, whatever a resolver answers.
        Some(Host::Domain(name)) if is_localhost(name) => vec![Ipv4Addr::LOCALHOST.into()],
        Some(Host::Domain(name)) => lookup(name, port).await?,
        None => Vec::new(),
    };
    if addresses.is_empty() {
        return Err(Error::Resolve { host: url.host_str().unwrap_or_default().into() });
    }
    if addresses.iter().all(|address| policy.allows(*address)) {
        return Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    Err(Error::Refused)
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

async fn lookup(name: &str, port: u16) -> Result<Vec<IpAddr>, Error> {
    let found = tokio::net::lookup_host((name, port)).await.map_err(|_| Error::Resolve { host: name.into() })?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Answers every question with the checked addresses: whatever name the client asks for, nothing else is reached.
pub(super) struct Pinned(pub Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}
