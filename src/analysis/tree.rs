//! One walk over the syntax tree of a file, during which every rule sees its nodes.
//!
//! The walk moves a cursor and keeps its own stack, so that code nested a hundred thousand levels deep costs memory
//! and not the thread's stack.

use std::ops::RangeInclusive;

use tree_sitter::{Node, Tree};

use crate::model::analysis::{Function, SyntaxError, Test};

use super::complexity;
use super::count::{Lines, Marks};
use super::duplicates::{Shingle, Tokens};
use super::findings::{Findings, UNSAFE};
use super::grammar::{Family, Grammar, role};
use super::source::{Source, presentable};
use super::tests_found::{is_sample_path, is_test_attribute, is_test_function, test_call};
use super::{literals, notes, risks};

/// Syntax errors listed for one file.
const MAX_ERRORS_OF_A_FILE: usize = 20;

/// What the tree of one file tells.
#[derive(Debug)]
pub struct Facts {
    pub lines: Lines,
    pub functions: Vec<Function>,
    pub syntax_errors: u32,
    pub syntax_error_list: Vec<SyntaxError>,
    pub tests: Vec<Test>,
    pub shingles: Vec<Shingle>,
}

/// A function that the walk is inside of.
struct Open {
    depth: usize,
    function: Function,
    decisions: i32,
}

struct Walk<'a, 't> {
    family: Family,
    source: &'a Source<'a>,
    /// The file holds tests or examples.
    in_sample: bool,
    /// Depth of a `mod tests` that the walk is inside of.
    test_module: Option<usize>,
    findings: &'a mut Findings,
    names: risks::Names,
    marks: Marks,
    tokens: Tokens,
    /// From the root down to the parent of the current node.
    ancestors: Vec<Node<'t>>,
    functions: Vec<Open>,
    /// Classes and impls: depth, name, and name with its bases.
    containers: Vec<(usize, String, String)>,
    /// Depth of a test attribute whose function has not come yet.
    test_attribute: Option<usize>,
    facts: Facts,
}

/// Walks over a tree. Findings go to `findings`.
pub fn read(tree: &Tree, grammar: Grammar, source: &Source<'_>, findings: &mut Findings) -> Facts {
    let lines = Lines::default();
    let facts = Facts {
        lines,
        functions: vec![],
        syntax_errors: 0,
        syntax_error_list: vec![],
        tests: vec![],
        shingles: vec![],
    };
    let mut walk = Walk {
        family: grammar.family(),
        source,
        in_sample: is_sample_path(source.path),
        test_module: None,
        findings,
        names: risks::Names::default(),
        marks: Marks::new(source.rows()),
        tokens: Tokens::default(),
        ancestors: Vec::new(),
        functions: Vec::new(),
        containers: Vec::new(),
        test_attribute: None,
        facts,
    };
    walk.run(tree, grammar.roles());
    let Walk { mut facts, marks, tokens, .. } = walk;
    facts.lines = marks.count(source);
    facts.shingles = tokens.shingles(source.text.len());
    facts
}

impl<'a, 't> Walk<'a, 't> {
    fn run(&mut self, tree: &'t Tree, roles: &[u16]) {
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            let role = roles.get(node.kind_id() as usize).copied().unwrap_or(0);
            if self.enter(node, role) && cursor.goto_first_child() {
                self.ancestors.push(node);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    self.leave_to(0);
                    return;
                }
                self.ancestors.pop();
            }
            self.leave_to(self.ancestors.len());
        }
    }

    /// Looks at a node; false if there is nothing to see below it.
    fn enter(&mut self, node: Node<'t>, roles: u16) -> bool {
        if node.is_error() || node.is_missing() {
            self.syntax_error(node);
        }
        let is = |role: u16| roles & role != 0;
        if is(role::COMMENT) {
            self.comment(node);
            return false;
        }
        if node.child_count() == 0 {
            self.token(node);
        }
        self.forget_attribute(node, is(role::ATTRIBUTE));
        if roles == 0 {
            return true;
        }
        if is(role::DECISION)
            && let Some(open) = self.functions.last_mut()
        {
            open.decisions += complexity::weight(node, self.ancestors.last().copied(), self.source.text);
        }
        if is(role::FUNCTION) {
            self.function(node);
        }
        if is(role::CALL) {
            risks::check_call(self.family, node, self.source, &self.names, self.findings);
            self.test_call(node);
        }
        if is(role::STRING) {
            let (text, row) = (self.text(node), node.start_position().row);
            literals::check_text(text, row, self.in_test(), self.source, self.findings);
        }
        self.enter_rare(node, roles);
        true
    }

    fn enter_rare(&mut self, node: Node<'t>, roles: u16) {
        let is = |role: u16| roles & role != 0;
        if is(role::BINDING) {
            literals::check_binding(node, self.in_test(), self.source, self.findings);
            if self.family == Family::Script {
                self.names.require(node, self.source);
            }
        }
        if is(role::JSX_ATTRIBUTE) || (self.family == Family::Script && node.kind().ends_with("assignment_expression"))
        {
            risks::check_html(node, self.source, self.findings);
        }
        if is(role::IMPORT) {
            self.names.import(self.family, node, self.source);
        }
        if is(role::ATTRIBUTE) && is_test_attribute(self.text(node)) {
            self.test_attribute = Some(self.ancestors.len());
        }
        if is(role::CONTAINER) {
            self.container(node);
        }
        if is(role::MODULE) && self.test_module.is_none() {
            let name = node.child_by_field_name("name").map_or("", |name| self.text(name));
            self.test_module = matches!(name, "test" | "tests").then_some(self.ancestors.len());
        }
        if is(role::UNSAFE) {
            let row = node.start_position().row;
            self.findings.add(
                UNSAFE,
                self.source,
                row,
                "an unsafe block: the compiler does not check memory safety here",
            );
        }
    }

    /// Ends the functions and classes that the cursor has left; `depth` is that of the node it stands on now.
    fn leave_to(&mut self, depth: usize) {
        while let Some(open) = self.functions.pop_if(|open| open.depth >= depth) {
            let complexity = (open.decisions + 1).max(1) as u32;
            self.facts.functions.push(Function { complexity, ..open.function });
        }
        self.test_module = self.test_module.filter(|at| *at < depth);
        while self.containers.pop_if(|(at, ..)| *at >= depth).is_some() {}
    }

    fn comment(&mut self, node: Node<'t>) {
        let rows = rows(node);
        notes::check(self.text(node), *rows.start(), self.source, self.findings);
        literals::check_text(self.text(node), *rows.start(), self.in_test(), self.source, self.findings);
        self.marks.comment(rows);
    }

    fn token(&mut self, node: Node<'t>) {
        let text = self.text(node).trim();
        if !text.is_empty() {
            let rows = rows(node);
            self.tokens.push(text.as_bytes(), *rows.start(), *rows.end());
            self.marks.code(rows);
        }
    }

    /// An attribute counts for what follows it; further attributes and comments may stand between.
    fn forget_attribute(&mut self, node: Node<'_>, is_attribute: bool) {
        if let Some(depth) = self.test_attribute {
            let at = self.ancestors.len();
            let passed = at == depth && !is_attribute && node.kind() != "function_item";
            if at < depth || passed {
                self.test_attribute = None;
            }
        }
    }

    fn syntax_error(&mut self, node: Node<'_>) {
        // What stands inside of a skipped text is the same error.
        if self.ancestors.last().is_some_and(Node::is_error) || self.is_in_macro() {
            return;
        }
        self.facts.syntax_errors += 1;
        if self.facts.syntax_error_list.len() < MAX_ERRORS_OF_A_FILE {
            let at = node.start_position();
            self.facts.syntax_error_list.push(SyntaxError {
                path: self.source.path.to_owned(),
                line: at.row as u32 + 1,
                column: self.source.column(at.row, at.column),
                excerpt: self.source.excerpt(at.row),
            });
        }
    }

    /// What a Rust macro takes is any tokens, so what the grammar does not know there is no error.
    fn is_in_macro(&self) -> bool {
        const NEAR: usize = 64;
        let is_macro = |node: &Node<'_>| {
            matches!(
                node.kind(),
                "token_tree" | "token_tree_pattern" | "macro_rule" | "macro_definition" | "macro_invocation"
            )
        };
        self.family == Family::Rust && self.ancestors.iter().rev().take(NEAR).any(is_macro)
    }

    fn function(&mut self, node: Node<'t>) {
        let Some(name) = node.child_by_field_name("name").or_else(|| self.bound_name()) else {
            return;
        };
        let name = self.text(name);
        let class = self.containers.last().map(|(_, _, with_bases)| with_bases.as_str());
        let by_name = is_test_function(self.family, self.source.path, name, class);
        let by_attribute = self.test_attribute.take().is_some();
        let rows = rows(node);
        let line = *rows.start() as u32 + 1;
        let name = shortened(&self.qualified(node, name));
        let path = self.source.path.to_owned();
        if by_name || by_attribute {
            self.facts.tests.push(Test { name: name.clone(), path: path.clone(), line });
        }
        let lines = (rows.end() - rows.start()) as u32 + 1;
        let function = Function { name, path, line, complexity: 1, lines };
        self.functions.push(Open { depth: self.ancestors.len(), function, decisions: 0 });
    }

    /// The name that a nameless function of a script is given where it stands: `const name = () => …`.
    fn bound_name(&self) -> Option<Node<'t>> {
        let parent = self.ancestors.last()?;
        let field = match parent.kind() {
            "variable_declarator" | "public_field_definition" => "name",
            "field_definition" => "property",
            "pair" => "key",
            "assignment_expression" => "left",
            _ => return None,
        };
        parent.child_by_field_name(field)
    }

    fn qualified(&self, node: Node<'_>, name: &str) -> String {
        let receiver = node.child_by_field_name("receiver").filter(|_| self.family == Family::Go);
        if let Some(receiver) = receiver {
            let receiver = self.text(receiver).trim_matches(['(', ')']);
            let of = receiver.split_whitespace().next_back().unwrap_or(receiver);
            return format!("{}.{name}", of.trim_start_matches('*'));
        }
        match (self.containers.last(), self.family) {
            (Some((_, of, _)), Family::Rust) => format!("{of}::{name}"),
            (Some((_, of, _)), _) => format!("{of}.{name}"),
            (None, _) => name.to_owned(),
        }
    }

    fn container(&mut self, node: Node<'t>) {
        let Some(name) = node.child_by_field_name("name").or_else(|| node.child_by_field_name("type")) else {
            return;
        };
        let name = self.text(name);
        let bases = node.child_by_field_name("superclasses").map_or("", |bases| self.text(bases));
        self.containers.push((self.ancestors.len(), shortened(name), shortened(&format!("{name}{bases}"))));
    }

    fn test_call(&mut self, call: Node<'_>) {
        if self.family == Family::Script
            && let Some(title) = test_call(call, self.source.path, self.source.text)
        {
            let line = call.start_position().row as u32 + 1;
            self.facts.tests.push(Test { name: shortened(title), path: self.source.path.to_owned(), line });
        }
    }

    const fn in_test(&self) -> bool {
        self.in_sample || self.test_module.is_some()
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        self.source.text.get(node.byte_range()).unwrap_or("")
    }
}

/// The rows of a node; a line break at its end is not a further row.
fn rows(node: Node<'_>) -> RangeInclusive<usize> {
    let (start, end) = (node.start_position(), node.end_position());
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    start.row..=last
}

/// A name of the file on one line, at most 120 characters.
fn shortened(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ");
    presentable(name.char_indices().nth(120).map_or(name.as_str(), |(at, _)| &name[..at]))
}
