//! Calls that hand control to text from elsewhere, found in the syntax tree: the word in a comment or string is none.
//!
//! One file for each family of grammars; here is what they share: which name stands for what (`names`), and which
//! expression is constant. What a rule cannot prove constant is reported; that a value is safe in fact, only a person
//! can say.

mod go;
mod names;
mod python;
mod rust;
mod script;

use tree_sitter::Node;

pub use names::Names;

use super::findings::Findings;
use super::grammar::Family;
use super::source::Source;

/// Looks at a call (or `new`) expression.
pub fn check_call(family: Family, node: Node<'_>, source: &Source<'_>, names: &Names, findings: &mut Findings) {
    match family {
        Family::Rust => rust::check_call(node, source, findings),
        Family::Python => python::check_call(node, source, names, findings),
        Family::Script => script::check_call(node, source, names, findings),
        Family::Go => go::check_call(node, source, names, findings),
    }
}

/// Looks at an assignment or attribute of a script that may insert HTML.
pub fn check_html(node: Node<'_>, source: &Source<'_>, findings: &mut Findings) {
    script::check_html(node, source, findings);
}

fn text<'a>(node: Node<'_>, source: &Source<'a>) -> &'a str {
    source.text.get(node.byte_range()).unwrap_or("")
}

/// Arguments that are expressions, in order, without keyword arguments and comments.
///
/// No rule looks beyond the first few, so a call with thousands of arguments costs no more.
fn positional(call: Node<'_>) -> Vec<Node<'_>> {
    const MOST: usize = 8;
    let Some(arguments) = call.child_by_field_name("arguments") else {
        return Vec::new();
    };
    let mut cursor = arguments.walk();
    let is_positional =
        |node: &Node<'_>| !matches!(node.kind(), "keyword_argument" | "comment" | "line_comment" | "block_comment");
    arguments.named_children(&mut cursor).filter(is_positional).take(MOST).collect()
}

/// The literal text of a string without its quotes; `None` if it is not a plain string.
pub fn plain_string<'a>(node: Node<'_>, text: &'a str) -> Option<&'a str> {
    let is_string = matches!(
        node.kind(),
        "string" | "string_literal" | "raw_string_literal" | "interpreted_string_literal" | "template_string"
    );
    if !is_string || !is_constant(node, 0) {
        return None;
    }
    let raw = text.get(node.byte_range())?;
    let quotes = ['"', '\'', '`'];
    let open = raw.find(quotes)?;
    Some(raw[open..].trim_end_matches('#').trim_matches(quotes))
}

/// True if an expression is built from literals alone. Gives up, with false, eight levels down.
fn is_constant(node: Node<'_>, depth: u32) -> bool {
    const DEEPEST: u32 = 8;
    const MOST_PARTS: usize = 64;
    if depth > DEEPEST {
        return false;
    }
    let all_constant = || {
        let mut cursor = node.walk();
        let mut parts = node.named_children(&mut cursor);
        parts.by_ref().take(MOST_PARTS).all(|part| is_constant(part, depth + 1)) && parts.next().is_none()
    };
    match node.kind() {
        "string" => {
            let mut cursor = node.walk();
            !node.named_children(&mut cursor).take(MOST_PARTS).any(|part| part.kind() == "interpolation")
        }
        "template_string" => {
            let mut cursor = node.walk();
            !node.named_children(&mut cursor).take(MOST_PARTS).any(|part| part.kind() == "template_substitution")
        }
        "string_literal"
        | "raw_string_literal"
        | "interpreted_string_literal"
        | "integer"
        | "float"
        | "number"
        | "integer_literal"
        | "float_literal"
        | "int_literal"
        | "boolean_literal"
        | "true"
        | "false"
        | "none"
        | "null"
        | "undefined"
        | "nil" => true,
        "concatenated_string"
        | "parenthesized_expression"
        | "list"
        | "tuple"
        | "array"
        | "array_expression"
        | "reference_expression"
        | "binary_expression"
        | "binary_operator" => all_constant(),
        _ => false,
    }
}

/// True for a program that reads commands from its arguments.
fn is_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    matches!(
        name,
        "sh" | "bash"
            | "zsh"
            | "dash"
            | "ksh"
            | "ash"
            | "fish"
            | "cmd"
            | "cmd.exe"
            | "powershell"
            | "powershell.exe"
            | "pwsh"
    )
}

/// True for the option of a shell that is followed by a command.
fn is_command_option(option: &str) -> bool {
    matches!(option, "-c" | "-lc" | "-ec" | "-xc" | "-ic" | "/c" | "/C" | "/k" | "-Command" | "-command")
}
