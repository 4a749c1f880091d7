//! Credentials in literals: where the tree says that a text stands under a name, and in the lines of data files.

use tree_sitter::Node;

use super::credentials::{is_credential, known, password_in_url};
use super::findings::{CREDENTIAL, CREDENTIAL_IN_TEST, Findings};
use super::risks::plain_string;
use super::source::Source;

/// Looks for tokens of a known shape, and passwords in addresses, in a string or comment that begins at `row`.
///
/// True if it found one.
pub fn check_text(text: &str, row: usize, in_test: bool, source: &Source<'_>, findings: &mut Findings) -> bool {
    const SHORTEST: usize = 16;
    if text.len() < SHORTEST {
        return false;
    }
    let rule = if in_test { CREDENTIAL_IN_TEST } else { CREDENTIAL };
    let row_of = |at: usize| row + text[..at].matches('\n').count();
    if let Some((range, what)) = known(text) {
        let at = row_of(range.start);
        text[range].lines().filter(|line| line.len() >= SHORTEST).for_each(|line| findings.hide(line.trim()));
        findings.add(rule, source, at, format!("{what} is written into the file"));
        return true;
    }
    if let Some(password) = password_in_url(text) {
        let at = row_of(text.find(password).unwrap_or(0));
        findings.hide(password);
        findings.add(rule, source, at, "an address holds a password");
        return true;
    }
    false
}

/// Looks at a declaration, assignment, keyword argument or pair.
pub fn check_binding(node: Node<'_>, in_test: bool, source: &Source<'_>, findings: &mut Findings) {
    let Some((name, value)) = parts(node) else { return };
    let name = source.text.get(name.byte_range()).unwrap_or("");
    let Some(literal) = literal(value, source) else { return };
    check_pair(last_name(name), literal, value.start_position().row, in_test, source, findings);
}

/// Looks at a line of a data file: `name = value`, `name: value`, `"name": "value"`.
pub fn check_line(row: usize, in_test: bool, source: &Source<'_>, findings: &mut Findings) {
    let line = source.row(row).trim();
    if line.len() > 2_000 || line.starts_with(['#', ';']) {
        return;
    }
    if check_text(line, row, in_test, source, findings) {
        return;
    }
    let Some((name, value)) = line.split_once(['=', ':']) else {
        return;
    };
    if value.trim_start().starts_with(['[', '{']) {
        return;
    }
    let quotes = ['"', '\'', ' ', '\t', ','];
    let name = name.trim_start_matches("export ").trim_start_matches("- ").trim_matches(quotes);
    check_pair(name, value.trim_matches(quotes), row, in_test, source, findings);
}

fn check_pair(name: &str, value: &str, row: usize, in_test: bool, source: &Source<'_>, findings: &mut Findings) {
    // A token of a known shape is found, and named better, where the string itself is looked at.
    if is_credential(name, value) && known(value).is_none() {
        let rule = if in_test { CREDENTIAL_IN_TEST } else { CREDENTIAL };
        findings.hide(value);
        findings.add(rule, source, row, format!("`{name}` has its value written into the file"));
    }
}

fn parts(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    if node.kind() == "keyed_element" {
        return Some((node.named_child(0)?, node.named_child(1)?));
    }
    let first = |fields: [&str; 6]| fields.into_iter().find_map(|field| node.child_by_field_name(field));
    let name = first(["name", "left", "pattern", "key", "property", "field"])?;
    let value = node.child_by_field_name("value").or_else(|| node.child_by_field_name("right"))?;
    Some((name, value))
}

/// The last name of `self.password`, `config["password"]` or `password`.
fn last_name(name: &str) -> &str {
    let name = name.trim_end_matches([']', '"', '\'', '`']);
    name.rsplit(['.', '[', '"', '\'', '`', ' ']).next().unwrap_or(name)
}

/// The text of a literal, also of `"…".to_string()` and `String::from("…")`.
fn literal<'a>(value: Node<'_>, source: &Source<'a>) -> Option<&'a str> {
    let inner = match value.kind() {
        "expression_list" | "literal_element" => value.named_child(0)?,
        "call_expression" => {
            let function = value.child_by_field_name("function")?;
            match function.child_by_field_name("value") {
                Some(receiver) if function.kind() == "field_expression" => receiver,
                _ if source.text.get(function.byte_range()) == Some("String::from") => {
                    value.child_by_field_name("arguments")?.named_child(0)?
                }
                _ => return None,
            }
        }
        _ => value,
    };
    plain_string(inner, source.text)
}
