//! The house: directions, where SQL and feature gates stand, file length, module docs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may name; itself is always allowed.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("db", &["model", "read", "within"]),
    ("runtime", &["db", "model", "read", "within", "sealed_column"]),
    ("analysis", &["runtime", "model"]),
    ("auth", &["runtime", "db", "model", "read", "within"]),
    ("cache", &["auth", "runtime", "db", "model", "read", "within", "sealed_column"]),
    ("memory", &["cache", "auth", "runtime", "db", "model", "read", "within", "sealed_column"]),
    ("gateway", &["memory", "cache", "runtime", "db", "model", "read", "within", "sealed_column"]),
    ("agents", &["gateway", "memory", "runtime", "db", "model", "read", "within"]),
    (
        "workflow",
        &[
            "agents",
            "gateway",
            "memory",
            "auth",
            "analysis",
            "runtime",
            "db",
            "model",
            "read",
            "within",
            "skip_locked",
            "at_once",
        ],
    ),
    (
        "trigger",
        &["workflow", "gateway", "memory", "auth", "runtime", "db", "model", "read", "within", "sealed_column"],
    ),
    (
        "master",
        &["trigger", "agents", "gateway", "memory", "cache", "auth", "runtime", "db", "model", "read", "within"],
    ),
    ("monitor", &["runtime", "db", "model", "read", "within"]),
    ("ui", &["api", "model"]),
    (
        "api",
        &["agents", "auth", "cache", "gateway", "master", "memory", "workflow", "trigger", "monitor", "http", "model"],
    ),
    (
        "http",
        &[
            "agents", "auth", "cache", "gateway", "master", "memory", "workflow", "trigger", "monitor", "analysis",
            "runtime", "api", "ui", "model",
        ],
    ),
    (
        "cli",
        &[
            "agents", "auth", "cache", "gateway", "master", "memory", "workflow", "trigger", "monitor", "analysis",
            "http", "runtime", "db", "model",
        ],
    ),
];

/// The longest file, in lines.
const MAX_LINES: usize = 400;

/// Every Rust file below a folder of the package.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The path below the manifest's folder, with `/`.
fn name(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string()
}

/// The lines of a file that are code: neither comments nor, roughly, tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

fn report(what: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut offenders = Vec::new();
    for path in rust_files("src") {
        let name = name(&path);
        let Some((layer, _)) = name.trim_start_matches("src/").split_once('/') else { continue };
        let Some(may) = allowed.get(layer) else {
            offenders.push(format!("{name}: {layer} has no row in MAY_USE"));
            continue;
        };
        let text = code(&path);
        for (at, _) in text.match_indices("crate::") {
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let rest = &text[at + "crate::".len()..];
            let named: Vec<&str> = if let Some(group) = rest.strip_prefix('{') {
                group
                    .split('}')
                    .next()
                    .unwrap()
                    .split(',')
                    .map(|part| part.trim().split("::").next().unwrap())
                    .collect()
            } else {
                vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()]
            };
            for module in named {
                // A macro exported at the root, such as `crate::read!`, is named like a module.
                if module != layer && !may.contains(&module) && !module.is_empty() {
                    offenders.push(format!("{name} names crate::{module}"));
                }
            }
        }
    }
    offenders.dedup();
    report("a module may use only what MAY_USE lists", offenders);
}

#[test]
fn sql_stands_in_stores_only() {
    let offenders = rust_files("src")
        .into_iter()
        .filter(|path| {
            let name = name(path);
            !(name.ends_with("/store.rs") || name.contains("/store/") || name.starts_with("src/db/"))
        })
        .filter(|path| {
            let text = code(path);
            ["sqlx::", "query_as(", "query_scalar(", "query(\""].iter().any(|word| text.contains(word))
        })
        .map(|path| name(&path));
    report("SQL stands in store.rs files and db/", offenders.collect());
}

#[test]
fn feature_gates_stand_at_the_borders_only() {
    let offenders = rust_files("src").into_iter().filter_map(|path| {
        let name = name(&path);
        let border = matches!(name.as_str(), "src/lib.rs" | "src/main.rs") || name.starts_with("src/ui/browser/");
        let text = code(&path);
        let gated = text.lines().any(|line| line.contains("cfg") && line.contains("feature"));
        (gated && !border).then_some(name)
    });
    report("cfg(feature) stands in lib.rs, main.rs and ui/browser/", offenders.collect());
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let offenders = files.filter_map(|path| {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        (lines > MAX_LINES).then(|| format!("{} has {lines} lines", name(&path)))
    });
    report("split by noun", offenders.collect());
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let offenders = files
        .filter(|path| !name(path).contains("/fixtures/"))
        .filter_map(|path| (!fs::read_to_string(&path).unwrap().starts_with("//!")).then(|| name(&path)));
    report("a file begins with its module doc", offenders.collect());
}

#[test]
fn nothing_unwraps_outside_tests() {
    let offenders = rust_files("src").into_iter().filter_map(|path| {
        let name = name(&path);
        (!is_test(&name) && code(&path).contains(".unwrap()")).then_some(name)
    });
    report("expect(\"the invariant\") or an error", offenders.collect());
}

#[test]
fn queries_are_never_built_from_text() {
    let offenders = rust_files("src").into_iter().filter_map(|path| {
        let text = code(&path);
        let built =
            text.contains("AssertSqlSafe") || text.contains("query(&format!") || text.contains("query_as(&format!");
        built.then(|| name(&path))
    });
    report("static SQL with bound parameters only", offenders.collect());
}
