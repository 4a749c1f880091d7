//! Whole directories.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::analyze_files;
use crate::analysis::{Error, Options, analyze, summary};

fn block(name: &str) -> String {
    let mut code = format!("def {name}(items):\n");
    for at in 0..10 {
        writeln!(code, "    total_{at} = compute(items, index_{at}, {at}) + other_{at}").unwrap();
    }
    code
}

#[test]
fn a_copy_is_found_whatever_its_comments_and_indentation() {
    let copy = block("b").replace("    total_3", "    # a remark\n\n    total_3");
    let report = analyze_files(&[("a.py", &block("a")), ("sub/b.py", &copy)], &Options::default());
    assert_eq!(report.duplicates, 1, "{:?}", report.duplicate_blocks);
    let places: Vec<(&str, u32, u32)> =
        report.duplicate_blocks[0].locations.iter().map(|at| (at.path.as_str(), at.start_line, at.end_line)).collect();
    assert_eq!(places, [("a.py", 2, 11), ("sub/b.py", 2, 13)]);
    assert_eq!(report.duplicated_lines, 12);
}

#[test]
fn a_copy_in_the_same_file_is_found_and_a_table_is_none() {
    let twice = block("a") + "x = 1\n" + &block("b");
    assert_eq!(analyze_files(&[("a.py", &twice)], &Options::default()).duplicates, 1);
    let table = format!("x = [\n{}]\n", "  0, 0, 0, 0,\n".repeat(200));
    assert_eq!(analyze_files(&[("a.py", &table)], &Options::default()).duplicates, 0);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let files = [("b.rs", "fn b() { unsafe {} }"), ("a.py", "eval(x) # TODO: y"), ("c/d.js", "if (")];
    let json = || serde_json::to_string(&analyze_files(&files, &Options::default())).unwrap();
    assert_eq!(json(), json());
}

#[test]
fn ignored_hidden_and_excluded_files_are_left_out() {
    let files = [
        (".gitignore", "out/\n"),
        ("out/a.rs", ""),
        (".hidden.rs", ""),
        ("src/a.rs", ""),
        ("lib/b.rs", ""),
        ("c.py", ""),
    ];
    let files_of = |include: &[&str], exclude: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|glob| (*glob).to_owned()).collect();
        analyze_files(&files, &Options { include: owned(include), exclude: owned(exclude), ..Options::default() }).files
    };
    assert_eq!(files_of(&[], &[]), 3);
    assert_eq!(files_of(&["*.rs"], &[]), 2);
    assert_eq!(files_of(&["src"], &[]), 1);
    assert_eq!(files_of(&["*.rs"], &["lib/"]), 1);
}

#[test]
fn limits_are_kept_and_told() {
    let big = "x".repeat(200);
    let files = [("a.rs", ""), ("b.rs", big.as_str()), ("c.rs", ""), ("d.bin", "\0"), ("e.weird", "text")];
    let report = analyze_files(&files, &Options { max_file_bytes: 100, max_files: 3, ..Options::default() });
    assert_eq!((report.files, report.skipped.too_large), (2, 1));
    assert_eq!((report.skipped.binary, report.skipped.over_file_limit), (1, 1));
}

#[test]
fn findings_are_counted_beyond_the_cap() {
    let code = "eval(x)\n".repeat(30);
    let report = analyze_files(&[("a.py", &code), ("b.py", &code)], &Options { max_findings: 5, ..Options::default() });
    assert_eq!((report.findings, report.finding_list.len()), (60, 5));
}

#[test]
fn a_link_out_of_the_directory_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("a.rs"), "fn a() {}").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("a.rs"), folder.path().join("b.rs")).unwrap();
    let report = analyze(folder.path(), &Options::default(), &|_| {}, &AtomicBool::new(false)).unwrap();
    assert_eq!(report.files, 0);
}

#[test]
fn a_bad_path_or_glob_is_refused_by_name() {
    let try_path =
        |path: &Path, options: &Options| analyze(path, options, &|_| {}, &AtomicBool::new(false)).unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(try_path(&folder.path().join("none"), &Options::default()), Error::NotFound(_)));
    assert!(matches!(try_path(&file, &Options::default()), Error::NotADirectory(_)));
    for glob in ["[z-a]", "[", "src/[ab", "", "!x"] {
        let error = try_path(folder.path(), &Options { include: vec![glob.to_owned()], ..Options::default() });
        assert!(error.to_string().starts_with(&format!("include: `{glob}` is not a glob")), "{error}");
    }
}

#[test]
fn a_cancelled_analysis_ends_with_that_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.rs"), "").unwrap();
    let error = analyze(folder.path(), &Options::default(), &|_| {}, &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(error, Error::Cancelled));
}

#[test]
fn the_summary_tells_problems_before_languages() {
    let report = analyze_files(&[("a.py", "eval(x)\ndef f(:\n# TODO: more\n")], &Options::default());
    let page = summary(&report);
    let at = |heading: &str| page.find(heading).unwrap_or_else(|| panic!("{heading} in {page}"));
    assert!(at("## Syntax errors") < at("## Problems") && at("## Problems") < at("## Languages"));
    assert!(at("## Left to do") > at("## Languages"));
    assert!(summary(&crate::model::analysis::Report::default()).contains("No source files were found."));
}

#[test]
fn the_summary_names_every_lesser_finding_by_its_rule() {
    let page = |files: &[(&str, &str)], options: &Options| summary(&analyze_files(files, options));
    let lesser = "eval('1')\neval('2')\n# FIXME: a\n# TODO: b\n";
    let told = "2 `dynamic_code` (low), 1 `fixme` (low), 1 `todo` (info).";
    let alone = page(&[("a.py", lesser)], &Options::default());
    assert!(alone.contains(&format!("## Problems\n\n{told}")), "{alone}");
    let beside = page(&[("a.py", lesser), ("b.py", "eval(x)\n")], &Options::default());
    assert!(beside.contains(&format!("\n\nAlso found: {told}")), "{beside}");
    // The list is full of severe ones: only the sums by severity are known.
    let many = "eval(x)\n".repeat(3);
    let capped = page(&[("a.py", lesser), ("b.py", &many)], &Options { max_findings: 2, ..Options::default() });
    assert!(capped.contains("Also found: 3 low, 1 info."), "{capped}");
}
