//! Builds the root folder of a command out of read-only binds, and moves into it.
//!
//! The server's whole tree hangs below [`HOST`] while the new one is built, and is let go at the end. Sources are
//! opened without following a link, so a link swapped in after the server resolved a path is an error, not a way out.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::super::Network;
use super::super::spec::Spec;
use super::files::{DEVICES, ETC, ETC_NETWORK, SYSTEM};
use super::{Step, because, by_descriptor, namespaces};

/// Where the server's tree hangs during construction.
const HOST: &str = "/.host";
/// Parts of `/proc` that tell about the machine or steer it.
const PROC_MASKED: [&str; 8] =
    ["acpi", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "sysrq-trigger", "timer_list"];
const PROC_READ_ONLY: [&str; 4] = ["bus", "fs", "irq", "sys"];

/// Builds the root folder; afterwards nothing outside of it has a name.
pub(super) fn build(spec: &Spec) -> Step<()> {
    let host = start()?;
    proc()?;
    for path in SYSTEM {
        system(&host, Path::new(path))?;
    }
    etc(&host, spec)?;
    devices(&host)?;
    tmpfs("/dev/shm", &format!("mode=1777,size={}k", spec.job.limits.memory_mb * 256))?;
    tmpfs("/tmp", &format!("mode=1777,size={}k", spec.job.limits.memory_mb * 512))?;
    let mut covers = Vec::new();
    for shown in SYSTEM {
        cover(&spec.hidden, Path::new(shown), &mut covers)?;
    }
    for path in spec.job.readable.iter().filter(|path| !SYSTEM.iter().any(|shown| path.as_path() == Path::new(shown))) {
        if spec.hidden.contains(path) {
            return Err(format!("{} is hidden from every command", path.display()));
        }
        bind(&host, path)?;
        seal(path, true)?;
        cover(&spec.hidden, path, &mut covers)?;
    }
    bind(&host, &spec.job.cwd)?;
    attributes(&spec.job.cwd, true, libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV)?;
    cover(&spec.hidden, &spec.job.cwd, &mut covers)?;
    drop(host);
    umount2(HOST, MntFlags::MNT_DETACH).map_err(because("letting go of the machine's files"))?;
    fs::remove_dir(HOST).map_err(because(HOST))?;
    for cover in covers {
        seal(&cover, false)?;
    }
    seal(Path::new("/dev"), false)?;
    seal(Path::new("/"), false)
}

/// Makes an empty root folder with the server's tree below [`HOST`].
fn start() -> Step<OwnedFd> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(because("private mounts"))?;
    let base = ["/tmp", "/var", "/usr"].into_iter().find(|path| Path::new(path).is_dir()).unwrap_or("/tmp");
    tmpfs(base, "mode=755,size=16m")?;
    let host = format!("{base}{HOST}");
    fs::create_dir(&host).map_err(because(&host))?;
    nix::unistd::pivot_root(base, host.as_str()).map_err(because("changing the root folder"))?;
    nix::unistd::chdir("/").map_err(because("/"))?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    nix::fcntl::open(HOST, flags, nix::sys::stat::Mode::empty()).map_err(because(HOST))
}

/// A new process file system; where the kernel refuses a full one, the processes alone.
fn proc() -> Step<()> {
    make_dir("/proc")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    if mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>).is_err() {
        return mount(Some("proc"), "/proc", Some("proc"), flags, Some("subset=pid")).map_err(because("/proc"));
    }
    for name in PROC_READ_ONLY {
        let path = Path::new("/proc").join(name);
        if path.exists() {
            bind_from(&path, &path)?;
            seal(&path, true)?;
        }
    }
    for name in PROC_MASKED {
        let path = Path::new("/proc").join(name);
        if path.is_dir() {
            tmpfs(&path.to_string_lossy(), "mode=555,size=0")?;
        } else if path.exists() {
            bind_from(&Path::new(HOST).join("dev/null"), &path)?;
        }
    }
    Ok(())
}

/// A system folder: a link stays a link, a folder is bound, an absent one stays absent.
fn system(host: &OwnedFd, path: &Path) -> Step<()> {
    let there = below_host(path);
    let Ok(found) = fs::symlink_metadata(&there) else {
        return Ok(());
    };
    if found.is_symlink() {
        let target = fs::read_link(&there).map_err(because(path.to_string_lossy()))?;
        return symlink(target, path).map_err(because(path.to_string_lossy()));
    }
    bind(host, path)?;
    seal(path, true)
}

/// The chosen part of `/etc`, with users of its own.
fn etc(host: &OwnedFd, spec: &Spec) -> Step<()> {
    make_dir("/etc")?;
    let network: &[&str] = if spec.job.network == Network::Granted { &ETC_NETWORK } else { &[] };
    for name in ETC.iter().chain(network) {
        let path = Path::new("/etc").join(name);
        let there = below_host(&path);
        let Ok(found) = fs::metadata(&there).or_else(|_| fs::metadata(through_link(&there))) else {
            continue;
        };
        if found.permissions().mode() & 0o004 == 0 {
            continue;
        }
        if found.is_dir() {
            bind(host, &path)?;
            seal(&path, true)?;
        } else if let Ok(bytes) = fs::read(&there).or_else(|_| fs::read(through_link(&there))) {
            make_dir(path.parent().unwrap_or(Path::new("/etc")))?;
            write(&path, &bytes)?;
        }
    }
    let (id, home) = (namespaces::INSIDE_ID, spec.job.cwd.display());
    let nobody = "nobody:x:65534:65534:nobody:/nonexistent:/bin/false";
    write(
        Path::new("/etc/passwd"),
        format!("root:x:0:0:root:/:/bin/false\nweft:x:{id}:{id}:weft:{home}:/bin/sh\n{nobody}\n").as_bytes(),
    )?;
    write(Path::new("/etc/group"), format!("root:x:0:\nweft:x:{id}:\nnogroup:x:65534:\n").as_bytes())?;
    write(Path::new("/etc/hostname"), b"sandbox\n")
}

/// An absolute link of the machine, read as the machine would read it.
fn through_link(there: &Path) -> PathBuf {
    match fs::read_link(there) {
        Ok(target) if target.is_absolute() => below_host(&target),
        _ => there.to_owned(),
    }
}

fn devices(host: &OwnedFd) -> Step<()> {
    make_dir("/dev")?;
    tmpfs("/dev", "mode=755,size=64k")?;
    for name in DEVICES {
        let path = Path::new("/dev").join(name);
        if below_host(&path).exists() {
            bind(host, &path)?;
        }
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, format!("/dev/{name}")).map_err(because(name))?;
    }
    make_dir("/dev/shm")?;
    make_dir("/dev/pts")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = "newinstance,ptmxmode=0666,mode=620";
    // Terminals of its own are a convenience: a kernel may refuse them.
    if mount(Some("devpts"), "/dev/pts", Some("devpts"), flags, Some(options)).is_ok() {
        symlink("pts/ptmx", "/dev/ptmx").map_err(because("/dev/ptmx"))?;
    }
    Ok(())
}

/// Puts something empty over every hidden path inside a shown one.
fn cover(hidden: &[PathBuf], shown: &Path, covers: &mut Vec<PathBuf>) -> Step<()> {
    for path in hidden.iter().filter(|path| path.starts_with(shown) && path.exists()) {
        if path.is_dir() {
            tmpfs(&path.to_string_lossy(), "mode=755,size=64k")?;
            covers.push(path.clone());
        } else {
            bind_from(Path::new("/dev/null"), path)?;
        }
    }
    Ok(())
}

/// Shows a path of the machine under the same name.
fn bind(host: &OwnedFd, path: &Path) -> Step<()> {
    let inside = path.strip_prefix("/").unwrap_or(path);
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let source = openat2(host, inside, how).map_err(because(format!("opening {}", path.display())))?;
    let named = by_descriptor(&source);
    if fs::metadata(&named).is_ok_and(|found| found.is_dir()) {
        make_dir(path)?;
    } else if !path.exists() {
        make_dir(path.parent().unwrap_or(Path::new("/")))?;
        write(path, b"")?;
    }
    bind_from(Path::new(&named), path)
}

fn bind_from(source: &Path, target: &Path) -> Step<()> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .map_err(because(format!("showing {}", target.display())))
}

/// Makes a mount read-only, with everything mounted below it if asked.
fn seal(path: &Path, recursive: bool) -> Step<()> {
    attributes(path, recursive, libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID)
}

fn attributes(path: &Path, recursive: bool, set: u64) -> Step<()> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let doing = format!("protecting {}", path.display());
    let target = nix::fcntl::open(path, flags, nix::sys::stat::Mode::empty()).map_err(because(&doing))?;
    let change = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let at = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    #[expect(unsafe_code, reason = "mount_setattr has no safe wrapper; the older remount cannot reach mounts below")]
    // SAFETY: the descriptor is open, the path an empty C string, and the structure lives through the call, its size given.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            target.as_raw_fd(),
            c"".as_ptr(),
            at,
            &raw const change,
            size_of::<libc::mount_attr>(),
        )
    };
    nix::errno::Errno::result(done).map(drop).map_err(because(doing))
}

fn tmpfs(path: &str, options: &str) -> Step<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    make_dir(path)?;
    mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some(options)).map_err(because(format!("an empty {path}")))
}

fn below_host(path: &Path) -> PathBuf {
    Path::new(HOST).join(path.strip_prefix("/").unwrap_or(path))
}

fn make_dir(path: impl AsRef<Path>) -> Step<()> {
    fs::create_dir_all(path.as_ref()).map_err(because(path.as_ref().to_string_lossy()))
}

fn write(path: &Path, bytes: &[u8]) -> Step<()> {
    fs::write(path, bytes).map_err(because(path.to_string_lossy()))
}
