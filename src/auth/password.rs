//! Passwords: what is accepted, and how they are kept.
//!
//! argon2id with 19 MiB, two passes and one lane, as a PHC string. It runs on the blocking pool behind a semaphore as
//! wide as the machine has cores, with a bounded queue before it, so that a flood of sign-ins costs a refusal and neither
//! memory nor the rest of the server. An unknown account is checked against a dummy hash: the same code runs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::error::{Error, Result};
use crate::model::credentials::Password;
use crate::runtime::Runtime;

/// The fewest bytes of a password.
pub const MIN_BYTES: usize = 10;
/// The most bytes of a password.
pub const MAX_BYTES: usize = 1024;

/// Memory in KiB, passes and lanes. Source: OWASP Password Storage Cheat Sheet, argon2id minimum (19 MiB, 2, 1).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes that may wait for a core before the next is refused.
const QUEUE: usize = 64;

/// The most common passwords of [`MIN_BYTES`] and more, lower case, sorted.
static COMMON: &str = include_str!("common_passwords.txt");

/// Refuses a password that is too short, too long, too common, or the person's own e-mail address or name.
///
/// # Errors
/// [`Error::Invalid`] at `pointer`, saying what is expected.
pub fn check(pointer: &str, password: &Password, email: &str, name: &str) -> Result<()> {
    let text = password.0.as_str();
    if text.len() < MIN_BYTES {
        return Err(Error::invalid(pointer, format!("expected at least {MIN_BYTES} characters")));
    }
    if text.len() > MAX_BYTES {
        return Err(Error::invalid(pointer, format!("expected at most {MAX_BYTES} bytes")));
    }
    let folded = text.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let squeezed: String = name.to_lowercase().split_whitespace().collect();
    let own = [email.to_lowercase(), local.to_lowercase(), name.to_lowercase(), squeezed];
    if own.iter().any(|own| !own.is_empty() && *own == folded) {
        return Err(Error::invalid(pointer, "expected something else than your e-mail address or name"));
    }
    let mut characters = folded.chars();
    let first = characters.next();
    let is_one_character = characters.all(|c| Some(c) == first);
    if is_one_character || COMMON.lines().any(|common| common == folded) {
        return Err(Error::invalid(pointer, "this is one of the most common passwords; expected another"));
    }
    Ok(())
}

/// The process' hashing: how much of it may run at once, and how much ran.
#[derive(Debug)]
pub(super) struct Hasher {
    cores: Semaphore,
    queue: Semaphore,
    runs: AtomicU64,
    dummy: OnceLock<String>,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            cores: Semaphore::new(cores),
            queue: Semaphore::new(cores + QUEUE),
            runs: AtomicU64::new(0),
            dummy: OnceLock::new(),
        }
    }
}

/// How often this process has run argon2: what the sameness of all refusals is tested by.
pub fn hashes_run(runtime: &Runtime) -> u64 {
    runtime.shared::<Hasher>().runs.load(Ordering::Relaxed)
}

/// Hashes a password with a fresh salt.
///
/// # Errors
/// [`Error::Busy`] when too many wait already.
pub(super) async fn hash(runtime: &Runtime, password: &Password) -> Result<String> {
    let salt: [u8; 16] = runtime.ids.random_bytes();
    let password = password.clone();
    run(runtime, move || hash_with(&password, salt)).await?
}

/// Whether the password fits the hash. `None`, for an unknown account, takes as long and is false.
///
/// # Errors
/// [`Error::Busy`] when too many wait already.
pub(super) async fn verify(runtime: &Runtime, password: &Password, hash: Option<&str>) -> Result<bool> {
    let hasher = runtime.shared::<Hasher>();
    let known = hash.is_some();
    let salt: [u8; 16] = runtime.ids.random_bytes();
    let hash = hash.map(str::to_owned);
    // No stored password is longer; a longer one is compared as an empty one, for the same time.
    let password = if password.0.len() > MAX_BYTES { Password::from("") } else { password.clone() };
    run(runtime, move || {
        let hash = match hash {
            Some(hash) => hash,
            None => dummy(&hasher, salt)?,
        };
        let parsed = PasswordHash::new(&hash).map_err(|_| Error::Crypto("read a stored password hash"))?;
        Ok(argon2()?.verify_password(password.0.as_bytes(), &parsed).is_ok() && known)
    })
    .await?
}

/// Whether a stored hash was made with other parameters than today's.
pub(super) fn is_outdated(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return true;
    };
    let Ok(params) = Params::try_from(&parsed) else {
        return true;
    };
    parsed.algorithm.as_str() != "argon2id" || (params.m_cost(), params.t_cost(), params.p_cost()) != COST
}

async fn run<T: Send + 'static>(runtime: &Runtime, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let hasher = runtime.shared::<Hasher>();
    let _place = hasher.queue.try_acquire().map_err(|_| Error::Busy)?;
    let _core = hasher.cores.acquire().await.map_err(|_| Error::Busy)?;
    hasher.runs.fetch_add(1, Ordering::Relaxed);
    runtime.tasks.blocking(work).await.map_err(|_| Error::Crypto("run the password hash"))
}

/// Made once a process, of a password that nobody has.
fn dummy(hasher: &Hasher, salt: [u8; 16]) -> Result<String> {
    if let Some(hash) = hasher.dummy.get() {
        return Ok(hash.clone());
    }
    let hash = hash_with(&Password::from("nobody has this password"), salt)?;
    Ok(hasher.dummy.get_or_init(|| hash).clone())
}

fn hash_with(password: &Password, salt: [u8; 16]) -> Result<String> {
    let hash = argon2()?.hash_password_with_salt(password.0.as_bytes(), &salt);
    Ok(hash.map_err(|_| Error::Crypto("hash a password"))?.to_string())
}

fn argon2() -> Result<Argon2<'static>> {
    let (memory_kib, passes, lanes) = COST;
    let params = Params::new(memory_kib, passes, lanes, None).map_err(|_| Error::Crypto("set up argon2"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(password: &str) -> Option<String> {
        match check("/password", &password.into(), "mara@team.example", "Mara Lindqvist") {
            Err(Error::Invalid(field)) => Some(field.message),
            Err(other) => Some(other.to_string()),
            Ok(()) => None,
        }
    }

    #[test]
    fn weak_passwords_are_refused_with_what_was_expected() {
        let rows = [
            ("short", "at least 10"),
            ("Password123", "most common"),
            ("1234567890", "most common"),
            ("zzzzzzzzzzzzzz", "most common"),
            ("Mara@Team.example", "e-mail address or name"),
            ("mara lindqvist", "e-mail address or name"),
            ("MaraLindqvist", "e-mail address or name"),
        ];
        for (password, expected) in rows {
            let message = verdict(password).unwrap_or_default();
            assert!(message.contains(expected), "{password}: {message}");
        }
        assert!(verdict(&"x1".repeat(513)).is_some_and(|message| message.contains("at most 1024")));
        assert_eq!(verdict("a loom in the attic"), None);
        assert_eq!(verdict(&"x1".repeat(512)), None);
    }

    #[test]
    fn a_hash_with_other_parameters_is_outdated() {
        let hash = hash_with(&"a loom in the attic".into(), [7; 16]).expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(!is_outdated(&hash));
        assert!(is_outdated(&hash.replace("t=2", "t=1")));
        assert!(is_outdated("plain text"));
    }
}
