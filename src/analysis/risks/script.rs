//! JavaScript and TypeScript: `eval`, `new Function`, shells, and HTML from text.

use tree_sitter::Node;

use super::{Names, is_command_option, is_constant, is_shell, plain_string, positional, text};
use crate::analysis::findings::{EVAL, EVAL_CONSTANT, Findings, HTML, SHELL};
use crate::analysis::source::Source;

pub fn check_call(call: Node<'_>, source: &Source<'_>, names: &Names, findings: &mut Findings) {
    let callee = call.child_by_field_name("function").or_else(|| call.child_by_field_name("constructor"));
    let Some(callee) = callee else { return };
    let row = call.start_position().row;
    if let Some(method) = inserting_method(callee, source) {
        if positional(call).iter().any(|argument| !is_constant(*argument, 0)) {
            findings.add(HTML, source, row, format!("{method} inserts a text that is not constant as HTML"));
        }
        return;
    }
    let Some(name) = names.resolve(callee, source) else {
        return;
    };
    let arguments = positional(call);
    let constant = arguments.iter().all(|argument| is_constant(*argument, 0));
    match name.as_str() {
        "eval"
        | "window.eval"
        | "globalThis.eval"
        | "global.eval"
        | "Function"
        | "vm.runInThisContext"
        | "vm.runInNewContext"
            if !arguments.is_empty() =>
        {
            let rule = if constant { EVAL_CONSTANT } else { EVAL };
            let shown = if name == "Function" { "the Function constructor" } else { &name };
            findings.add(rule, source, row, format!("{shown} runs a text as code"));
        }
        "child_process.exec" | "child_process.execSync"
            if arguments.first().is_some_and(|command| !is_constant(*command, 0)) =>
        {
            findings.add(SHELL, source, row, format!("{name} hands a text that is not constant to a shell"));
        }
        "child_process.spawn" | "child_process.spawnSync" | "child_process.execFile" | "child_process.execFileSync"
            if spawns_a_shell(&arguments, source) =>
        {
            findings.add(SHELL, source, row, format!("{name} hands a text that is not constant to a shell"));
        }
        _ => {}
    }
}

/// `spawn(command, { shell: true })` or `spawn("sh", ["-c", command])`.
fn spawns_a_shell(arguments: &[Node<'_>], source: &Source<'_>) -> bool {
    let [program, rest @ ..] = arguments else { return false };
    let variable =
        !is_constant(*program, 0) || rest.iter().any(|part| part.kind() != "object" && !is_constant(*part, 0));
    let by_option = rest.iter().any(|part| part.kind() == "object" && asks_for_shell(*part, source));
    let list = rest.first().filter(|part| part.kind() == "array");
    let option =
        list.and_then(|list| list.named_child(0)).and_then(|option| plain_string(option, source.text)).unwrap_or("");
    let by_name = is_shell(plain_string(*program, source.text).unwrap_or("")) && is_command_option(option);
    variable && (by_option || by_name)
}

fn asks_for_shell(object: Node<'_>, source: &Source<'_>) -> bool {
    const MOST: usize = 64;
    let mut cursor = object.walk();
    object.named_children(&mut cursor).take(MOST).any(|pair| {
        let key = pair.child_by_field_name("key").map(|key| text(key, source).trim_matches(['"', '\'']));
        let value = pair.child_by_field_name("value").map(|value| text(value, source));
        key == Some("shell") && value != Some("false")
    })
}

/// The name of a method that inserts its arguments as HTML.
fn inserting_method<'a>(callee: Node<'_>, source: &Source<'a>) -> Option<&'a str> {
    if callee.kind() != "member_expression" {
        return None;
    }
    let method = text(callee.child_by_field_name("property")?, source);
    let object = text(callee.child_by_field_name("object")?, source);
    let inserts = method == "insertAdjacentHTML" || (object == "document" && matches!(method, "write" | "writeln"));
    inserts.then_some(method)
}

/// An assignment to `innerHTML` or `outerHTML`, or a `dangerouslySetInnerHTML` attribute, of what is not constant.
pub fn check_html(node: Node<'_>, source: &Source<'_>, findings: &mut Findings) {
    let row = node.start_position().row;
    if node.kind() == "jsx_attribute" {
        if node.named_child(0).is_some_and(|name| text(name, source) == "dangerouslySetInnerHTML") {
            findings.add(HTML, source, row, "dangerouslySetInnerHTML inserts a text as HTML");
        }
        return;
    }
    let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
        return;
    };
    let property = left.child_by_field_name("property").filter(|_| left.kind() == "member_expression");
    let property = property.map_or("", |property| text(property, source));
    if matches!(property, "innerHTML" | "outerHTML") && !is_constant(right, 0) {
        findings.add(HTML, source, row, format!("{property} takes a text that is not constant as HTML"));
    }
}
