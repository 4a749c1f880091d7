//! One test for each rule.

use super::{findings, listed, read};
use crate::analysis::credentials::{is_credential, known, mask};
use crate::analysis::language::{LANGUAGES, by_name, detect};
use crate::analysis::{manifests, tests_found};

fn complexity(name: &str, text: &str) -> Vec<(String, u32)> {
    let functions = read(name, text).facts.unwrap().functions;
    functions.into_iter().map(|function| (function.name, function.complexity)).collect()
}

#[track_caller]
fn check_complexity(name: &str, text: &str, expected: &[(&str, u32)]) {
    let expected: Vec<(String, u32)> = expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    assert_eq!(complexity(name, text), expected);
}

#[test]
fn a_function_without_decisions_has_complexity_one() {
    check_complexity("a.rs", "fn a() {}", &[("a", 1)]);
    check_complexity("a.py", "def a(): pass", &[("a", 1)]);
    check_complexity("a.js", "function a() {}", &[("a", 1)]);
    check_complexity("a.ts", "const a = (x: number): number => x", &[("a", 1)]);
    check_complexity("a.go", "package a\nfunc a() {}", &[("a", 1)]);
}

#[test]
fn rust_decisions_are_counted() {
    let code = "impl T { fn f(x: Option<u8>) -> u8 {
        let Some(y) = x else { return 0 };
        for _ in 0..y { while y > 1 && y < 3 || y == 9 {} }
        let c = |z: &&u8| if **z > 1 { 1 } else { 2 };
        match y { 0 => 1, n if n > 4 => 2, _ => g()? }
    } }";
    // let-else, for, while, &&, ||, if, two of three arms, a guard.
    check_complexity("a.rs", code, &[("T::f", 10)]);
}

#[test]
fn python_decisions_are_counted() {
    let code = "class C:\n  def f(self, xs):\n    if xs and xs[0] or not xs:\n      pass\n    elif xs:\n      return [x for x in xs if x]\n    while xs:\n      try:\n        g()\n      except ValueError:\n        return 1 if xs else 2\n    match xs:\n      case 1: pass\n      case _: pass\n";
    // if, and, or, elif, for and if of the comprehension, while, except, conditional, one case.
    check_complexity("a.py", code, &[("C.f", 11)]);
}

#[test]
fn script_decisions_are_counted() {
    let code = "class C { m(a) { if (a && b || c) {} for (const x of a) {} do {} while (a); switch (a) { case 1: case 2: default: } try {} catch {} return a ?? (a ? 1 : 2) } }";
    for name in ["a.js", "a.ts", "a.tsx"] {
        check_complexity(name, code, &[("C.m", 11)]);
    }
}

#[test]
fn go_decisions_are_counted() {
    let code = "package a\nfunc (s *Server) Serve() { if a && b || c { }; for i := range x { }; switch x { case 1: case 2: default: }; select { case <-c: } }";
    check_complexity("a.go", code, &[("Server.Serve", 8)]);
}

#[test]
fn a_nested_named_function_is_counted_on_its_own() {
    check_complexity("a.py", "def a():\n  def b():\n    if x: pass\n", &[("b", 2), ("a", 1)]);
}

#[test]
fn lines_are_code_comment_or_blank() {
    let lines = |name: &str, text: &str| {
        let lines = read(name, text).lines;
        (lines.code, lines.comment, lines.blank)
    };
    assert_eq!(lines("a.rs", "/// doc\nfn a() {} // x\n\n/* a\n b */\n"), (1, 3, 1));
    assert_eq!(lines("a.py", "# c\nx = '''\n# no comment\n\n'''\n"), (3, 1, 1));
    assert_eq!(lines("a.c", "/* a\n\n b */ int x; // c\nchar *s = \"/* no */\";\n"), (2, 1, 1));
    assert_eq!(lines("a.sql", "-- c\nselect 1;"), (1, 1, 0));
    assert_eq!(lines("a.md", "# Title\n\ntext\n"), (0, 2, 1));
    assert_eq!(lines("a.hs", "{- a {- b -} c -}\nx = 1\n"), (1, 1, 0));
}

#[test]
fn an_extension_stands_for_one_language() {
    let mut seen = std::collections::BTreeMap::new();
    for language in LANGUAGES {
        for field in [language.extensions(), language.names()] {
            for word in field.split_ascii_whitespace() {
                assert_eq!(seen.insert(word, language.name), None, "{word}");
            }
        }
    }
    assert!(LANGUAGES.len() >= 40);
}

#[test]
fn a_language_is_told_by_name_extension_or_interpreter() {
    assert_eq!(by_name("src/Dockerfile").unwrap().name, "Dockerfile");
    assert_eq!(by_name("a/B.RS").unwrap().name, "Rust");
    assert_eq!(detect("run", b"#!/usr/bin/env -S python3.12 -u\n").unwrap().name, "Python");
    assert_eq!(detect("run", b"#!/bin/bash\n").unwrap().name, "Shell");
    assert!(detect("run", b"hello").is_none());
}

#[test]
fn words_in_comments_and_strings_are_no_calls() {
    assert_eq!(findings("a.py", "# eval(x)\ns = 'eval(x)'\nmodel.eval()\n"), [""; 0]);
    assert_eq!(findings("a.js", "// eval(x)\nconst s = `eval(x)`; /a/.exec(s)\n"), [""; 0]);
}

#[test]
fn risky_python_calls_are_found() {
    let code = "import subprocess as sp, yaml, pickle\nfrom os import system as run\neval(x)\nrun('ls ' + x)\nrun('ls')\nsp.run(f'ls {x}', shell=True)\nsp.run(['ls', x])\nsp.run(['sh', '-c', x])\npickle.loads(x)\nyaml.load(x)\nyaml.load(x, Loader=yaml.SafeLoader)\nyaml.safe_load(x)\n";
    let expected = [
        "3 dynamic_code",
        "4 shell_injection",
        "6 shell_injection",
        "8 shell_injection",
        "9 unsafe_deserialization",
        "10 unsafe_deserialization",
    ];
    assert_eq!(findings("a.py", code), expected);
}

#[test]
fn risky_script_calls_are_found() {
    let code = "import { exec as run } from 'node:child_process'\nconst cp = require('child_process')\nrun(`ls ${x}`)\nrun('ls')\ncp.execSync('ls ' + x)\nnew Function('a', body)\ncp.spawn(cmd, { shell: true })\ncp.spawn('ls', [x])\neval(x)\nrequire('child_process').exec(x)\n";
    let expected = [
        "3 shell_injection",
        "5 shell_injection",
        "6 dynamic_code",
        "7 shell_injection",
        "9 dynamic_code",
        "10 shell_injection",
    ];
    assert_eq!(findings("a.js", code), expected);
    let html = "a.innerHTML = x\na.innerHTML = ''\na.insertAdjacentHTML('x', y)\nconst v = <b dangerouslySetInnerHTML={{ __html: x }} />\n";
    assert_eq!(findings("a.jsx", html), ["1 html_injection", "3 html_injection", "4 html_injection"]);
}

#[test]
fn risky_rust_and_go_calls_are_found() {
    let rust = "fn f() {\n Command::new(\"sh\").arg(\"-c\").arg(format!(\"ls {x}\")).output();\n Command::new(\"sh\").arg(\"-c\").arg(\"ls\");\n Command::new(\"ls\").arg(x);\n std::process::Command::new(\"bash\").args([\"-c\", &x]);\n unsafe { g() }\n}";
    assert_eq!(findings("a.rs", rust), ["2 shell_injection", "5 shell_injection", "6 unsafe_block"]);
    let go = "package a\nimport \"os/exec\"\nfunc f() {\n exec.Command(\"sh\", \"-c\", x)\n exec.Command(\"sh\", \"-c\", \"ls\")\n exec.CommandContext(c, \"bash\", \"-c\", x)\n exec.Command(\"ls\", x)\n}";
    assert_eq!(findings("a.go", go), ["4 shell_injection", "6 shell_injection"]);
}

#[test]
fn notes_are_found_in_comments_only() {
    let code = "// TODO: first\n/* the TODO list\n * FIXME(me): second\n */\nlet s = \"TODO: no\";\n";
    let found = listed("a.rs", code);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["FIXME(me): second", "TODO: first"]);
    assert_eq!(findings("a.c", "int x; // TODO later\n"), ["1 todo"]);
}

/// Made here so that no file of ours holds something that looks like a token.
fn token() -> String {
    format!("gh{}_{}", "p", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8")
}

#[test]
fn a_credential_is_found_and_never_shown() {
    let token = token();
    let password = ["hunter", "2", "Xy!"].concat();
    for (name, code) in [
        ("a.py", format!("db_password = '{password}'\nconnect(api='{token}')\n")),
        ("a.rs", format!("const DB_PASSWORD: &str = \"{password}\";\n// {token}\n")),
        ("a.js", format!("const c = {{ dbPassword: '{password}' }}\nf('{token}') // TODO: {password}\n")),
        ("a.go", format!("package a\nvar dbPassword = \"{password}\"\nvar t = `{token}`\n")),
        ("a.yaml", format!("db:\n  password: {password}\ntoken: {token}\n")),
    ] {
        let found = listed(name, &code);
        assert_eq!(found.iter().filter(|f| f.rule == "hard_coded_credential").count(), 2, "{name}: {found:?}");
        let shown = format!("{found:?}");
        assert!(!shown.contains(&password) && !shown.contains(&token), "{shown}");
    }
}

#[test]
fn placeholders_and_ordinary_words_are_no_credentials() {
    for (name, value) in [
        ("password", "changeme123"),
        ("password", "${DB_PASSWORD}"),
        ("password", "password"),
        ("token_type", "Bearer12345678"),
        ("token", "access_token"),
        ("api_key", "your-api-key-123"),
        ("secret", "https://example.com/1"),
    ] {
        assert!(!is_credential(name, value), "{name} {value}");
    }
    assert!(known("AKIAIOSFODNN7EXAMPLE and more").is_none());
    assert_eq!(mask("short"), "***");
}

#[test]
fn tests_are_found_by_the_conventions_of_each_language() {
    let tests = |name: &str, text: &str| read(name, text).facts.unwrap().tests.len();
    assert_eq!(
        tests(
            "a.rs",
            "#[test]\n#[ignore]\nfn a() {}\n#[tokio::test]\nasync fn b() {}\nfn c() {}\n#[cfg(test)]\nfn d() {}\n"
        ),
        2
    );
    assert_eq!(tests("test_a.py", "def test_a(): pass\ndef b(): pass\nclass TestC:\n  def test_c(self): pass\n"), 2);
    assert_eq!(tests("a.py", "def test_a(): pass\nclass A(unittest.TestCase):\n  def test_c(self): pass\n"), 1);
    assert_eq!(tests("a.test.ts", "describe('x', () => { it('a', () => {}); test.each([1])('b', () => {}) })"), 2);
    assert_eq!(
        tests(
            "a_test.go",
            "package a\nfunc TestA(t *testing.T) {}\nfunc Testify() {}\nfunc TestMain(m *testing.M) {}\n"
        ),
        1
    );
    assert!(tests_found::is_test_name("UserTest.java") && !tests_found::is_test_name("Latest.java"));
}

#[test]
fn manifests_are_counted() {
    let count = |name: &str, text: &str| manifests::read(name, text).unwrap().dependencies;
    assert_eq!(
        count(
            "Cargo.toml",
            "[dependencies]\na = '1'\n[dev-dependencies]\nb = '1'\n[target.'cfg(unix)'.dependencies]\nc = '1'\n"
        ),
        Some(3)
    );
    assert_eq!(
        count("package.json", r#"{"dependencies":{"a":"1"},"devDependencies":{"b":"1"},"peerDependencies":{"a":"1"}}"#),
        Some(2)
    );
    assert_eq!(count("requirements.txt", "# c\na==1\n-r x\nb\n"), Some(2));
    assert_eq!(
        count("pyproject.toml", "[project]\ndependencies = ['a', 'b']\n[dependency-groups]\ndev = ['c']\n"),
        Some(3)
    );
    assert_eq!(count("go.mod", "module m\nrequire a v1\nrequire (\n b v1\n c v1 // indirect\n)\n"), Some(2));
    assert_eq!(
        count(
            "pom.xml",
            "<project><dependencyManagement><dependencies><dependency/></dependencies></dependencyManagement><dependencies><!-- <dependency> --><dependency><artifactId>a</artifactId></dependency></dependencies></project>"
        ),
        Some(1)
    );
    assert_eq!(count("Gemfile", "gem 'a'\n# gem 'b'\n"), Some(1));
    assert_eq!(count("setup.py", "import x"), None);
    assert!(manifests::read("package.json", "{").unwrap().problem.unwrap().contains("not valid JSON"));
}

#[test]
fn a_syntax_error_has_its_place_and_a_macro_has_none() {
    let facts = read("a.py", "x = 1\ndef f(:\n  pass\n").facts.unwrap();
    assert!(facts.syntax_errors >= 1);
    assert_eq!(facts.syntax_error_list[0].line, 2);
    assert_eq!(
        read("a.rs", "macro_rules! a { (~ $x:tt) => { ~ $x } }\nfn f() { a!(~ ~); }").facts.unwrap().syntax_errors,
        0
    );
}
