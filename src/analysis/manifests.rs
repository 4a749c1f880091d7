//! Which files declare dependencies, and how many they declare directly.
//!
//! Nothing is run and nothing is resolved: what only a program could tell (`setup.py`) has no number.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::analysis::Manifest;

type Counted = Result<Option<u32>, String>;

/// Reads a manifest; `None` for every other file.
pub fn read(path: &str, text: &str) -> Option<Manifest> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (kind, counted) = count(name, text)?;
    let (dependencies, problem) = match counted {
        Ok(dependencies) => (dependencies, None),
        Err(problem) => (None, Some(problem)),
    };
    Some(Manifest { path: path.to_owned(), kind: kind.to_owned(), dependencies, problem })
}

fn count(name: &str, text: &str) -> Option<(&'static str, Counted)> {
    Some(match name {
        "Cargo.toml" => ("cargo", toml(text).map(|root| Some(cargo(&root)))),
        "package.json" => ("npm", json(text).map(|root| Some(keys(&root, &NPM)))),
        "composer.json" => ("composer", json(text).map(|root| Some(composer(&root)))),
        "pyproject.toml" => ("python", toml(text).map(|root| Some(pyproject(&root)))),
        "Pipfile" => ("python", toml(text).map(|root| Some(keys(&root, &["packages", "dev-packages"])))),
        "setup.py" => ("python", Ok(None)),
        "setup.cfg" => ("python", Ok(Some(setup_cfg(text)))),
        "environment.yml" | "environment.yaml" => {
            ("conda", yaml(text).map(|root| Some(length(root.get("dependencies")))))
        }
        "pubspec.yaml" => ("dart", yaml(text).map(|root| Some(keys(&root, &["dependencies", "dev_dependencies"])))),
        "go.mod" => ("go", Ok(Some(go_mod(text)))),
        "Gemfile" => {
            ("bundler", Ok(Some(lines_with(text, |line| line.starts_with("gem ") || line.starts_with("gem(")))))
        }
        "pom.xml" => ("maven", Ok(Some(pom(text)))),
        "build.gradle" | "build.gradle.kts" => ("gradle", Ok(Some(lines_with(text, is_gradle_dependency)))),
        "mix.exs" => ("mix", Ok(None)),
        "build.sbt" => ("sbt", Ok(Some(lines_with(text, |line| line.contains(" % \"") && !line.starts_with("//"))))),
        "Package.swift" => ("swift", Ok(Some(lines_with(text, |line| line.starts_with(".package("))))),
        "CMakeLists.txt" | "Makefile" => return None,
        _ if name.ends_with(".csproj") || name.ends_with(".fsproj") => {
            ("nuget", Ok(Some(text.matches("<PackageReference").count() as u32)))
        }
        _ if name.starts_with("requirements") && name.rsplit_once('.').is_some_and(|(_, end)| end == "txt") => {
            ("python", Ok(Some(lines_with(text, is_requirement))))
        }
        _ => return None,
    })
}

const NPM: [&str; 4] = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

fn toml(text: &str) -> Result<Value, String> {
    let table: toml::Table =
        toml::from_str(text).map_err(|e| format!("not valid TOML: {}", first_line(e.message())))?;
    serde_json::to_value(table).map_err(|e| e.to_string())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|e| format!("not valid JSON: {e}"))
}

fn yaml(text: &str) -> Result<Value, String> {
    serde_yaml_ng::from_str(text).map_err(|e| format!("not valid YAML: {}", first_line(&e.to_string())))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Distinct names in several tables of one root: a peer dependency that is also a development one is one.
fn keys(root: &Value, tables: &[&str]) -> u32 {
    names(tables.iter().filter_map(|table| root.get(table))).len() as u32
}

fn names<'a>(tables: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    tables.filter_map(Value::as_object).flat_map(|table| table.keys().map(String::as_str)).collect()
}

fn length(list: Option<&Value>) -> u32 {
    list.and_then(Value::as_array).map_or(0, |list| list.len() as u32)
}

fn cargo(root: &Value) -> u32 {
    const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = root.get("target").and_then(Value::as_object).into_iter().flat_map(|targets| targets.values());
    let roots = std::iter::once(root).chain(targets).chain(root.get("workspace"));
    names(roots.flat_map(|root| TABLES.iter().filter_map(|table| root.get(table)))).len() as u32
}

fn composer(root: &Value) -> u32 {
    let tables = ["require", "require-dev"].into_iter().filter_map(|table| root.get(table));
    let packages = names(tables);
    // `php` and `ext-json` are the platform.
    packages.into_iter().filter(|name| name.contains('/')).count() as u32
}

fn pyproject(root: &Value) -> u32 {
    let lists = |tables: Option<&Value>| {
        tables
            .and_then(Value::as_object)
            .map_or(0, |tables| tables.values().map(|list| length(Some(list))).sum::<u32>())
    };
    let project = length(root.pointer("/project/dependencies"));
    let optional = lists(root.pointer("/project/optional-dependencies")) + lists(root.get("dependency-groups"));
    let groups = root.pointer("/tool/poetry/group").and_then(Value::as_object);
    let groups = groups.into_iter().flat_map(|groups| groups.values()).filter_map(|group| group.get("dependencies"));
    let poetry =
        ["/tool/poetry/dependencies", "/tool/poetry/dev-dependencies"].into_iter().filter_map(|at| root.pointer(at));
    let mut poetry = names(poetry.chain(groups));
    poetry.remove("python");
    project + optional + poetry.len() as u32
}

fn lines_with(text: &str, wanted: impl Fn(&str) -> bool) -> u32 {
    text.lines().filter(|line| wanted(line.trim())).count() as u32
}

fn is_requirement(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(['#', '-'])
}

fn is_gradle_dependency(line: &str) -> bool {
    const CONFIGURATIONS: [&str; 10] = [
        "implementation",
        "api",
        "compileOnly",
        "runtimeOnly",
        "testImplementation",
        "testRuntimeOnly",
        "annotationProcessor",
        "kapt",
        "androidTestImplementation",
        "debugImplementation",
    ];
    let word_end = line.find([' ', '(']).unwrap_or(0);
    CONFIGURATIONS.contains(&&line[..word_end])
}

/// Modules of `require` lines and blocks that are not marked `// indirect`.
fn go_mod(text: &str) -> u32 {
    let mut in_block = false;
    let mut count = 0;
    for line in text.lines().map(str::trim) {
        let module = match line {
            ")" => {
                in_block = false;
                continue;
            }
            "require (" => {
                in_block = true;
                continue;
            }
            _ if in_block => line,
            _ => line.strip_prefix("require ").unwrap_or(""),
        };
        let direct = !module.contains("// indirect") && !module.starts_with("//");
        count += u32::from(direct && !module.is_empty());
    }
    count
}

/// The lines below `install_requires =` in `[options]`.
fn setup_cfg(text: &str) -> u32 {
    let after = text.lines().skip_while(|line| !line.trim_start().starts_with("install_requires"));
    let indented = after.skip(1).take_while(|line| line.starts_with([' ', '\t']) || line.trim().is_empty());
    indented.filter(|line| is_requirement(line.trim())).count() as u32
}

/// The `dependency` elements of the project itself, not those of plugins and of `dependencyManagement`.
fn pom(text: &str) -> u32 {
    let mut open: Vec<&str> = Vec::new();
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n', '\t', '\r']).next().unwrap_or("");
        if tag.starts_with('/') {
            if let Some(at) = open.iter().rposition(|name_of_open| *name_of_open == name) {
                open.truncate(at);
            }
        } else if !tag.ends_with('/') && !tag.starts_with(['?', '!']) && open.len() < 64 {
            let inside_project = open == ["project", "dependencies"]
                || (open.len() == 4 && open[1] == "profiles" && open[3] == "dependencies");
            count += u32::from(name == "dependency" && inside_project);
            open.push(name);
        }
    }
    count
}
