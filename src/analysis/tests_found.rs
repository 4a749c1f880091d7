//! What counts as a test: the conventions of each language's usual test runner.

use tree_sitter::Node;

use super::grammar::Family;

/// True if a file is named, or lies, like a test.
pub fn is_test_path(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let in_folder =
        folders.split('/').any(|f| matches!(f, "test" | "tests" | "__tests__" | "spec" | "specs" | "e2e" | "testdata"));
    in_folder || is_test_name(name) || stem == "tests" || stem == "conftest"
}

/// True if a file holds tests or examples, where a credential is most often made up.
pub fn is_sample_path(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let is_sample = |folder| matches!(folder, "examples" | "example" | "benches" | "bench" | "fixtures" | "samples");
    is_test_path(path) || folders.split('/').any(is_sample)
}

/// True if the name alone says that a file holds tests.
pub fn is_test_name(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    match extension {
        "py" | "exs" | "rb" | "dart" | "c" | "cc" | "cpp" | "php" | "lua" | "sh" if stem.starts_with("test_") => true,
        "py" | "go" | "exs" | "rb" | "dart" | "c" | "cc" | "cpp" | "lua" | "sh" if stem.ends_with("_test") => true,
        "rb" | "lua" if stem.ends_with("_spec") => true,
        "java" | "kt" | "scala" | "groovy" | "swift" | "cs" | "php" => {
            ["Test", "Tests", "Spec", "IT"].iter().any(|end| stem.len() > end.len() && stem.ends_with(end))
        }
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" => {
            [".test", ".spec", ".e2e", ".cy"].iter().any(|end| stem.ends_with(end))
        }
        "bats" => true,
        _ => false,
    }
}

/// True if a Rust attribute makes a test of the function after it: `#[test]`, `#[tokio::test]`, `#[rstest]`,
/// `#[db_test]` and others whose last word ends in `test`.
pub fn is_test_attribute(attribute: &str) -> bool {
    let inner = attribute.trim_start_matches(['#', '[', ' ']);
    let path: &str = inner.split(['(', ']', '=']).next().unwrap_or("");
    let last = path.rsplit("::").next().unwrap_or("").trim();
    matches!(last, "test" | "rstest" | "quickcheck" | "test_case") || last.ends_with("_test")
}

/// True if the name, in its place, makes a function a test.
///
/// `class` is the class that it stands in, with its bases. Python: pytest's and unittest's rules. Go: `Test…`,
/// `Fuzz…` and `Example…` in a `_test.go` file (benchmarks are no tests).
pub fn is_test_function(family: Family, path: &str, name: &str, class: Option<&str>) -> bool {
    match family {
        Family::Python => {
            let in_test_class = class.is_none_or(|class| class.starts_with("Test") || class.contains("TestCase"));
            let unit = class.is_some_and(|class| class.contains("TestCase"));
            name.starts_with("test") && (unit || (in_test_class && is_test_path(path)))
        }
        Family::Go => {
            let begins = ["Test", "Fuzz", "Example"].iter().find_map(|start| name.strip_prefix(start));
            path.ends_with("_test.go")
                && name != "TestMain"
                && begins.is_some_and(|rest| !rest.starts_with(char::is_lowercase))
        }
        // Told by an attribute, and by a call.
        Family::Rust | Family::Script => false,
    }
}

/// The title of the test that a call declares: `it("…", …)`, `test.only("…", …)`, `it.each(rows)("…", …)`.
pub fn test_call<'a>(call: Node<'_>, path: &str, text: &'a str) -> Option<&'a str> {
    let mut function = call.child_by_field_name("function")?;
    if function.kind() == "call_expression" {
        function = function.child_by_field_name("function")?;
    }
    let callee = text.get(function.byte_range())?;
    let runs = matches!(
        callee,
        "it" | "test"
            | "it.only"
            | "test.only"
            | "it.skip"
            | "test.skip"
            | "it.each"
            | "test.each"
            | "Deno.test"
            | "test.fails"
            | "it.concurrent"
            | "test.concurrent"
            | "test.serial"
            | "it.fails"
    );
    if !runs || !(is_test_path(path) || callee == "Deno.test") {
        return None;
    }
    let arguments = call.child_by_field_name("arguments")?;
    let title = arguments.named_child(0).filter(|first| matches!(first.kind(), "string" | "template_string"))?;
    let has_body = arguments.named_child_count() > 1;
    has_body.then(|| text[title.byte_range()].trim_matches(['"', '\'', '`']))
}
