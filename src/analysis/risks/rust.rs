//! Rust: shells started with a command that is not constant.

use tree_sitter::Node;

use super::{is_command_option, is_constant, is_shell, plain_string, positional, text};
use crate::analysis::findings::{Findings, SHELL};
use crate::analysis::source::Source;

/// Longest chain of calls that is followed back to `Command::new`.
const MAX_CHAIN: usize = 32;

/// `Command::new("sh").arg("-c").arg(command)` and `.args(["-c", command])`.
pub fn check_call(call: Node<'_>, source: &Source<'_>, findings: &mut Findings) {
    let Some((method, receiver)) = method(call, source) else {
        return;
    };
    let arguments = positional(call);
    let Some(argument) = arguments.first() else { return };
    let risky = match method {
        "arg" => !is_constant(*argument, 0) && last_was_option(receiver, source) && is_shell_chain(receiver, source),
        "args" => {
            let list = if argument.kind() == "reference_expression" {
                argument.child_by_field_name("value")
            } else {
                Some(*argument)
            };
            let Some(list) = list.filter(|list| list.kind() == "array_expression") else {
                return;
            };
            let option = list.named_child(0).and_then(|option| plain_string(option, source.text)).unwrap_or("");
            let command = list.named_child(1);
            let asks = is_command_option(option) && command.is_some_and(|command| !is_constant(command, 0));
            asks && is_shell_chain(receiver, source)
        }
        _ => false,
    };
    if risky {
        let row = argument.start_position().row;
        findings.add(SHELL, source, row, "Command hands a text that is not constant to a shell");
    }
}

/// The name and the receiver of a method call.
fn method<'t, 'a>(call: Node<'t>, source: &Source<'a>) -> Option<(&'a str, Node<'t>)> {
    let function = call.child_by_field_name("function").filter(|function| function.kind() == "field_expression")?;
    Some((text(function.child_by_field_name("field")?, source), function.child_by_field_name("value")?))
}

fn last_was_option(receiver: Node<'_>, source: &Source<'_>) -> bool {
    let is_arg = method(receiver, source).is_some_and(|(name, _)| name == "arg");
    let arguments = positional(receiver);
    let option = arguments.first().and_then(|argument| plain_string(*argument, source.text));
    is_arg && option.is_some_and(is_command_option)
}

fn is_shell_chain(mut node: Node<'_>, source: &Source<'_>) -> bool {
    for _ in 0..MAX_CHAIN {
        if let Some((_, receiver)) = method(node, source) {
            node = receiver;
            continue;
        }
        let creates = node.child_by_field_name("function").is_some_and(|function| {
            let name = text(function, source);
            name == "Command::new" || name.ends_with("::Command::new")
        });
        let arguments = positional(node);
        let program = arguments.first().and_then(|program| plain_string(*program, source.text)).unwrap_or("");
        return creates && is_shell(program);
    }
    false
}
