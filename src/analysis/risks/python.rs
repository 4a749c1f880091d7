//! Python: `eval`, `exec`, shells, and formats that run code when they are read.

use tree_sitter::Node;

use super::{Names, is_command_option, is_constant, is_shell, plain_string, positional, text};
use crate::analysis::findings::{DESERIALIZE, EVAL, EVAL_CONSTANT, Findings, SHELL};
use crate::analysis::source::Source;

pub fn check_call(call: Node<'_>, source: &Source<'_>, names: &Names, findings: &mut Findings) {
    let Some(name) = call.child_by_field_name("function").and_then(|callee| names.resolve(callee, source)) else {
        return;
    };
    let row = call.start_position().row;
    let arguments = positional(call);
    let constant = arguments.first().is_none_or(|first| is_constant(*first, 0));
    match name.trim_start_matches("builtins.") {
        // `eval()` without arguments is no call of the built-in function.
        "eval" | "exec" if !arguments.is_empty() => {
            let rule = if constant { EVAL_CONSTANT } else { EVAL };
            findings.add(rule, source, row, format!("{name} runs a text as code"));
        }
        "os.system"
        | "os.popen"
        | "subprocess.getoutput"
        | "subprocess.getstatusoutput"
        | "asyncio.create_subprocess_shell"
            if !constant =>
        {
            findings.add(SHELL, source, row, format!("{name} hands a text that is not constant to a shell"));
        }
        "subprocess.run"
        | "subprocess.call"
        | "subprocess.check_call"
        | "subprocess.check_output"
        | "subprocess.Popen" => {
            let shell = keyword(call, "shell", source).is_some_and(|value| text(value, source) == "True");
            let command = arguments.first().copied().or_else(|| keyword(call, "args", source));
            if command.is_some_and(
                |command| {
                    if shell { !is_constant(command, 0) } else { asks_a_shell(command, source) }
                },
            ) {
                findings.add(SHELL, source, row, format!("{name} hands a text that is not constant to a shell"));
            }
        }
        "pickle.load" | "pickle.loads" | "cPickle.load" | "cPickle.loads" | "dill.load" | "dill.loads"
        | "marshal.load" | "marshal.loads" | "shelve.open" | "jsonpickle.decode" | "pickle.Unpickler" => {
            findings.add(
                DESERIALIZE,
                source,
                row,
                format!("{name} can run code that the data names; read it only from a trusted place"),
            );
        }
        "yaml.load" | "yaml.load_all" | "yaml.unsafe_load" | "yaml.full_load" => {
            yaml(call, &name, arguments.get(1).copied(), source, findings);
        }
        _ => {}
    }
}

fn yaml(call: Node<'_>, name: &str, second: Option<Node<'_>>, source: &Source<'_>, findings: &mut Findings) {
    let loader = keyword(call, "Loader", source).or(second).map(|loader| text(loader, source));
    let safe = loader.is_some_and(|loader| loader.contains("Safe") || loader.contains("Base"));
    if !safe || name == "yaml.unsafe_load" {
        let row = call.start_position().row;
        findings.add(DESERIALIZE, source, row, format!("{name} can build any object; use yaml.safe_load"));
    }
}

/// `["sh", "-c", command]` with a command that is not constant.
fn asks_a_shell(list: Node<'_>, source: &Source<'_>) -> bool {
    if !matches!(list.kind(), "list" | "tuple") {
        return false;
    }
    let part = |at| list.named_child(at);
    let string = |node: Option<Node<'_>>| node.and_then(|node| plain_string(node, source.text)).unwrap_or("");
    is_shell(string(part(0)))
        && is_command_option(string(part(1)))
        && part(2).is_some_and(|command| !is_constant(command, 0))
}

fn keyword<'t>(call: Node<'t>, name: &str, source: &Source<'_>) -> Option<Node<'t>> {
    const MOST: usize = 64;
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let is_it = |argument: &Node<'_>| {
        let key = argument.child_by_field_name("name").map(|key| text(key, source));
        argument.kind() == "keyword_argument" && key == Some(name)
    };
    let found = arguments.named_children(&mut cursor).take(MOST).find(is_it)?;
    found.child_by_field_name("value")
}
