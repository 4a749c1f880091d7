//! Source code of the folder that an agent works in: what it defines, and where a name is used. The files are listed and read by
//! commands in the sandbox, as by the tools for files; what they hold is parsed here, and never run.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::files::{ANEW, GUARD, inside, or_here};
use super::place::{self, Place};
use super::work::{Call, Work};
use crate::analysis::{self, Options, Symbol};
use crate::model::agent::AgentTool;
use crate::workflow::steps::StepCall;

/// Files that are looked at.
const MAX_FILES: usize = 400;
/// Places of a name that are told.
const MAX_PLACES: usize = 200;
/// Characters of an answer: what is longer would be cut in its middle.
const MAX_CHARS: usize = 15_000;
/// Commands that read files, at most: each reads up to 900,000 bytes.
const MAX_ROUNDS: usize = 8;

/// Names files of code, without those that are not the project's own. `$1` is a file or a folder.
const LIST: &str = r#"[ -e "$1" ] || { echo "There is no $1." >&2; exit 1; }; \
find "./$1" -type d \( -name .git -o -name node_modules -o -name target -o -name vendor -o -name dist -o -name __pycache__ -o -name .venv \) -prune \
-o -type f \( -name '*.rs' -o -name '*.py' -o -name '*.pyi' -o -name '*.pyw' -o -name '*.js' -o -name '*.mjs' -o -name '*.cjs' -o -name '*.jsx' \
-o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.tsx' -o -name '*.go' \) -size -1025 -print \
| sed 's|^\(\./\)*||' | LC_ALL=C sort | head -n 401"#;
/// The same, of those that hold the text `$2`.
const GREP: &str = r#"[ -e "$1" ] || { echo "There is no $1." >&2; exit 1; }; \
grep -rlIF --exclude-dir=.git --exclude-dir=node_modules --exclude-dir=target --exclude-dir=vendor --exclude-dir=dist \
--exclude-dir=__pycache__ --exclude-dir=.venv --include='*.rs' --include='*.py' --include='*.pyi' --include='*.pyw' --include='*.js' \
--include='*.mjs' --include='*.cjs' --include='*.jsx' --include='*.ts' --include='*.mts' --include='*.cts' --include='*.tsx' \
--include='*.go' -e "$2" -- "./$1" | sed 's|^\(\./\)*||' | LC_ALL=C sort | head -n 401"#;
/// Prints files, each behind a line of `$1` and its number, until it has printed enough. What is no plain file, or larger than 512 KiB,
/// is an empty one.
const READ: &str = r#"mark=$1; shift; left=900000; n=0; for f in "$@"; do size=0; \
if [ -f "./$f" ] && [ ! -L "./$f" ]; then size=$(wc -c < "./$f"); [ "$size" -le 524288 ] || size=0; fi; \
[ "$size" -le "$left" ] || exit 0; left=$((left - size)); printf '\n%s %s\n' "$mark" "$n"; \
[ "$size" -eq 0 ] || cat -- "./$f"; n=$((n + 1)); done"#;

/// Does a call of one of the tools that are about code.
///
/// # Errors
/// In words for the model.
pub async fn act(step: &StepCall, work: &Work, call: &Call, tool: AgentTool) -> Result<String, String> {
    let place = place::open(step, work).await?;
    let done = match tool {
        AgentTool::OutlineCode => outline(step, &place, call).await,
        AgentTool::AnalyzeCode => measure(step, &place, call).await,
        _ => find(step, &place, call).await,
    };
    let note = if place.is_anew { ANEW } else { "" };
    done.map(|done| format!("{note}{done}")).map_err(|why| format!("{note}{why}"))
}

fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

async fn outline(step: &StepCall, place: &Place, call: &Call) -> Result<String, String> {
    let files = list(step, place, LIST, &[inside(or_here(text(call, "path")))?]).await?;
    let told = each(step, place, &files, Outline::default(), Outline::add).await?;
    Ok(told.words(files.len()))
}

async fn find(step: &StepCall, place: &Place, call: &Call) -> Result<String, String> {
    let name = text(call, "name").to_owned();
    if !is_name(&name) {
        return Err("Expected one name as it stands in the code, such as parse_config.".to_owned());
    }
    let files = list(step, place, GREP, &[inside(or_here(text(call, "path")))?, &name]).await?;
    let told = each(step, place, &files, Found::default(), move |told, file, text| told.add(file, text, &name)).await?;
    Ok(told.words(files.len()))
}

/// Measures code as the step `analyze` does. What is read in the sandbox is laid out anew in a folder that nothing but the program
/// reaches: whatever stands in the agent's own, links too, leads the analysis nowhere.
async fn measure(step: &StepCall, place: &Place, call: &Call) -> Result<String, String> {
    let files = list(step, place, LIST, &[inside(or_here(text(call, "path")))?]).await?;
    let laid = Laid::new(place::fresh_folder(step));
    let laid = each(step, place, &files, laid, Laid::add).await?;
    let looked = laid.looked;
    let measured = step.ctx.tasks.blocking(move || laid.measure()).await;
    Ok(ended(measured.map_err(|_| "The code could not be measured.".to_owned())??, files.len(), looked))
}

/// Files that were read, laid out to be measured; gone once that is done.
#[derive(Debug)]
struct Laid {
    root: PathBuf,
    looked: usize,
    error: Option<std::io::Error>,
}

impl Laid {
    fn new(root: PathBuf) -> Self {
        Self { root, looked: 0, error: None }
    }

    fn add(&mut self, file: &str, text: &str) {
        self.looked += 1;
        let is_plain = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain || self.error.is_some() {
            return;
        }
        let path = self.root.join(file);
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
            std::fs::write(&path, text)
        };
        self.error = write().err();
    }

    fn measure(self) -> Result<String, String> {
        if let Some(error) = &self.error {
            return Err(format!("The code could not be laid out: {error}"));
        }
        if self.looked == 0 {
            return Ok("There are no files of code.".to_owned());
        }
        // The server's own folders may stand in a checkout whose rules leave them out.
        let options = Options { rules_around: false, ..Options::default() };
        let report = analysis::analyze(&self.root, &options, &|_| {}, &AtomicBool::new(false));
        report.map(|report| analysis::summary(&report)).map_err(|error| error.to_string())
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        // What can't be removed goes with the folders of the run.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// A name as programs have them: no sign that a command or a pattern could take for its own.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    name.chars().count() <= 200 && name.starts_with(|c: char| fits(c) && !c.is_numeric()) && name.chars().all(fits)
}

async fn list(step: &StepCall, place: &Place, script: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
    let said = place::run(step, &place.path, &format!("{GUARD}{}", one_line(script)), arguments, None, &[]).await?;
    if said.code != 0 {
        let why = said.complaint.replace("sh: 1: ", "");
        return Err(if why.is_empty() { format!("This ended with code {}.", said.code) } else { why });
    }
    Ok(said.stdout.lines().map(str::to_owned).collect())
}

/// Reads files, and shows each with its name to `told`, on a thread that may take its time.
async fn each<T: Send + 'static>(
    step: &StepCall,
    place: &Place,
    files: &[String],
    mut told: T,
    show: impl Fn(&mut T, &str, &str) + Clone + Send + 'static,
) -> Result<T, String> {
    // Nothing that a file holds can look like it.
    let mark = step.ctx.ids.fresh::<uuid::Uuid>().simple().to_string();
    let mut rest = &files[..files.len().min(MAX_FILES)];
    for _ in 0..MAX_ROUNDS {
        if rest.is_empty() {
            break;
        }
        let mut arguments = vec![mark.as_str()];
        arguments.extend(rest.iter().map(String::as_str));
        let said = place::run(step, &place.path, &one_line(READ), &arguments, None, &[]).await?;
        let begin = format!("\n{mark} ");
        let parts: Vec<String> = said
            .stdout
            .split(&begin)
            .skip(1)
            .map(|part| part.split_once('\n').unwrap_or_default().1.to_owned())
            .collect();
        let (read, left) = rest.split_at(parts.len().min(rest.len()));
        if read.is_empty() {
            return Err(format!("The files could not be read. {}", said.complaint));
        }
        let (read, show) = (read.to_vec(), show.clone());
        let parse = move || {
            read.iter().zip(&parts).for_each(|(file, text)| show(&mut told, file, text));
            told
        };
        told = step.ctx.tasks.blocking(parse).await.map_err(|_| "The code could not be read.".to_owned())?;
        rest = left;
    }
    Ok(told)
}

/// A script in one line, so that the numbers in what it complains about stay.
fn one_line(script: &str) -> String {
    script.replace("\\\n", "")
}

/// As many lines as there is room for, and whether that is all of them.
fn fit(lines: &[String], room: &mut usize) -> (String, bool) {
    let mut text = String::new();
    for line in lines {
        let length = line.chars().count() + 1;
        if length > *room {
            return (text, false);
        }
        *room -= length;
        text.push_str(line);
        text.push('\n');
    }
    (text, true)
}

/// The outlines of files, as far as there is room.
#[derive(Debug, Default)]
struct Outline {
    parts: Vec<Vec<String>>,
    looked: usize,
}

impl Outline {
    fn add(&mut self, file: &str, text: &str) {
        self.looked += 1;
        let symbols = analysis::outline(file, text).unwrap_or_default();
        if symbols.is_empty() {
            return;
        }
        let line = |symbol: &Symbol| {
            let indent = "  ".repeat(symbol.depth.min(8) as usize);
            format!("{:>6}-{:<6} {indent}{}", symbol.line, symbol.last, symbol.text)
        };
        self.parts.push(std::iter::once(file.to_owned()).chain(symbols.iter().map(line)).collect());
    }

    fn words(&self, files: usize) -> String {
        let mut told = String::new();
        let mut room = MAX_CHARS;
        for (at, part) in self.parts.iter().enumerate() {
            let (text, is_all) = fit(part, &mut room);
            told.push_str(&text);
            if !is_all {
                let more = self.parts.len() - at - 1;
                let _ =
                    writeln!(told, "[… and more of {}, and {more} files; name a smaller folder, or a file]", part[0]);
                break;
            }
        }
        if told.is_empty() {
            let _ = writeln!(told, "There are no functions or types; {} files of code were read.", self.looked);
        }
        ended(told, files, self.looked)
    }
}

/// Where a name stands.
#[derive(Debug, Default)]
struct Found {
    definitions: Vec<String>,
    uses: Vec<String>,
    is_cut: bool,
    looked: usize,
}

impl Found {
    fn add(&mut self, file: &str, text: &str, name: &str) {
        self.looked += 1;
        for place in analysis::find(file, text, name).unwrap_or_default() {
            let line = format!("{file}:{}: {}", place.line, place.text);
            let lines = if place.is_definition { &mut self.definitions } else { &mut self.uses };
            if lines.len() < MAX_PLACES {
                lines.push(line);
            } else {
                self.is_cut = true;
            }
        }
    }

    fn words(&self, files: usize) -> String {
        if self.definitions.is_empty() && self.uses.is_empty() {
            let told =
                format!("That name does not stand in the code; {} files that might have it were read.\n", self.looked);
            return ended(told, files, self.looked);
        }
        let mut room = MAX_CHARS;
        let mut told = String::new();
        let mut is_all = !self.is_cut;
        for (title, lines) in [("Defined", &self.definitions), ("Used", &self.uses)] {
            let (text, fits) = fit(lines, &mut room);
            is_all &= fits;
            let nowhere = if lines.is_empty() { "Nowhere that was read.\n" } else { "" };
            let _ = write!(told, "{title}:\n{text}{nowhere}");
        }
        if !is_all {
            told.push_str("[… there are more; name a smaller folder, or a file]\n");
        }
        ended(told, files, self.looked)
    }
}

fn ended(mut told: String, files: usize, looked: usize) -> String {
    if files > looked {
        told.push_str("[Not all files were read: name a smaller folder, or a file.]");
    }
    told.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_code() {
        for (name, fits) in [
            ("parse_config", true),
            ("$el", true),
            ("größe", true),
            ("", false),
            ("a.b", false),
            ("-e", false),
            ("1a", false),
        ] {
            assert_eq!(is_name(name), fits, "{name}");
        }
        assert!(!is_name(&"a".repeat(201)));
        assert!([LIST, GREP, READ].iter().all(|script| !one_line(script).contains('\n')));
    }

    #[test]
    fn an_outline_has_an_end_and_says_what_is_left_out() {
        let mut told = Outline::default();
        let code = (0..100).map(|n| format!("fn weave_the_whole_thing_{n}() {{}}\n")).collect::<Vec<_>>().concat();
        (0..10).for_each(|n| told.add(&format!("src/{n}.rs"), &code));
        let text = told.words(12);
        assert!(text.chars().count() < 16_000 && text.contains("files; name a smaller folder"), "{}", text.len());
        assert!(text.starts_with("src/0.rs\n     1-1      fn weave_the_whole_thing_0() {}\n"), "{text}");
        assert!(text.ends_with("[Not all files were read: name a smaller folder, or a file.]"));
        assert_eq!(Outline::default().words(0), "There are no functions or types; 0 files of code were read.");
    }

    #[test]
    fn what_is_measured_is_laid_out_inside_of_its_folder_and_gone_afterwards() {
        let root = std::env::temp_dir().join(format!("weft-laid-{}", std::process::id()));
        let mut laid = Laid::new(root.clone());
        laid.add("src/loom.py", "def weave(yarn):\n    if yarn:\n        return 1\n    return 0\n");
        laid.add("../outside.py", "x = 1\n");
        laid.add("/etc/outside.py", "x = 1\n");
        assert_eq!((laid.looked, root.join("src/loom.py").exists()), (3, true));
        assert!(!root.with_file_name("outside.py").exists(), "nothing beside the folder");
        let told = laid.measure().unwrap();
        assert!(told.contains("1 file with") && told.contains("1 function"), "{told}");
        assert!(!root.exists());
        assert_eq!(Laid::new(root).measure().unwrap(), "There are no files of code.");
    }

    #[test]
    fn where_a_name_is_defined_comes_first() {
        let mut told = Found::default();
        told.add("a.rs", "fn main() { weave(); }\n", "weave");
        told.add("b.rs", "fn weave() {}\n", "weave");
        assert_eq!(told.words(2), "Defined:\nb.rs:1: fn weave() {}\nUsed:\na.rs:1: fn main() { weave(); }");
        assert!(Found::default().words(0).starts_with("That name does not stand in the code"));
    }
}
