//! Input that was made to break a reader.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use tree_sitter::Parser;

use super::read;
use crate::analysis::file::analyze_bytes;
use crate::analysis::{Options, credentials, manifests};

const NAMES: [&str; 10] = ["a.rs", "a.py", "a.js", "a.tsx", "a.go", "a.c", "a.yaml", "Cargo.toml", "pom.xml", "a.hs"];

#[test]
fn code_nested_a_hundred_thousand_levels_deep_is_read() {
    let deep = 100_000;
    // Line breaks, because a script on one long line counts as minified.
    for (name, open, close) in
        [("a.py", "(\n", ")\n"), ("a.js", "[\n", "]\n"), ("a.rs", "{\n", "}\n"), ("a.go", "(\n", ")\n")]
    {
        let text = open.repeat(deep) + &close.repeat(deep);
        assert_eq!(read(name, &text).lines.total(), 2 * deep as u64, "{name}");
        read(name, &open.repeat(deep));
    }
}

#[test]
fn a_long_chain_of_calls_is_read_in_linear_time() {
    let calls = ".arg(\"-c\").arg(x)".repeat(5_000);
    read("a.rs", &format!("fn f() {{ Command::new(\"ls\"){calls}; }}"));
    read("a.py", &format!("x = {}", "1 + ".repeat(50_000) + "1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), which in 0..NAMES.len()) {
        let _ = analyze_bytes(NAMES[which], &bytes, &Options::default(), &mut Parser::new(), &AtomicBool::new(false));
    }

    #[test]
    fn random_pieces_of_code_never_panic(
        pieces in proptest::collection::vec(
            prop::sample::select(vec!["fn ", "def f", "(", ")", "{", "}", "\"", "'", "`", "${", "\n", " ", "=", "password", "eval(", "é", "😀", "#", "//", "/*", "*/", "-----BEGIN PRIVATE KEY-----", "://a:b@c", "AKIA", "match x {", "case _:", "<!--", "TODO("]),
            0..60,
        ),
        which in 0..NAMES.len(),
    ) {
        let text: String = pieces.concat();
        let _ = analyze_bytes(NAMES[which], text.as_bytes(), &Options::default(), &mut Parser::new(), &AtomicBool::new(false));
        let _ = credentials::mask_known(&text);
        let _ = manifests::read("go.mod", &text);
    }
}
