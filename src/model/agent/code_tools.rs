//! What models are told of the tools that read source code.

use serde_json::{Value, json};

/// Of `outline_code`.
pub(super) const OUTLINE: &str = "Says which functions, types and modules stand in a file of your working directory, or in the files of a \
                           folder, with their lines: Rust, Python, JavaScript, TypeScript and Go, at most 400 files. Begin with it \
                           where you do not know the code, and read the lines that matter.";
/// Of `find_symbol`.
pub(super) const FIND: &str = "Finds where a name is defined and where it is used in the source code of your working directory: Rust, Python, \
                        JavaScript, TypeScript and Go, at most 200 places. Comments and texts do not count; search_files looks there.";
/// Of `analyze_code`.
pub(super) const ANALYZE: &str = "Measures the source code of your working directory, or of a folder or a file of it: sizes, syntax errors, \
                           risky calls and credentials, the most complex functions, duplicated blocks, tests. Rust, Python, JavaScript, \
                           TypeScript and Go, at most 400 files. Begin a review with it.";

/// The properties and required ones of `outline_code` and `analyze_code`.
pub(super) fn outline() -> (Value, Value) {
    let path = json!({"type": "string", "description": "A file or a folder, such as src; all where it is left out."});
    (json!({"path": path}), json!([]))
}

/// The properties and required ones of `find_symbol`.
pub(super) fn find() -> (Value, Value) {
    (
        json!({
            "name": {"type": "string", "minLength": 1, "maxLength": 200, "description": "One name, as it stands in the code, such as parse_config."},
            "path": {"type": "string", "description": "Only in this file or folder, such as src."},
        }),
        json!(["name"]),
    )
}
