//! Files of the folder that an agent works in. Each act is a command in the sandbox, whose walls hold whatever links lead where.

use serde_json::Value;

use super::seen::{self, Conflict, Now, judge};
use super::work::{Call, Work};
use super::{leases, merge, place};
use crate::model::agent::{AgentTool, OnConflict, SeenFile};
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
/// The exit code by which a script says that there is no such file.
const MISSING: i32 = 6;

/// Before each script, in its one line so that the numbers in what it complains about stay: `$1`, whatever links are on the way there,
/// lies in the working directory and not in what git keeps beside it. The walls hold in any case; this keeps a link of a stranger's
/// repository from being a way around the refusals above them.
pub const GUARD: &str = "top=$(pwd -P); at=$1; \
    until [ -e \"$at\" ] || [ -L \"$at\" ]; do case \"$at\" in */*) at=${at%/*};; *) at=.;; esac; done; \
    real=$(readlink -f -- \"$at\") || { echo \"$1 is a link that leads nowhere.\" >&2; exit 1; }; \
    case \"$real/\" in \"$top\"/*) ;; *) echo \"$1 leads out of your working directory.\" >&2; exit 1;; esac; \
    case \"${real#\"$top\"}/\" in */.git/*) echo 'What is in .git is not to be touched.' >&2; exit 1;; esac; ";
const LIST: &str =
    r#"cd -- "$1" && find . -name .git -prune -o -type f -print | sed 's|^\./||' | LC_ALL=C sort | head -n 1001"#;
const READ: &str = r#"wc -l < "$1" && exec sed -n "$2,$3p" -- "$1""#;
const SEARCH: &str = r#"grep -rnIE --exclude-dir=.git -e "$2" -- "$1" | cut -c 1-400 | head -n 201"#;
const WRITE: &str = r#"mkdir -p -- "$(dirname -- "$1")" && exec cat > "$1""#;
const WHOLE: &str = r#"[ -e "$1" ] || exit 6; [ "$(wc -c < "$1")" -le 524288 ] || exit 5; exec cat -- "$1""#;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// It is done: what the model is told, and the file as it is now, where others reach it too.
    Done(String, Option<SeenFile>),
    /// It is not done: somebody else changed the file since, and a person is to be asked.
    Conflict(SeenFile),
}

impl From<String> for Filed {
    fn from(told: String) -> Self {
        Self::Done(told, None)
    }
}

/// Does a call of one of the tools that are about files.
///
/// # Errors
/// In words for the model.
pub async fn act(step: &StepCall, work: &Work, call: &Call, tool: AgentTool) -> Result<Filed, String> {
    let folder = Folder { step, work, call, path: place::open(step, work).await? };
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| call.arguments.get(name).and_then(Value::as_u64);
    let done = match tool {
        AgentTool::ListFiles => folder.list(text("folder")).await.map(Filed::from),
        AgentTool::ReadFile => {
            folder.read(text("path"), number("from_line").unwrap_or(1), number("lines").unwrap_or(LINES)).await
        }
        AgentTool::SearchFiles => folder.search(text("pattern"), text("folder")).await.map(Filed::from),
        AgentTool::WriteFile => folder.write(text("path"), text("content")).await,
        AgentTool::EditFile => folder.edit(text("path"), text("find"), text("replace")).await,
        _ => Err("There is no such tool.".to_owned()),
    };
    let note = if folder.path.is_anew { ANEW } else { "" };
    match done {
        Ok(Filed::Done(done, seen)) => Ok(Filed::Done(format!("{note}{done}"), seen)),
        Ok(conflict) => Ok(conflict),
        Err(error) => Err(format!("{note}{error}")),
    }
}

/// What the model is told first where its folder was lost.
pub const ANEW: &str = "Note: your working directory was lost, because the work goes on on another machine or somebody removed it. It \
                        was made anew, without what you had done in it.\n\n";

struct Folder<'a> {
    step: &'a StepCall,
    work: &'a Work,
    call: &'a Call,
    path: place::Place,
}

impl Folder<'_> {
    async fn run(&self, script: &str, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<place::Said, String> {
        let script = format!("{GUARD}{script}");
        let said = place::run(self.step, &self.path.path, &script, arguments, stdin, &[]).await?;
        match said.code {
            0 => Ok(said),
            _ if !said.complaint.is_empty() => Err(said.complaint.replace("sh: 1: ", "")),
            code => Err(format!("This ended with code {code}.")),
        }
    }

    async fn list(&self, folder: &str) -> Result<String, String> {
        let said = self.run(LIST, &[inside(or_here(folder))?], None).await?;
        Ok(bounded(&said.stdout, MAX_FILES, "There are no files."))
    }

    /// The whole of a file as it is now.
    async fn now(&self, path: &str) -> Result<Now, String> {
        let script = format!("{GUARD}{WHOLE}");
        let said = place::run(self.step, &self.path.path, &script, &[file(path)?], None, &[]).await?;
        match said.code {
            0 => Ok(Now::Text(said.stdout)),
            TOO_LARGE => Ok(Now::TooLarge),
            MISSING => Ok(Now::Missing),
            _ if !said.complaint.is_empty() => Err(said.complaint.replace("sh: 1: ", "")),
            code => Err(format!("This ended with code {code}.")),
        }
    }

    async fn read(&self, path: &str, from: u64, lines: u64) -> Result<Filed, String> {
        if leases::has_shared_folder(self.work)
            && let Now::Text(text) = self.now(path).await?
        {
            let first = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
            let many = usize::try_from(lines).unwrap_or(usize::MAX);
            let wanted: Vec<&str> = text.lines().skip(first).take(many).collect();
            let told = numbered(&wanted.join("\n"), from, text.matches('\n').count() as u64);
            return Ok(Filed::Done(told, Some(seen::keep(self.step, self.work, path, &text).await)));
        }
        let to = from.saturating_add(lines.max(1) - 1);
        let (first, last) = (from.to_string(), to.to_string());
        let said = self.run(READ, &[file(path)?, &first, &last], None).await?;
        let (count, text) = said.stdout.split_once('\n').unwrap_or((&said.stdout, ""));
        Ok(numbered(text, from, count.trim().parse().unwrap_or(0)).into())
    }

    async fn search(&self, pattern: &str, folder: &str) -> Result<String, String> {
        let said = self.run(SEARCH, &[inside(or_here(folder))?, pattern], None).await?;
        if said.stdout.is_empty() && !said.complaint.is_empty() {
            return Err(said.complaint);
        }
        Ok(bounded(&said.stdout, MAX_LINES, "Nothing was found."))
    }

    async fn write(&self, path: &str, content: &str) -> Result<Filed, String> {
        let size = |text: &str| format!("{path} has {} bytes now.", text.len());
        if !leases::has_shared_folder(self.work) {
            self.put(path, content).await?;
            return Ok(size(content).into());
        }
        let now = self.now(path).await?;
        let Some(conflict) = judge(self.work, self.call, path, &now) else {
            return Ok(Filed::Done(size(content), Some(self.put(path, content).await?)));
        };
        match (self.work.spec.on_conflict, &now) {
            (OnConflict::Ask, _) => Ok(Filed::Conflict(conflict.now)),
            (OnConflict::Merge, Now::Text(theirs)) => {
                let base = seen::find(self.step, path, &conflict.seen).await;
                let merged = base.and_then(|base| merge::merge(&base, content, theirs));
                let merged =
                    merged.ok_or_else(|| format!("{} The two changes can't be put together.", conflict.words()))?;
                let seen = self.put(path, &merged).await?;
                let told = "Somebody else had changed it since you read it; both changes are in it now. Read it again before you go on.";
                Ok(Filed::Done(format!("{} {told}", size(&merged)), Some(seen)))
            }
            _ => Err(conflict.words()),
        }
    }

    async fn edit(&self, path: &str, find: &str, replace: &str) -> Result<Filed, String> {
        let now = self.now(path).await?;
        let before = match &now {
            Now::Text(text) => text,
            Now::TooLarge => {
                return Err(format!("The file is larger than {MAX_EDITED} bytes: change it with a script."));
            }
            Now::Missing => return Err(format!("There is no file {path}.")),
        };
        let is_shared = leases::has_shared_folder(self.work);
        let conflict: Option<Conflict> = judge(self.work, self.call, path, &now).filter(|_| is_shared);
        match (conflict, self.work.spec.on_conflict) {
            (Some(conflict), OnConflict::Ask) => return Ok(Filed::Conflict(conflict.now)),
            (Some(conflict), OnConflict::Retry) => return Err(conflict.words()),
            // The text that is replaced is still there, once: what others changed stays.
            (Some(_), OnConflict::Merge) | (None, _) => {}
        }
        let Some((after, line)) = replaced(before, find, replace)? else {
            return Ok("What you want there is there already; nothing was changed.".to_owned().into());
        };
        let seen = self.put(path, &after).await?;
        Ok(Filed::Done(format!("{path} was changed from line {line} on."), is_shared.then_some(seen)))
    }

    /// Writes a file; what it is since.
    async fn put(&self, path: &str, content: &str) -> Result<SeenFile, String> {
        self.run(WRITE, &[file(path)?], Some(content.as_bytes().to_vec())).await?;
        Ok(seen::keep(self.step, self.work, path, content).await)
    }
}

pub fn or_here(folder: &str) -> &str {
    if folder.trim().is_empty() { "." } else { folder }
}

/// A path that stays inside.
pub fn inside(path: &str) -> Result<&str, String> {
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
