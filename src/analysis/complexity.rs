//! Cyclomatic complexity: how many decisions a function takes.
//!
//! Source: T. J. McCabe, "A Complexity Measure", IEEE Transactions on Software Engineering SE-2(4), 1976: the number
//! of linearly independent paths of a single-exit function is its number of decisions plus one; an n-way branch is
//! n - 1 decisions, and a compound condition is counted by its simple conditions.
//!
//! | language | one decision each |
//! |---|---|
//! | Rust | `if`, `while`, `for`, `let … else`, each arm of a `match` but one, a guard of an arm, `&&`, `\|\|` |
//! | Python | `if`, `elif`, `while`, `for`, `except`, conditional expression, `for` and `if` of a comprehension, `case` but `case _`, `and`, `or` |
//! | JavaScript, TypeScript | `if`, `while`, `do`, `for`, `case`, `catch`, `?:`, `&&`, `\|\|`, `??` and their assignments |
//! | Go | `if`, `for`, `case` of `switch` and `select`, `&&`, `\|\|` |
//!
//! Not counted: what passes an error on (`?` in Rust, as exceptions that pass through are not in the others), optional
//! chaining, `loop` (the `if` that leaves it counts), code inside of Rust macro calls (the tree holds only tokens).
//! A closure or other nameless function counts for the named function that it stands in; a named function inside of
//! another is counted on its own.

use tree_sitter::Node;

use super::grammar::Family;

/// Kinds of named nodes that may be decisions; [`weight`] has the last word.
pub const fn decision_kinds(family: Family) -> &'static [&'static str] {
    match family {
        Family::Rust => &[
            "if_expression",
            "while_expression",
            "for_expression",
            "let_declaration",
            "match_expression",
            "match_arm",
            "match_pattern",
        ],
        Family::Python => &[
            "if_statement",
            "elif_clause",
            "while_statement",
            "for_statement",
            "except_clause",
            "except_group_clause",
            "conditional_expression",
            "for_in_clause",
            "if_clause",
            "case_clause",
        ],
        Family::Script => &[
            "if_statement",
            "while_statement",
            "do_statement",
            "for_statement",
            "for_in_statement",
            "switch_case",
            "catch_clause",
            "ternary_expression",
        ],
        Family::Go => &["if_statement", "for_statement", "expression_case", "type_case", "communication_case"],
    }
}

/// Operator tokens that decide whether their right side is evaluated.
pub const fn short_circuits(family: Family) -> &'static [&'static str] {
    match family {
        Family::Python => &["and", "or"],
        Family::Script => &["&&", "||", "??", "&&=", "||=", "??="],
        Family::Rust | Family::Go => &["&&", "||"],
    }
}

/// How many decisions a node of a decision kind adds.
///
/// The expression that holds the arms of a Rust `match` takes one away, so that n arms are n - 1 decisions.
pub fn weight(node: Node<'_>, parent: Option<Node<'_>>, text: &str) -> i32 {
    match node.kind() {
        "match_expression" => {
            let has_arms = node.child_by_field_name("body").is_some_and(|body| body.named_child_count() > 0);
            if has_arms { -1 } else { 0 }
        }
        "let_declaration" => i32::from(node.child_by_field_name("alternative").is_some()),
        "match_pattern" => i32::from(node.child_by_field_name("condition").is_some()),
        "case_clause" => i32::from(!is_wildcard(node, text)),
        // The same token can be two borrows or the empty parameters of a closure.
        "&&" | "||" => {
            i32::from(parent.is_some_and(|parent| matches!(parent.kind(), "binary_expression" | "let_chain")))
        }
        _ => 1,
    }
}

fn is_wildcard(clause: Node<'_>, text: &str) -> bool {
    let pattern = clause.named_child(0).map(|pattern| &text[pattern.byte_range()]);
    clause.child_by_field_name("guard").is_none() && pattern == Some("_")
}

/// The nearest-rank percentile of a histogram from value to how often it occurs; 0 if it is empty.
///
/// `percent` is 1..=100.
pub fn percentile(histogram: &std::collections::BTreeMap<u32, u64>, percent: u64) -> u32 {
    let total: u64 = histogram.values().sum();
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    for (value, times) in histogram {
        seen += times;
        if seen >= rank {
            return *value;
        }
    }
    0
}
