//! File, network, socket and signal rules of the kernel's landlock, for this process and all that it starts.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::super::spec::Spec;
use super::super::{Isolation, Network};
use super::files::{DEVICES, ETC, ETC_NETWORK, SYSTEM};
use super::{Step, because};

/// Restricts this process. With namespaces it is a second wall, as high as the kernel builds it; alone it must be whole.
pub(super) fn restrict(spec: &Spec, tmp: &Path) -> Step<()> {
    // Scoped signals (ABI 6, Linux 6.12) are among what must be whole: without them a command could end the server,
    // which runs as the same user.
    let alone = spec.isolation == Isolation::Landlock;
    let level = if alone { CompatLevel::HardRequirement } else { CompatLevel::BestEffort };
    rules(spec, tmp, level).map_err(because("landlock"))
}

fn rules(spec: &Spec, tmp: &Path, level: CompatLevel) -> Result<(), landlock::RulesetError> {
    let all = AccessFs::from_all(ABI::V6);
    let mut ruleset = Ruleset::default().set_compatibility(level).handle_access(all)?;
    ruleset = ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    if spec.job.network == Network::None {
        ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
    }
    let read = AccessFs::from_read(ABI::V6);
    let mut created = ruleset.create()?.set_compatibility(CompatLevel::BestEffort);
    for path in read_paths(spec) {
        if let Ok(fd) = PathFd::new(&path) {
            let rights = if path.is_dir() { read } else { read & AccessFs::from_file(ABI::V6) };
            created = created.add_rule(PathBeneath::new(fd, rights))?;
        }
    }
    let device: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    for name in DEVICES {
        if let Ok(fd) = PathFd::new(Path::new("/dev").join(name)) {
            created = created.add_rule(PathBeneath::new(fd, device))?;
        }
    }
    let mut writable = vec![spec.job.cwd.clone(), tmp.to_owned()];
    if spec.isolation == Isolation::Namespaces {
        writable.extend(["/dev/shm", "/dev/pts", "/proc/self"].map(PathBuf::from));
    }
    for path in writable {
        if let Ok(fd) = PathFd::new(path) {
            created = created.add_rule(PathBeneath::new(fd, all))?;
        }
    }
    created.no_new_privs(true).restrict_self().map(drop)
}

/// Inside a root folder of its own all that is there may be read; else the same choice as that root folder is made of.
fn read_paths(spec: &Spec) -> Vec<PathBuf> {
    if spec.isolation == Isolation::Namespaces {
        return vec![PathBuf::from("/")];
    }
    let network: &[&str] = if spec.job.network == Network::Granted { &ETC_NETWORK } else { &[] };
    let etc = ETC.iter().chain(network).chain(&["passwd", "group"]).map(|name| Path::new("/etc").join(name));
    let system = SYSTEM.iter().map(PathBuf::from).chain(etc).chain([PathBuf::from("/proc")]);
    // A rule cannot be taken back for a part: what has something hidden inside is not shown.
    let shows_hidden = |path: &PathBuf| {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        spec.hidden.iter().any(|hidden| hidden.starts_with(&real))
    };
    system.chain(spec.job.readable.iter().cloned()).filter(|path| !shows_hidden(path)).collect()
}
