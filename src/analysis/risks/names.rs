//! Which module a name of a file stands for: `sp` is `subprocess` after `import subprocess as sp`.

use std::collections::HashMap;

use tree_sitter::Node;

use crate::analysis::grammar::Family;
use crate::analysis::source::Source;

/// Names that the file's imports bind, and what they stand for in full.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

/// Names beyond this are not followed; no file that people write imports so many.
const MAX_NAMES: usize = 4_096;

impl Names {
    /// Learns what an import binds.
    pub fn import(&mut self, family: Family, node: Node<'_>, source: &Source<'_>) {
        match family {
            Family::Python => self.python(node, source),
            Family::Script => self.script(node, source),
            Family::Go => self.go(node, source),
            Family::Rust => {}
        }
    }

    /// Learns from `const { exec } = require("child_process")`.
    pub fn require(&mut self, declarator: Node<'_>, source: &Source<'_>) {
        let (Some(name), Some(value)) =
            (declarator.child_by_field_name("name"), declarator.child_by_field_name("value"))
        else {
            return;
        };
        let Some(module) = required_module(value, source) else {
            return;
        };
        if name.kind() == "identifier" {
            self.bind(text(name, source), module.to_owned());
            return;
        }
        let mut cursor = name.walk();
        for part in name.named_children(&mut cursor) {
            let (from, to) = match part.kind() {
                "shorthand_property_identifier_pattern" => (Some(part), Some(part)),
                "pair_pattern" => (part.child_by_field_name("key"), part.child_by_field_name("value")),
                _ => (None, None),
            };
            if let (Some(from), Some(to)) = (from, to) {
                self.bind(text(to, source), format!("{module}.{}", text(from, source)));
            }
        }
    }

    /// The full dotted name of a callee: `sp.run` is `subprocess.run`. `None` for anything but names and dots.
    pub fn resolve(&self, callee: Node<'_>, source: &Source<'_>) -> Option<String> {
        const MOST_DOTS: usize = 6;
        let mut parts = Vec::new();
        let mut node = callee;
        for _ in 0..MOST_DOTS {
            let (object, field) = match node.kind() {
                "identifier" => {
                    let name = text(node, source);
                    parts.push(self.0.get(name).map_or(name, String::as_str));
                    parts.reverse();
                    return Some(parts.join("."));
                }
                "call_expression" => {
                    parts.push(required_module(node, source)?);
                    parts.reverse();
                    return Some(parts.join("."));
                }
                "attribute" => ("object", "attribute"),
                "member_expression" => ("object", "property"),
                "selector_expression" => ("operand", "field"),
                _ => return None,
            };
            parts.push(text(node.child_by_field_name(field)?, source));
            node = node.child_by_field_name(object)?;
        }
        None
    }

    fn bind(&mut self, name: &str, full: String) {
        if self.0.len() < MAX_NAMES {
            self.0.insert(name.to_owned(), full);
        }
    }

    fn python(&mut self, node: Node<'_>, source: &Source<'_>) {
        let module = node.child_by_field_name("module_name").map(|module| text(module, source));
        let mut cursor = node.walk();
        for part in node.children_by_field_name("name", &mut cursor) {
            let (name, alias) = match part.kind() {
                "aliased_import" => {
                    let name = part.child_by_field_name("name").map_or("", |name| text(name, source));
                    (name, part.child_by_field_name("alias").map_or("", |alias| text(alias, source)))
                }
                _ => (text(part, source), ""),
            };
            match (module, alias) {
                (Some(module), "") => self.bind(name, format!("{module}.{name}")),
                (Some(module), alias) => self.bind(alias, format!("{module}.{name}")),
                // `import os.path` binds `os`, which needs no note.
                (None, "") => {}
                (None, alias) => self.bind(alias, name.to_owned()),
            }
        }
    }

    fn script(&mut self, node: Node<'_>, source: &Source<'_>) {
        let Some(module) = node.child_by_field_name("source").map(|from| module_name(text(from, source))) else {
            return;
        };
        let mut cursor = node.walk();
        let Some(clause) = node.named_children(&mut cursor).find(|part| part.kind() == "import_clause") else {
            return;
        };
        let mut cursor = clause.walk();
        for part in clause.named_children(&mut cursor) {
            match part.kind() {
                "identifier" => self.bind(text(part, source), module.to_owned()),
                "namespace_import" => {
                    if let Some(name) = part.named_child(0) {
                        self.bind(text(name, source), module.to_owned());
                    }
                }
                "named_imports" => self.specifiers(part, module, source),
                _ => {}
            }
        }
    }

    fn specifiers(&mut self, imports: Node<'_>, module: &str, source: &Source<'_>) {
        let mut cursor = imports.walk();
        for specifier in imports.named_children(&mut cursor) {
            let Some(name) = specifier.child_by_field_name("name") else {
                continue;
            };
            let local = specifier.child_by_field_name("alias").unwrap_or(name);
            self.bind(text(local, source), format!("{module}.{}", text(name, source)));
        }
    }

    fn go(&mut self, node: Node<'_>, source: &Source<'_>) {
        let Some(path) = node.child_by_field_name("path").map(|path| text(path, source).trim_matches(['"', '`']))
        else {
            return;
        };
        let name = match node.child_by_field_name("name") {
            Some(name) => text(name, source),
            None => path.rsplit('/').next().unwrap_or(path),
        };
        self.bind(name, path.to_owned());
    }
}

fn text<'a>(node: Node<'_>, source: &Source<'a>) -> &'a str {
    source.text.get(node.byte_range()).unwrap_or("")
}

/// The module of `require("…")`.
fn required_module<'a>(call: Node<'_>, source: &Source<'a>) -> Option<&'a str> {
    let function = call.child_by_field_name("function").filter(|_| call.kind() == "call_expression")?;
    let name = call.child_by_field_name("arguments")?.named_child(0).filter(|name| name.kind() == "string")?;
    (text(function, source) == "require").then(|| module_name(text(name, source)))
}

fn module_name(quoted: &str) -> &str {
    quoted.trim_matches(['"', '\'', '`']).trim_start_matches("node:")
}
