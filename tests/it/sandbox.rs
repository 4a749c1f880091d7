//! The sandbox against commands that try to get out, in both isolations.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft::runtime::sandbox::{self, Error, Exit, Isolation, Job, Limit, Network, Outcome, Settings, Stream, Use};

fn install(isolation: Isolation, hidden: &[&Path]) {
    let hidden = hidden.iter().map(|path| path.canonicalize().unwrap()).collect();
    sandbox::install(Settings { helper: Some(env!("CARGO_BIN_EXE_weft").into()), isolation, hidden });
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn run(job: Job) -> Outcome {
    sandbox::run(job, |_, _| (), CancellationToken::new()).await.unwrap()
}

fn sh(script: &str, cwd: &Path) -> Job {
    Job::new(["/bin/sh", "-c", script], cwd)
}

async fn says(script: &str, cwd: &Path) -> String {
    let outcome = run(sh(script, cwd)).await;
    format!("{}{}", outcome.stdout.text(), outcome.stderr.text())
}

/// Every wall, tried from inside; the same list for each isolation.
async fn tries_the_walls(isolation: Isolation) {
    let (cwd, data) = (folder(), folder());
    install(isolation, &[data.path()]);
    std::fs::write(data.path().join("secret"), "s3cret").unwrap();
    let secret = data.path().join("secret");
    let at = cwd.path();
    for path in [secret.to_str().unwrap(), "/root/.bashrc", "/etc/shadow", "/proc/1/environ", "/proc/1/root/etc/shadow"]
    {
        let said = says(&format!("cat {path} && echo READ"), at).await;
        assert!(!said.contains("READ"), "{path}: {said}");
    }
    let outside = data.path().display();
    for path in [
        format!("{outside}/new"),
        "/usr/new".into(),
        "/etc/new".into(),
        "/new".into(),
        "/proc/sys/kernel/core_pattern".into(),
    ] {
        let said = says(&format!("echo x > {path} && echo WROTE"), at).await;
        assert!(!said.contains("WROTE"), "{path}: {said}");
    }
    assert!(!data.path().join("new").exists());
    assert_eq!(
        says("echo in > file && cat file && echo tmp > $TMPDIR/x && cat $TMPDIR/x && echo $HOME", at).await,
        format!("in\ntmp\n{}\n", at.canonicalize().unwrap().display())
    );
    let said = says("ln -s /root link; ls link/ && echo LISTED; unshare -Ur true && echo UNSHARED; mount -t tmpfs x /mnt && echo MOUNTED", at).await;
    assert!(!["LISTED", "UNSHARED", "MOUNTED"].iter().any(|word| said.contains(word)), "{said}");
    let said = says("grep -E 'CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status", at).await;
    assert!(
        said.contains("CapEff:\t0000000000000000")
            && said.contains("CapPrm:\t0000000000000000")
            && said.contains("NoNewPrivs:\t1"),
        "{said}"
    );
    assert!(said.contains("Seccomp:\t2"), "{said}");
    let env =
        says("env | grep -v -e ^PATH= -e ^LANG= -e ^HOME= -e ^TMPDIR= -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=", at)
            .await;
    assert_eq!(env, "", "inherited");
    let server = std::process::id();
    assert!(!says(&format!("kill -0 {server} && echo FOUND"), at).await.contains("FOUND"));
}

#[tokio::test]
async fn namespaces_keep_a_command_in() {
    tries_the_walls(Isolation::Namespaces).await;
}

#[tokio::test]
async fn landlock_keeps_a_command_in() {
    tries_the_walls(Isolation::Landlock).await;
}

#[tokio::test]
async fn what_processes_use_is_told_while_they_run() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let (seen, mut seeing) = watch::channel(Use::default());
    let busy = Job { seen: Some(seen), ..sh("while [ ! -e go ]; do :; done; echo done", cwd.path()) };
    let told = async {
        seeing.changed().await.unwrap();
        let used = *seeing.borrow();
        std::fs::write(cwd.path().join("go"), "").unwrap();
        used
    };
    let (outcome, used) = tokio::join!(run(busy), told);
    assert_eq!(outcome.stdout.text(), "done\n");
    assert!(used.cpu_ms > 0 && used.cpu_ms <= outcome.cpu_ms, "{used:?} of {} ms", outcome.cpu_ms);
    // And nobody is told any more once it has ended.
    while seeing.changed().await.is_ok() {}
}

async fn tries_the_network(isolation: Isolation) {
    let cwd = folder();
    install(isolation, &[]);
    let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = canary.local_addr().unwrap().port();
    let script = format!(
        "import socket\nsocket.socketpair()\nsocket.create_connection(('127.0.0.1', {port}), 2)\nprint('CONNECTED')"
    );
    let mut job = Job::new(["/usr/bin/python3", "-c", &script], cwd.path());
    let refused = run(job.clone()).await;
    assert!(
        !refused.stdout.text().contains("CONNECTED") && refused.stderr.text().contains("PermissionError"),
        "{}",
        refused.stderr.text()
    );
    canary.set_nonblocking(true).unwrap();
    assert!(canary.accept().is_err(), "the canary was reached");
    job.network = Network::Granted;
    let granted = run(job).await;
    assert!(granted.stdout.text().contains("CONNECTED"), "{}", granted.stderr.text());
}

#[tokio::test]
async fn without_a_network_no_connection_is_made() {
    tries_the_network(Isolation::Namespaces).await;
}

#[tokio::test]
async fn without_a_network_landlock_alone_lets_no_connection_out() {
    tries_the_network(Isolation::Landlock).await;
}

#[tokio::test]
async fn greedy_commands_are_stopped_for_what_they_took() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let mut job = sh("f() { f | f & }; f; while :; do :; done", cwd.path());
    job.limits.processes = 32;
    job.limits.time_ms = 4000;
    let bomb = run(job).await;
    assert!(
        bomb.exceeded == Some(Limit::Processes) || bomb.exit == Exit::TimedOut || bomb.exit == Exit::Code(2),
        "{bomb:?}"
    );
    let mut job = sh("head -c 10G /dev/zero > big", cwd.path());
    job.limits.file_mb = 2;
    run(job).await;
    assert!(std::fs::metadata(cwd.path().join("big")).unwrap().len() <= 2 << 20);
    let mut job = Job::new(["/usr/bin/python3", "-c", "x = bytearray(3 << 30); print(len(x))"], cwd.path());
    job.limits.memory_mb = 64;
    let hog = run(job).await;
    assert!(hog.exceeded == Some(Limit::Memory) || hog.stderr.text().contains("MemoryError"), "{hog:?}");
    let mut job = Job::new(["/usr/bin/python3", "-c", "x = []\nwhile True: x.append(bytearray(1 << 20))"], cwd.path());
    job.limits.memory_mb = 64;
    let hog = run(job).await;
    assert!(hog.exceeded == Some(Limit::Memory) || hog.stderr.text().contains("MemoryError"), "{hog:?}");
    let mut job = sh("while :; do :; done", cwd.path());
    job.limits.cpu_ms = 200;
    assert_eq!(run(job).await.exceeded, Some(Limit::Cpu));
    let mut job = sh("trap '' TERM; while :; do sleep 9; done", cwd.path());
    job.limits.time_ms = 200;
    let slow = run(job).await;
    assert_eq!(slow.exit, Exit::TimedOut);
    assert!(slow.took_ms < 2000, "{}", slow.took_ms);
}

async fn leaves_nobody_behind(isolation: Isolation) {
    let cwd = folder();
    install(isolation, &[]);
    let started = Instant::now();
    let mark = format!("86{}", std::process::id());
    let outcome =
        run(sh(&format!("setsid sleep {mark} & (setsid sleep {mark} &) ; sleep 0.1; echo done"), cwd.path())).await;
    assert_eq!((outcome.exit, outcome.stdout.text().as_str()), (Exit::Code(0), "done\n"));
    assert!(started.elapsed() < Duration::from_secs(4), "held open for {:?}", started.elapsed());
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&format!("sleep\0{mark}")))
    });
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_grandchild_in_its_own_session_dies_with_the_command() {
    leaves_nobody_behind(Isolation::Namespaces).await;
}

#[tokio::test]
async fn landlock_alone_leaves_no_grandchild() {
    leaves_nobody_behind(Isolation::Landlock).await;
}

#[tokio::test]
async fn input_codes_and_signals_come_through() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let mut job = sh("cat; echo err >&2; exit 7", cwd.path());
    job.stdin = Some(b"given".to_vec());
    let outcome = run(job).await;
    assert_eq!(
        (outcome.exit, outcome.stdout.text().as_str(), outcome.stderr.text().as_str()),
        (Exit::Code(7), "given", "err\n")
    );
    assert_eq!(run(sh("kill -9 $$", cwd.path())).await.exit, Exit::Signal(9));
    let literal = run(Job::new(["/bin/echo", "*", "$HOME", "a b", "; ls"], cwd.path())).await;
    assert_eq!(literal.stdout.text(), "* $HOME a b ; ls\n");
}

#[tokio::test]
async fn a_job_that_cannot_run_says_which_field() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let good = || Job::new(["true"], cwd.path());
    let nul = Job::new(["echo", "a\0b"], cwd.path());
    let none = Job { argv: vec![], ..good() };
    let env = Job { env: BTreeMap::from([("A=B".into(), String::new())]), ..good() };
    let relative = Job { cwd: "x".into(), ..good() };
    let shared = Job { cwd: "/usr".into(), ..good() };
    let readable = Job { readable: vec!["/nowhere/at/all".into()], ..good() };
    let zero = Job { limits: sandbox::Limits { cpu_ms: 0, ..good().limits }, ..good() };
    let expected = ["argv[1]", "argv[0]", "env.A=B", "cwd", "cwd", "readable[0]", "limits.cpu_ms"];
    for (job, name) in [nul, none, env, relative, shared, readable, zero].into_iter().zip(expected) {
        let refused = sandbox::run(job, |_, _| (), CancellationToken::new()).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid { field, .. } if field == name), "{refused}");
    }
    std::fs::write(cwd.path().join("plain"), "echo hi").unwrap();
    for program in ["no-such-program", "./plain", "/etc"] {
        let failed =
            sandbox::run(Job::new([program], cwd.path()), |_, _| (), CancellationToken::new()).await.unwrap_err();
        assert!(matches!(failed, Error::Start { .. }), "{failed}");
    }
}

#[tokio::test]
async fn output_comes_live_in_order_and_a_flood_is_bounded() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (started, sink) = (Instant::now(), seen.clone());
    let script = "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three";
    let note = move |stream, bytes| sink.lock().unwrap().push((stream, bytes, started.elapsed()));
    sandbox::run(sh(script, cwd.path()), note, CancellationToken::new()).await.unwrap();
    let chunks = std::mem::take(&mut *seen.lock().unwrap());
    let order: Vec<_> =
        chunks.iter().map(|(stream, bytes, _)| (*stream, String::from_utf8_lossy(bytes).into_owned())).collect();
    assert_eq!(
        order,
        [(Stream::Stdout, "one\n".into()), (Stream::Stderr, "two\n".into()), (Stream::Stdout, "three\n".into())]
    );
    assert!(chunks[2].2.checked_sub(chunks[0].2).unwrap() > Duration::from_millis(400));
    let mut job = sh("head -c 50M /dev/zero; echo END", cwd.path());
    job.limits.output_bytes = 100_000;
    let (sum, largest) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (s, l) = (sum.clone(), largest.clone());
    let note = move |_, bytes: Vec<u8>| {
        *s.lock().unwrap() += bytes.len();
        let mut most = l.lock().unwrap();
        *most = bytes.len().max(*most);
    };
    let flood = sandbox::run(job, note, CancellationToken::new()).await.unwrap();
    assert!(flood.truncated && flood.stdout.omitted() > 0 && flood.stdout.text().ends_with("END\n"));
    assert_eq!(*sum.lock().unwrap(), 100_000);
    assert!(*largest.lock().unwrap() <= 32 << 10);
}

#[tokio::test]
async fn cancelling_ends_a_command_that_will_not_end() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    let cancel = CancellationToken::new();
    let (seen, told) = (cancel.clone(), Instant::now());
    let outcome = sandbox::run(
        sh("trap '' TERM; echo up; while :; do sleep 9; done", cwd.path()),
        move |_, _| seen.cancel(),
        cancel,
    )
    .await
    .unwrap();
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
}

#[tokio::test]
async fn starting_costs_little() {
    let cwd = folder();
    install(Isolation::Auto, &[]);
    run(Job::new(["true"], cwd.path())).await;
    let mut took: Vec<u64> = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        run(Job::new(["true"], cwd.path())).await;
        took.push(started.elapsed().as_micros() as u64);
    }
    took.sort_unstable();
    assert!(took[10] < 200_000, "median {} us", took[10]);
    assert!(sandbox::support().await.isolation.is_ok());
}

#[tokio::test]
async fn the_data_folder_is_hidden_also_inside_the_working_directory() {
    let cwd = folder();
    let data = cwd.path().join("weft-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("master.key"), "secret").unwrap();
    install(Isolation::Namespaces, &[&data]);
    let said = says("cat weft-data/master.key; echo x > weft-data/y; mv weft-data other; echo done", cwd.path()).await;
    assert!(said.contains("done") && !said.contains("secret"), "{said}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_that_is_hidden_is_empty_inside_the_working_directory() {
    let cwd = folder();
    let key = cwd.path().join("master.key");
    std::fs::write(&key, "secret").unwrap();
    install(Isolation::Namespaces, &[&key]);
    let said = says("cat master.key; echo x > master.key; mv master.key other; echo done", cwd.path()).await;
    assert!(said.contains("done") && !said.contains("secret"), "{said}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "secret");
}

#[tokio::test]
async fn where_nothing_can_cover_the_data_folder_a_working_directory_around_it_is_refused() {
    let cwd = folder();
    let data = cwd.path().join("weft-data");
    std::fs::create_dir(&data).unwrap();
    install(Isolation::Landlock, &[&data]);
    let error = sandbox::run(sh("true", cwd.path()), |_, _| (), CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("cwd: expected a folder"), "{error}");
}
