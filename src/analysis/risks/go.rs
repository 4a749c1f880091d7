//! Go: shells started with a command that is not constant, and text marked as safe HTML.

use tree_sitter::Node;

use super::{Names, is_command_option, is_constant, is_shell, plain_string, positional};
use crate::analysis::findings::{Findings, HTML, SHELL};
use crate::analysis::source::Source;

pub fn check_call(call: Node<'_>, source: &Source<'_>, names: &Names, findings: &mut Findings) {
    let Some(name) = call.child_by_field_name("function").and_then(|callee| names.resolve(callee, source)) else {
        return;
    };
    let row = call.start_position().row;
    let arguments = positional(call);
    let command = match name.as_str() {
        "os/exec.Command" => arguments.as_slice(),
        "os/exec.CommandContext" => arguments.get(1..).unwrap_or_default(),
        "html/template.HTML" | "html/template.JS" if arguments.first().is_some_and(|text| !is_constant(*text, 0)) => {
            findings.add(
                HTML,
                source,
                row,
                "a text that is not constant is marked as safe, so it is inserted without escaping",
            );
            return;
        }
        _ => return,
    };
    let string = |at: usize| command.get(at).and_then(|node| plain_string(*node, source.text)).unwrap_or("");
    let variable = command.get(2..).unwrap_or_default().iter().any(|part| !is_constant(*part, 0));
    if is_shell(string(0)) && is_command_option(string(1)) && variable {
        findings.add(SHELL, source, row, "exec.Command hands a text that is not constant to a shell");
    }
}
