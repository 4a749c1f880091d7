//! The rules, each on small files; the whole on a directory; hostile input.

mod hostile;
mod rules;
mod whole;

use std::sync::atomic::AtomicBool;

use tree_sitter::Parser;

use super::file::{Counted, Outcome, analyze_bytes};
use super::{Options, analyze};
use crate::model::analysis::{Finding, Report};

/// Analyses one file.
fn read(name: &str, text: &str) -> Counted {
    let outcome =
        analyze_bytes(name, text.as_bytes(), &Options::default(), &mut Parser::new(), &AtomicBool::new(false));
    let Outcome::Counted(counted) = outcome else { panic!("{name} was not counted") };
    *counted
}

/// The findings of one file, as `line rule`.
fn findings(name: &str, text: &str) -> Vec<String> {
    listed(name, text).iter().map(|finding| format!("{} {}", finding.line, finding.rule)).collect()
}

fn listed(name: &str, text: &str) -> Vec<Finding> {
    read(name, text).findings.finish().into_iter().flatten().collect()
}

/// Analyses a directory of files, given as names and texts.
fn analyze_files(files: &[(&str, &str)], options: &Options) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    analyze(folder.path(), options, &|_| {}, &AtomicBool::new(false)).unwrap()
}
