//! Which language a file is written in, and what its comments and strings look like.
//!
//! Decided by file name, then extension, then the interpreter after `#!`. The comment syntax is what the languages'
//! own references say; it is used by `count` for all languages without a grammar.

use super::grammar::Grammar;

/// What the lines of a language are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Code,
    Data,
    /// Text for people: its lines count as comment.
    Prose,
}

/// How text is told from comments and strings.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    pub line: &'static [&'static str],
    pub block: &'static [(&'static str, &'static str)],
    /// Block comments nest.
    pub nested: bool,
    /// Characters that open and close a string on one line, with `\` as escape.
    pub quotes: &'static [u8],
}

/// A language that is recognised.
#[derive(Debug)]
pub struct Language {
    pub name: &'static str,
    pub kind: Kind,
    pub syntax: Syntax,
    pub grammar: Option<Grammar>,
    /// Without dot, lower case, separated by spaces.
    extensions: &'static str,
    /// Whole names, case-sensitive, separated by spaces.
    names: &'static str,
    /// Interpreters after `#!`, separated by spaces; version digits at the end are ignored.
    interpreters: &'static str,
}

const fn syntax(
    line: &'static [&'static str],
    block: &'static [(&'static str, &'static str)],
    quotes: &'static [u8],
) -> Syntax {
    Syntax { line, block, nested: false, quotes }
}

const C_BLOCK: &[(&str, &str)] = &[("/*", "*/")];
const C_LIKE: Syntax = syntax(&["//"], C_BLOCK, b"\"'");
const C_LIKE_TEMPLATES: Syntax = syntax(&["//"], C_BLOCK, b"\"'`");
const C_NESTED: Syntax = Syntax { nested: true, ..syntax(&["//"], C_BLOCK, b"\"") };
const HASH: Syntax = syntax(&["#"], &[], b"\"'");
const STYLE: Syntax = syntax(&[], C_BLOCK, b"\"'");
const MARKUP: Syntax = syntax(&[], &[("<!--", "-->")], b"");
const NONE: Syntax = syntax(&[], &[], b"");
const DASHES: Syntax = syntax(&["--"], C_BLOCK, b"\"'");
const SEMICOLON: Syntax = syntax(&[";"], &[], b"\"");
const PERCENT: Syntax = syntax(&["%"], &[], b"");

const fn language(name: &'static str, kind: Kind, syntax: Syntax, extensions: &'static str) -> Language {
    Language { name, kind, syntax, grammar: None, extensions, names: "", interpreters: "" }
}

const fn named(mut language: Language, names: &'static str, interpreters: &'static str) -> Language {
    language.names = names;
    language.interpreters = interpreters;
    language
}

const fn deep(mut language: Language, grammar: Grammar) -> Language {
    language.grammar = Some(grammar);
    language
}

#[cfg(test)]
impl Language {
    pub const fn extensions(&self) -> &'static str {
        self.extensions
    }

    pub const fn names(&self) -> &'static str {
        self.names
    }
}

use Kind::{Code, Data, Prose};

/// Every language that is counted; an extension stands at one language only (a test checks it).
pub static LANGUAGES: &[Language] = &[
    deep(language("Rust", Code, C_NESTED, "rs"), Grammar::Rust),
    deep(
        named(language("Python", Code, HASH, "py pyi pyw"), "SConstruct SConscript wscript", "python pypy"),
        Grammar::Python,
    ),
    deep(
        named(language("JavaScript", Code, C_LIKE_TEMPLATES, "js mjs cjs jsx"), "Jakefile", "node"),
        Grammar::JavaScript,
    ),
    deep(
        named(language("TypeScript", Code, C_LIKE_TEMPLATES, "ts mts cts"), "", "deno ts-node tsx bun"),
        Grammar::TypeScript,
    ),
    deep(language("TSX", Code, C_LIKE_TEMPLATES, "tsx"), Grammar::Tsx),
    deep(language("Go", Code, C_LIKE_TEMPLATES, "go"), Grammar::Go),
    language("Assembly", Code, syntax(&[";", "#", "//"], C_BLOCK, b"\""), "s asm"),
    language("Bazel", Code, HASH, "bzl bazel"),
    language("C", Code, C_LIKE, "c"),
    language("C header", Code, C_LIKE, "h"),
    language("C++", Code, C_LIKE, "cc cpp cxx hpp hh hxx ino"),
    language("C#", Code, C_LIKE, "cs"),
    language("Clojure", Code, SEMICOLON, "clj cljs cljc edn"),
    named(language("CMake", Code, syntax(&["#"], &[("#[[", "]]")], b"\""), "cmake"), "CMakeLists.txt", ""),
    language("CSS", Code, STYLE, "css"),
    language("Dart", Code, C_NESTED, "dart"),
    named(language("Dockerfile", Code, HASH, "dockerfile"), "Dockerfile Containerfile", ""),
    named(language("Elixir", Code, HASH, "ex exs"), "", "elixir"),
    language("Elm", Code, Syntax { nested: true, ..syntax(&["--"], &[("{-", "-}")], b"\"") }, "elm"),
    named(language("Erlang", Code, syntax(&["%"], &[], b"\""), "erl hrl"), "", "escript"),
    language("F#", Code, syntax(&["//"], &[("(*", "*)")], b"\""), "fs fsi fsx"),
    language("Fortran", Code, syntax(&["!"], &[], b"\"'"), "f90 f95 f03 f08"),
    language("GraphQL", Code, HASH, "graphql gql"),
    named(language("Groovy", Code, C_LIKE, "groovy gradle"), "Jenkinsfile", "groovy"),
    language("Haskell", Code, Syntax { nested: true, ..syntax(&["--"], &[("{-", "-}")], b"\"") }, "hs"),
    language("HTML", Code, MARKUP, "html htm xhtml"),
    language("Java", Code, C_LIKE, "java"),
    named(language("Julia", Code, syntax(&["#"], &[("#=", "=#")], b"\""), "jl"), "", "julia"),
    named(language("Just", Code, HASH, "just"), "justfile Justfile", ""),
    language("Kotlin", Code, C_NESTED, "kt kts"),
    language("Less", Code, C_LIKE, "less"),
    language("Lisp", Code, syntax(&[";"], &[("#|", "|#")], b"\""), "lisp lsp el scm rkt"),
    named(language("Lua", Code, syntax(&["--"], &[("--[[", "]]")], b"\"'"), "lua"), "", "lua luajit"),
    named(language("Makefile", Code, syntax(&["#"], &[], b""), "mk mak"), "Makefile makefile GNUmakefile", "make"),
    named(language("Nix", Code, syntax(&["#"], C_BLOCK, b"\""), "nix"), "", ""),
    language("Objective-C", Code, C_LIKE, "m mm"),
    language("OCaml", Code, Syntax { nested: true, ..syntax(&[], &[("(*", "*)")], b"\"") }, "ml mli"),
    named(language("Perl", Code, HASH, "pl pm"), "", "perl"),
    named(language("PHP", Code, syntax(&["//", "#"], C_BLOCK, b"\"'"), "php"), "", "php"),
    language("PowerShell", Code, syntax(&["#"], &[("<#", "#>")], b"\"'"), "ps1 psm1"),
    language("Protocol Buffers", Code, C_LIKE, "proto"),
    named(language("R", Code, HASH, "r"), "", "Rscript"),
    named(
        language("Ruby", Code, syntax(&["#"], &[("=begin", "=end")], b"\"'"), "rb rake gemspec"),
        "Rakefile Gemfile Vagrantfile",
        "ruby",
    ),
    language("Sass", Code, C_LIKE, "scss sass"),
    language("Scala", Code, C_NESTED, "scala sc"),
    named(language("Shell", Code, HASH, "sh bash zsh fish ksh"), "PKGBUILD", "sh bash zsh dash ksh fish"),
    language("Solidity", Code, C_LIKE, "sol"),
    language("SQL", Code, DASHES, "sql"),
    language("Svelte", Code, syntax(&["//"], &[("<!--", "-->"), ("/*", "*/")], b""), "svelte"),
    language("Swift", Code, C_NESTED, "swift"),
    named(language("Tcl", Code, syntax(&["#"], &[], b"\""), "tcl"), "", "tclsh"),
    language("Terraform", Code, syntax(&["#", "//"], C_BLOCK, b"\""), "tf tfvars hcl"),
    language("Verilog", Code, C_LIKE, "v sv svh"),
    language("VHDL", Code, syntax(&["--"], &[], b"\""), "vhd vhdl"),
    language("Vim script", Code, syntax(&["\""], &[], b""), "vim"),
    language("Visual Basic", Code, syntax(&["'"], &[], b"\""), "vb bas"),
    language("Vue", Code, syntax(&["//"], &[("<!--", "-->"), ("/*", "*/")], b""), "vue"),
    language("WebAssembly text", Code, syntax(&[";;"], &[("(;", ";)")], b"\""), "wat wast"),
    language("WGSL", Code, C_NESTED, "wgsl"),
    language("Zig", Code, syntax(&["//"], &[], b"\""), "zig"),
    language("CSV", Data, NONE, "csv tsv"),
    language("Dotenv", Data, HASH, "env"),
    language("INI", Data, syntax(&["#", ";"], &[], b""), "ini cfg conf properties editorconfig"),
    language("JSON", Data, C_LIKE, "json jsonc json5 jsonl ndjson geojson webmanifest"),
    named(language("TOML", Data, HASH, "toml"), "Cargo.lock poetry.lock uv.lock Pipfile", ""),
    language("XML", Data, MARKUP, "xml xsd xsl xslt svg csproj fsproj vbproj props targets plist"),
    named(language("YAML", Data, HASH, "yaml yml"), "yarn.lock", ""),
    named(language("Go modules", Data, syntax(&["//"], &[], b""), "mod sum"), "go.work", ""),
    language("AsciiDoc", Prose, NONE, "adoc asciidoc"),
    language("Markdown", Prose, NONE, "md markdown mdx"),
    language("Org", Prose, NONE, "org"),
    named(
        language("Plain text", Prose, NONE, "txt text"),
        "LICENSE LICENCE COPYING NOTICE README AUTHORS CHANGELOG CONTRIBUTORS INSTALL TODO NEWS CODEOWNERS",
        "",
    ),
    language("reStructuredText", Prose, NONE, "rst"),
    language("TeX", Prose, PERCENT, "tex sty cls bib"),
];

/// Finds the language by the name of the file alone.
pub fn by_name(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let whole = |language: &&Language| language.names.split_ascii_whitespace().any(|n| n == name);
    if let Some(found) = LANGUAGES.iter().find(whole) {
        return Some(found);
    }
    let (stem, extension) = name.rsplit_once('.')?;
    if stem == "Dockerfile" {
        return LANGUAGES.iter().find(|language| language.name == "Dockerfile");
    }
    let extension = extension.to_ascii_lowercase();
    LANGUAGES.iter().find(|language| language.extensions.split_ascii_whitespace().any(|e| e == extension))
}

/// Finds the language of a file by its name, else by the interpreter that its first line asks for.
pub fn detect(path: &str, text: &[u8]) -> Option<&'static Language> {
    by_name(path).or_else(|| by_interpreter(text))
}

fn by_interpreter(text: &[u8]) -> Option<&'static Language> {
    let line = text.strip_prefix(b"#!")?;
    let line = &line[..line.iter().take(200).position(|b| *b == b'\n').unwrap_or(line.len().min(200))];
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut program = words.next()?;
    if program == "env" {
        // `env -S deno run` and `env VAR=x python` name the interpreter later.
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    LANGUAGES.iter().find(|language| language.interpreters.split_ascii_whitespace().any(|i| i == program))
}

/// True for text whose lines are far longer than anyone writes: generated to be small, not to be read.
///
/// 500 bytes a line on average is well above the longest mean of hand-written code (some 40) and below that of
/// minified scripts (thousands).
pub fn is_minified(language: &Language, text: &[u8]) -> bool {
    const MEAN_LINE_BYTES: usize = 500;
    let may_be = matches!(language.name, "JavaScript" | "TypeScript" | "CSS");
    may_be
        && text.len() > 2 * MEAN_LINE_BYTES
        && text.len() / (super::count::line_count(text).max(1) as usize) > MEAN_LINE_BYTES
}

/// True if the text holds what no text holds: a zero byte near its beginning (git's own rule, in the first 8000 bytes).
pub fn is_binary(text: &[u8]) -> bool {
    text[..text.len().min(8000)].contains(&0)
}
