//! The five deeply analysed languages: their parsers, and which nodes of their trees which rule looks at.

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tree_sitter::{Language, ParseOptions, Parser, Tree};

use super::complexity;

/// A grammar that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Go,
}

/// Grammars that name their nodes alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Rust,
    Python,
    Script,
    Go,
}

/// What a node can be to our rules: a set of flags, because one node can be several things.
pub mod role {
    pub const COMMENT: u16 = 1;
    pub const FUNCTION: u16 = 1 << 1;
    pub const DECISION: u16 = 1 << 2;
    pub const CALL: u16 = 1 << 3;
    pub const BINDING: u16 = 1 << 4;
    pub const STRING: u16 = 1 << 5;
    pub const UNSAFE: u16 = 1 << 6;
    pub const CONTAINER: u16 = 1 << 7;
    pub const ATTRIBUTE: u16 = 1 << 8;
    pub const IMPORT: u16 = 1 << 9;
    pub const JSX_ATTRIBUTE: u16 = 1 << 10;
    pub const MODULE: u16 = 1 << 11;
}

const GRAMMARS: usize = 6;

/// Steps of the parser (hundreds of its operations) that every file may take, whatever its size.
const BASE_BUDGET: u64 = 20_000;
/// Further steps for each byte. Ordinary code takes about one step for 50 bytes; what takes a hundred times as many
/// is built to make the parser lose its way. Counted in steps and not in time, so that the answer does not depend on
/// the machine.
const BUDGET_PER_BYTE: u64 = 2;

impl Grammar {
    pub const fn family(self) -> Family {
        match self {
            Self::Rust => Family::Rust,
            Self::Python => Family::Python,
            Self::JavaScript | Self::TypeScript | Self::Tsx => Family::Script,
            Self::Go => Family::Go,
        }
    }

    fn language(self) -> Language {
        match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
        }
    }

    /// The roles of each kind of node, by its number in the grammar.
    pub fn roles(self) -> &'static [u16] {
        static ROLES: [OnceLock<Vec<u16>>; GRAMMARS] = [const { OnceLock::new() }; GRAMMARS];
        ROLES[self as usize].get_or_init(|| {
            let language = self.language();
            let kinds = language.node_kind_count() as u16;
            (0..kinds).map(|id| role_of(self.family(), &language, id)).collect()
        })
    }
}

fn role_of(family: Family, language: &Language, id: u16) -> u16 {
    let kind = language.node_kind_for_id(id).unwrap_or("");
    if !language.node_kind_is_named(id) {
        let decides = complexity::short_circuits(family).contains(&kind);
        return if decides { role::DECISION } else { 0 };
    }
    let decides = complexity::decision_kinds(family).contains(&kind);
    let roles = named_roles(family, kind);
    if decides { roles | role::DECISION } else { roles }
}

fn named_roles(family: Family, kind: &str) -> u16 {
    match (family, kind) {
        (_, "comment" | "line_comment" | "block_comment" | "html_comment") => role::COMMENT,
        (Family::Rust, "function_item")
        | (Family::Python, "function_definition")
        | (Family::Go, "function_declaration" | "method_declaration")
        | (
            Family::Script,
            "function_declaration"
            | "generator_function_declaration"
            | "method_definition"
            | "arrow_function"
            | "function_expression"
            | "generator_function",
        ) => role::FUNCTION,
        (Family::Rust, "impl_item" | "trait_item")
        | (Family::Python, "class_definition")
        | (Family::Script, "class_declaration" | "abstract_class_declaration") => role::CONTAINER,
        (Family::Python, "call") | (Family::Script, "new_expression") | (_, "call_expression") => role::CALL,
        (_, "string" | "string_literal" | "raw_string_literal" | "interpreted_string_literal" | "template_string") => {
            role::STRING
        }
        (Family::Rust, "unsafe_block") => role::UNSAFE,
        (Family::Rust, "mod_item") => role::MODULE,
        (Family::Rust, "attribute_item") => role::ATTRIBUTE,
        (Family::Python | Family::Script, "import_statement")
        | (Family::Python, "import_from_statement")
        | (Family::Go, "import_spec") => role::IMPORT,
        (Family::Script, "jsx_attribute") => role::JSX_ATTRIBUTE,
        (
            Family::Rust,
            "let_declaration" | "const_item" | "static_item" | "field_initializer" | "assignment_expression",
        )
        | (
            Family::Python,
            "assignment" | "keyword_argument" | "pair" | "default_parameter" | "typed_default_parameter",
        )
        | (
            Family::Script,
            "variable_declarator"
            | "assignment_expression"
            | "augmented_assignment_expression"
            | "pair"
            | "field_definition"
            | "public_field_definition",
        )
        | (
            Family::Go,
            "short_var_declaration" | "var_spec" | "const_spec" | "keyed_element" | "assignment_statement",
        ) => role::BINDING,
        _ => 0,
    }
}

/// What became of parsing a file.
pub enum Parsed {
    Tree(Tree),
    /// The budget of steps was used up.
    GaveUp,
    Cancelled,
}

/// Parses a text within a budget of steps that grows with its length.
pub fn parse(parser: &mut Parser, grammar: Grammar, text: &str, cancelled: &AtomicBool) -> Parsed {
    parser.reset();
    parser.set_language(&grammar.language()).expect("the grammars fit the library they are built with");
    let mut left = BASE_BUDGET + BUDGET_PER_BYTE * text.len() as u64;
    let mut on_progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 || cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut on_progress);
    let bytes = text.as_bytes();
    match parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options)) {
        Some(tree) => Parsed::Tree(tree),
        None if cancelled.load(Ordering::Relaxed) => Parsed::Cancelled,
        None => Parsed::GaveUp,
    }
}
