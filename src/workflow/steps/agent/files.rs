//! Files of the folder that an agent works in. Each act is a command in the sandbox, whose walls hold whatever links lead where.

use serde_json::Value;

use super::place;
use super::work::{Call, Work};
use crate::model::agent::AgentTool;
use crate::workflow::steps::StepCall;

/// Files that are named at most.
const MAX_FILES: usize = 1_000;
/// Lines of a search.
const MAX_LINES: usize = 200;
/// Lines of a file that are read where the model names no number.
const LINES: u64 = 2_000;
/// The largest file that can be edited: what a command prints is kept whole up to twice as much.
const MAX_EDITED: usize = 512 * 1024;
/// The exit code by which a script says that a file is too large.
const TOO_LARGE: i32 = 5;

const LIST: &str =
    r#"cd -- "$1" && find . -name .git -prune -o -type f -print | sed 's|^\./||' | LC_ALL=C sort | head -n 1001"#;
const READ: &str = r#"wc -l < "$1" && exec sed -n "$2,$3p" -- "$1""#;
const SEARCH: &str = r#"grep -rnIE --exclude-dir=.git -e "$1" -- "$2" | cut -c 1-400 | head -n 201"#;
const WRITE: &str = r#"mkdir -p -- "$(dirname -- "$1")" && exec cat > "$1""#;
const WHOLE: &str = r#"[ "$(wc -c < "$1")" -le 524288 ] || exit 5; exec cat -- "$1""#;

/// Does a call of one of the tools that are about files.
///
/// # Errors
/// In words for the model.
pub async fn act(step: &StepCall, work: &Work, call: &Call, tool: AgentTool) -> Result<String, String> {
    let folder = Folder { step, path: place::open(step, work).await? };
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| call.arguments.get(name).and_then(Value::as_u64);
    let done = match tool {
        AgentTool::ListFiles => folder.list(text("folder")).await,
        AgentTool::ReadFile => {
            folder.read(text("path"), number("from_line").unwrap_or(1), number("lines").unwrap_or(LINES)).await
        }
        AgentTool::SearchFiles => folder.search(text("pattern"), text("folder")).await,
        AgentTool::WriteFile => folder.write(text("path"), text("content")).await,
        AgentTool::EditFile => folder.edit(text("path"), text("find"), text("replace")).await,
        _ => Err("There is no such tool.".to_owned()),
    };
    let note = if folder.path.is_anew { ANEW } else { "" };
    done.map(|done| format!("{note}{done}")).map_err(|error| format!("{note}{error}"))
}

/// What the model is told first where its folder was lost.
pub const ANEW: &str = "Note: your working directory was lost, because the work goes on on another machine or somebody removed it. It \
                        was made anew, without what you had done in it.\n\n";

struct Folder<'a> {
    step: &'a StepCall,
    path: place::Place,
}

impl Folder<'_> {
    async fn run(&self, script: &str, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<place::Said, String> {
        let said = place::run(self.step, &self.path.path, script, arguments, stdin, &[]).await?;
        match said.code {
            0 => Ok(said),
            TOO_LARGE => Err(format!("The file is larger than {MAX_EDITED} bytes: change it with a script.")),
            _ if !said.complaint.is_empty() => Err(said.complaint.replace("sh: 1: ", "")),
            code => Err(format!("This ended with code {code}.")),
        }
    }

    async fn list(&self, folder: &str) -> Result<String, String> {
        let said = self.run(LIST, &[inside(or_here(folder))?], None).await?;
        Ok(bounded(&said.stdout, MAX_FILES, "There are no files."))
    }

    async fn read(&self, path: &str, from: u64, lines: u64) -> Result<String, String> {
        let to = from.saturating_add(lines.max(1) - 1);
        let (first, last) = (from.to_string(), to.to_string());
        let said = self.run(READ, &[file(path)?, &first, &last], None).await?;
        let (count, text) = said.stdout.split_once('\n').unwrap_or((&said.stdout, ""));
        Ok(numbered(text, from, count.trim().parse().unwrap_or(0)))
    }

    async fn search(&self, pattern: &str, folder: &str) -> Result<String, String> {
        let said = self.run(SEARCH, &[pattern, inside(or_here(folder))?], None).await?;
        if said.stdout.is_empty() && !said.complaint.is_empty() {
            return Err(said.complaint);
        }
        Ok(bounded(&said.stdout, MAX_LINES, "Nothing was found."))
    }

    async fn write(&self, path: &str, content: &str) -> Result<String, String> {
        self.run(WRITE, &[file(path)?], Some(content.as_bytes().to_vec())).await?;
        Ok(format!("{path} has {} bytes now.", content.len()))
    }

    async fn edit(&self, path: &str, find: &str, replace: &str) -> Result<String, String> {
        let before = self.run(WHOLE, &[file(path)?], None).await?.stdout;
        let Some((after, line)) = replaced(&before, find, replace)? else {
            return Ok("What you want there is there already; nothing was changed.".to_owned());
        };
        self.run(WRITE, &[path], Some(after.into_bytes())).await?;
        Ok(format!("{path} was changed from line {line} on."))
    }
}

fn or_here(folder: &str) -> &str {
    if folder.trim().is_empty() { "." } else { folder }
}

/// A path that stays inside.
fn inside(path: &str) -> Result<&str, String> {
    let parts: Vec<&str> = path.split('/').collect();
    if path.is_empty() || path.starts_with('/') || parts.contains(&"..") || path.contains('\0') {
        return Err("Expected a path inside of your working directory, such as src/main.rs.".to_owned());
    }
    Ok(path)
}

/// A path of a file that is the project's, and not of what git keeps beside it: programs run what stands there.
fn file(path: &str) -> Result<&str, String> {
    let path = inside(path)?;
    if path.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err("What is in .git is not to be touched.".to_owned());
    }
    Ok(path)
}

/// Lines, and the word that there are more.
fn bounded(text: &str, most: usize, none: &str) -> String {
    if text.is_empty() {
        return none.to_owned();
    }
    let lines: Vec<&str> = text.lines().take(most).collect();
    let more = if text.lines().count() > most { "\n[… there are more]" } else { "" };
    format!("{}{more}", lines.join("\n"))
}

/// Lines with their numbers. `count` are the line ends of the whole file.
fn numbered(text: &str, from: u64, count: u64) -> String {
    let shown: Vec<String> = (from..).zip(text.lines()).map(|(number, line)| format!("{number:>6}\t{line}")).collect();
    if shown.is_empty() {
        return format!("There is nothing from line {from} on; the file has {count} lines.");
    }
    let last = from + shown.len() as u64 - 1;
    let more = if last < count { format!("\n[… {count} lines in all]") } else { String::new() };
    format!("{}{more}", shown.join("\n"))
}

/// The text with one place replaced, and the line of that place; `None` where that was done before.
fn replaced(text: &str, find: &str, replace: &str) -> Result<Option<(String, usize)>, String> {
    match text.match_indices(find).map(|(at, _)| at).collect::<Vec<_>>()[..] {
        [at] => {
            let line = text[..at].matches('\n').count() + 1;
            Ok(Some((format!("{}{replace}{}", &text[..at], &text[at + find.len()..]), line)))
        }
        [] if !replace.is_empty() && text.contains(replace) => Ok(None),
        [] => Err("That text is not in the file. Read it again, and copy it as it stands.".to_owned()),
        ref many => Err(format!("That text is in the file {} times: take more of what is around it.", many.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_and_out_of_what_git_keeps() {
        for (path, fits) in [
            ("a", true),
            ("a/b.rs", true),
            ("./a", true),
            ("", false),
            ("/etc/passwd", false),
            ("a/../../b", false),
            ("..", false),
        ] {
            assert_eq!(inside(path).is_ok(), fits, "{path}");
        }
        for path in [".git/config", "a/.git/hooks/pre-commit", ".GIT/config"] {
            assert!(file(path).is_err(), "{path}");
        }
        assert!(file(".gitignore").is_ok());
    }

    #[test]
    fn a_place_is_replaced_where_it_is_the_only_one() {
        assert_eq!(replaced("a\nb\nc", "b", "x\ny"), Ok(Some(("a\nx\ny\nc".to_owned(), 2))));
        assert!(replaced("a\nb\nb", "b", "x").is_err_and(|why| why.contains("2 times")));
        assert!(replaced("a", "b", "x").is_err());
        assert_eq!(replaced("a\nx\nc", "b", "x"), Ok(None), "it was done before the server ended");
        assert_eq!(replaced("ab", "b", ""), Ok(Some(("a".to_owned(), 1))));
    }

    #[test]
    fn lines_have_numbers_and_one_is_told_that_there_are_more() {
        assert_eq!(numbered("a\nb\n", 3, 9), "     3\ta\n     4\tb\n[… 9 lines in all]");
        assert_eq!(numbered("a", 1, 0), "     1\ta");
        assert!(numbered("", 50, 9).contains("9 lines"));
        assert_eq!(bounded("a\nb\nc\n", 2, "-"), "a\nb\n[… there are more]");
        assert_eq!(bounded("", 2, "-"), "-");
    }
}
