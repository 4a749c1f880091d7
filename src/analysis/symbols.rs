//! What a file of source code defines, and where a name is used in it: for those who read code they do not know.
//!
//! Only of the languages with a grammar. What is defined inside of a function is the function's own, and left out.

use std::sync::atomic::AtomicBool;

use tree_sitter::{Node, Parser, Tree, TreeCursor};

use super::grammar::{self, Family, Grammar, Parsed};
use super::language;
use super::source::Source;

/// Symbols of one file at most; the rest is counted.
pub const MAX_SYMBOLS: usize = 2_000;
/// Places of one file at most.
pub const MAX_PLACES: usize = 1_000;

/// What a file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// `fn`, `struct`, `class` and so on, as the language calls it, in one word.
    pub kind: &'static str,
    /// The line of its name, from 1.
    pub line: u32,
    /// Its last line.
    pub last: u32,
    /// How many symbols are around it.
    pub depth: u32,
    /// The line of its name as it stands, shortened, what looks like a credential masked.
    pub text: String,
}

/// A place where a name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// Whether it is defined there.
    pub is_definition: bool,
    /// The line as it stands, shortened, what looks like a credential masked.
    pub text: String,
}

/// What a file defines, in its order; `None` for a file of another language, or one that can't be read as what it seems.
pub fn outline(name: &str, text: &str) -> Option<Vec<Symbol>> {
    let (tree, grammar) = parse(name, text)?;
    let source = Source::new(name, text);
    let mut symbols = Vec::new();
    // The depths in the tree of the symbols around.
    let mut around: Vec<usize> = Vec::new();
    walk(&tree, |node, above| {
        let depth = above.len();
        around.retain(|at| *at < depth);
        let Some((kind, named)) = symbol(grammar.family(), node) else { return true };
        if symbols.len() < MAX_SYMBOLS {
            let (row, last) = (named.start_position().row, node.end_position().row);
            symbols.push(Symbol {
                kind,
                line: row as u32 + 1,
                last: last.max(row) as u32 + 1,
                depth: around.len() as u32,
                text: source.excerpt(row),
            });
        }
        around.push(depth);
        !is_function(kind)
    });
    Some(symbols)
}

/// Where a name stands in a file, once a line; comments and texts do not count. `None` as for [`outline`].
pub fn find(name: &str, text: &str, wanted: &str) -> Option<Vec<Place>> {
    let (tree, grammar) = parse(name, text)?;
    let source = Source::new(name, text);
    let mut places: Vec<Place> = Vec::new();
    walk(&tree, |node, above| {
        let is_name = node.child_count() == 0 && node.kind().contains("identifier");
        if !is_name || text.get(node.byte_range()) != Some(wanted) {
            return true;
        }
        let row = node.start_position().row;
        let is_definition = above.last().is_some_and(|parent| defines(grammar.family(), *parent, node));
        if let Some(last) = places.last_mut().filter(|last| last.line as usize == row + 1) {
            last.is_definition |= is_definition;
        } else if places.len() < MAX_PLACES {
            places.push(Place { line: row as u32 + 1, is_definition, text: source.excerpt(row) });
        }
        true
    });
    Some(places)
}

fn parse(name: &str, text: &str) -> Option<(Tree, Grammar)> {
    let language = language::detect(name, text.as_bytes())?;
    let grammar = language.grammar?;
    if language::is_minified(language, text.as_bytes()) {
        return None;
    }
    match grammar::parse(&mut Parser::new(), grammar, text, &AtomicBool::new(false)) {
        Parsed::Tree(tree) => Some((tree, grammar)),
        Parsed::GaveUp | Parsed::Cancelled => None,
    }
}

/// Shows each node with those above it, the nearest last; what `enter` refuses is not looked into. Code nested however deep costs no
/// stack.
fn walk<'t>(tree: &'t Tree, mut enter: impl FnMut(Node<'t>, &[Node<'t>]) -> bool) {
    let mut cursor: TreeCursor<'t> = tree.walk();
    let mut above: Vec<Node<'t>> = Vec::new();
    loop {
        let node = cursor.node();
        if enter(node, &above) && cursor.goto_first_child() {
            above.push(node);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
        }
    }
}

/// What a node defines, if anything, and the node of its name.
fn symbol(family: Family, node: Node<'_>) -> Option<(&'static str, Node<'_>)> {
    let kind = match (family, node.kind()) {
        (Family::Rust, "function_item" | "function_signature_item") => "fn",
        (Family::Rust, "struct_item") => "struct",
        (Family::Rust, "enum_item") | (Family::Script, "enum_declaration") => "enum",
        (Family::Rust, "union_item") => "union",
        (Family::Rust, "trait_item") => "trait",
        (Family::Rust, "impl_item") => return Some(("impl", node.child_by_field_name("type")?)),
        (Family::Rust, "mod_item") => "mod",
        (Family::Rust, "type_item")
        | (Family::Script, "type_alias_declaration")
        | (Family::Go, "type_spec" | "type_alias") => "type",
        (Family::Rust, "const_item") => "const",
        (Family::Rust, "static_item") => "static",
        (Family::Rust, "macro_definition") => "macro",
        (Family::Python, "function_definition") => "def",
        (Family::Python, "class_definition") | (Family::Script, "class_declaration" | "abstract_class_declaration") => {
            "class"
        }
        (Family::Script, "function_declaration" | "generator_function_declaration") => "function",
        (Family::Script, "method_definition") | (Family::Go, "method_declaration") => "method",
        (Family::Script, "interface_declaration") => "interface",
        (Family::Script, "internal_module" | "module") => "namespace",
        (Family::Script, "variable_declarator") => {
            let value = node.child_by_field_name("value")?.kind();
            matches!(value, "arrow_function" | "function_expression" | "generator_function").then_some("function")?
        }
        (Family::Go, "function_declaration") => "func",
        _ => return None,
    };
    Some((kind, node.child_by_field_name("name")?))
}

fn is_function(kind: &str) -> bool {
    matches!(kind, "fn" | "def" | "function" | "method" | "func")
}

/// Whether a name stands where its symbol, the node around it, is defined.
fn defines(family: Family, parent: Node<'_>, node: Node<'_>) -> bool {
    symbol(family, parent).is_some_and(|(kind, name)| kind != "impl" && name.id() == node.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &str) -> Vec<String> {
        let symbols = outline(name, text).expect("it is read");
        symbols.iter().map(|s| format!("{}-{} {} {} {}", s.line, s.last, s.depth, s.kind, s.text)).collect()
    }

    #[test]
    fn a_file_says_what_stands_where_in_it() {
        let rust = "mod loom {\n    #[derive(Debug)]\n    pub struct Yarn {\n        n: u8,\n    }\n\n    impl Yarn {\n        fn \
                    weave(&self) {\n            fn inner() {}\n        }\n    }\n}\n";
        assert_eq!(
            lines("a.rs", rust),
            [
                "1-12 0 mod mod loom {",
                "3-5 1 struct pub struct Yarn {",
                "7-11 1 impl impl Yarn {",
                "8-10 2 fn fn weave(&self) {",
            ]
        );
        assert_eq!(
            lines("a.py", "class Loom:\n    def weave(self):\n        return 1\n\ndef main():\n    pass\n"),
            ["1-3 0 class class Loom:", "2-3 1 def def weave(self):", "5-6 0 def def main():"]
        );
        assert_eq!(
            lines("a.ts", "export interface Yarn { n: number }\nconst weave = (y: Yarn) => y.n;\nconst n = 1;\n"),
            ["1-1 0 interface export interface Yarn { n: number }", "2-2 0 function const weave = (y: Yarn) => y.n;",]
        );
        assert_eq!(
            lines("a.go", "package a\n\ntype Loom struct{}\n\nfunc (l Loom) Weave() int {\n\treturn 1\n}\n"),
            ["3-3 0 type type Loom struct{}", "5-7 0 method func (l Loom) Weave() int {"]
        );
    }

    #[test]
    fn a_name_is_found_where_it_is_code() {
        let rust = "// weave\nfn weave() {}\nfn main() { weave(); weave(); let s = \"weave\"; }\nstruct Weave;\n";
        let places = find("a.rs", rust, "weave").expect("it is read");
        let places: Vec<_> = places.iter().map(|place| (place.line, place.is_definition)).collect();
        assert_eq!(places, [(2, true), (3, false)]);
        assert_eq!(find("a.rs", rust, "loom"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_code_gives_nothing() {
        assert_eq!((outline("a.md", "# fn"), outline("Makefile", "all:")), (None, None));
        // Broken code gives what can be made out.
        assert_eq!(lines("a.rs", "fn weave() {}\nfn ("), ["1-1 0 fn fn weave() {}"]);
    }

    #[test]
    fn code_nested_however_deep_costs_no_stack() {
        let deep = format!("fn a() {{ {}{} }}", "(".repeat(50_000), ")".repeat(50_000));
        let _ = outline("a.rs", &deep);
        let _ = find("a.rs", &deep, "a");
    }
}
