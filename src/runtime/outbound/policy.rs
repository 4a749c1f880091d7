//! What the administrator allows, and the caps for requests that name none.

use std::net::IpAddr;
use std::str::FromStr;

use super::Error;
use super::address::is_public;

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// `bits` beyond the address's length count as its length.
    pub(super) const fn new(base: IpAddr, bits: u8) -> Self {
        Self { base, bits }
    }

    /// Whether the address lies inside. An IPv4 range contains no IPv6 address, mapped ones included.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32_u32.saturating_sub(self.bits.into());
                u32::from(base).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128_u32.saturating_sub(self.bits.into());
                u128::from(base).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = Error;

    /// Reads `ADDRESS/BITS`, or an address alone.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refused =
            || Error::invalid("allow_private", format!("a range such as 10.0.0.0/8 or fd00::/8, not {text:?}"));
        let (address, bits) =
            text.trim().split_once('/').map_or((text.trim(), None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| refused())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| refused())?;
        if bits > most {
            return Err(refused());
        }
        Ok(Self { base, bits })
    }
}

/// What may be reached, and the caps of a request that names none.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Addresses that may be reached though they are not public.
    pub allow_private: Vec<Network>,
    /// Redirects followed.
    pub max_redirects: u32,
    /// From the call to the last byte, in milliseconds.
    pub timeout_ms: u64,
    /// Bytes of a body as sent.
    pub max_bytes: u64,
    /// Bytes of a body after decompression.
    pub max_decompressed: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            max_redirects: 3,
            timeout_ms: 30_000,
            max_bytes: 10 << 20,
            max_decompressed: 20 << 20,
        }
    }
}

impl Policy {
    /// The default caps, and these ranges allowed.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] names the range that cannot be read.
    pub fn allowing<S: AsRef<str>>(ranges: &[S]) -> Result<Self, Error> {
        let allow_private = ranges.iter().map(|range| range.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { allow_private, ..Self::default() })
    }

    pub(super) fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allow_private.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_bad_ones_named() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.9.9.9", "11.0.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("fd00::/8", "fd00::1", "fe00::1"),
        ] {
            let network: Network = range.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{range}");
            assert!(!network.contains(outside.parse().unwrap()), "{range}");
        }
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host/8", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(bad.parse::<Network>().unwrap_err().to_string().contains("allow_private"), "{bad}");
        }
    }
}
