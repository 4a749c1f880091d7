//! An agent's own copy of a repository: made when it begins to work, shown as a diff, and published as a branch.
//!
//! Two folders stand beside each other in the work's own: `tree`, in which the agent may do what it likes, its `.git` included;
//! and `kept.git`, which it can't reach. What it changed is committed in `tree` with no more rights than the agent has, and
//! handed over as a bundle, a file that holds commits and nothing that could be run. What people are shown and what is
//! published is what `kept.git` holds then: nothing in `tree` can make the two differ.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::{ANEW, inside, or_here};
use super::place::{self, Said};
use super::work::{Call, Work};
use crate::model::agent::Changes;
use crate::model::invisible::visible;
use crate::workflow::steps::{StepCall, folder};

/// The folder that the agent works in, inside of the work's own.
pub const TREE: &str = "tree";
/// The largest bundle that is published, in bytes.
const MAX_BUNDLE: u64 = 256 * 1024 * 1024;
/// The exit code by which a script says that nothing was changed.
const NOTHING: i32 = 3;
/// The exit code by which a script says that what was agreed to is not there.
const LOST: i32 = 4;
/// What was shown last.
const PROPOSED: &str = "refs/weft/proposed";

/// What git is told before each script: only what stands here counts, and whose a folder is does not.
const PRELUDE: &str = r#"set -eu
command -v git > /dev/null || { echo 'git is not installed on the server' >&2; exit 127; }
printf '[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n[gc]\n\tauto = 0\n' > "$TMPDIR/gitconfig"
export GIT_CONFIG_GLOBAL="$TMPDIR/gitconfig" GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C
"#;
/// In the work's own folder: $1 is the repository.
const COPY: &str = r#"rm -rf kept.new tree.new tree kept.git
git clone -q --bare --no-hardlinks -- "$1" kept.new
git -C kept.new rev-parse -q --verify HEAD > /dev/null || { echo 'the repository has no commit yet' >&2; exit 1; }
git -C kept.new update-ref refs/weft/base HEAD
git clone -q --no-hardlinks kept.new tree.new
git -C tree.new remote remove origin
mv kept.new kept.git
mv tree.new tree
"#;
/// In the tree: $1 is the agent's name, $2 the commit that it began with; the message is read.
const COMMIT: &str = r#"export GIT_AUTHOR_NAME="$1" GIT_COMMITTER_NAME="$1" GIT_AUTHOR_EMAIL=agent@weft.invalid GIT_COMMITTER_EMAIL=agent@weft.invalid
git add -A
git diff --cached --quiet HEAD || git commit -q --no-verify --no-gpg-sign -F -
[ "$(git rev-parse HEAD)" != "$2" ] || exit 3
rm -rf .git/weft.bundle
git bundle create -q .git/weft.bundle HEAD "^$2" 2> "$TMPDIR/why" || { grep -q 'empty bundle' "$TMPDIR/why" && exit 3; cat "$TMPDIR/why" >&2; exit 1; }
"#;
/// In the tree: $1 is a commit, $2 a path. What is new is told to the index, so that it is in the diff.
const SHOW: &str = r#"export GIT_LITERAL_PATHSPECS=1
git add -A -N
git --no-pager diff --no-ext-diff --no-textconv --no-color -M --stat=100 "$1" -- "$2"
git --no-pager diff --no-ext-diff --no-textconv --no-color -M "$1" -- "$2"
"#;
/// In the tree: $1 is the agent's name; the message is read.
const KEEP: &str = r#"export GIT_AUTHOR_NAME="$1" GIT_COMMITTER_NAME="$1" GIT_AUTHOR_EMAIL=agent@weft.invalid GIT_COMMITTER_EMAIL=agent@weft.invalid
git add -A
if git diff --cached --quiet HEAD; then git --no-pager log -1 --format='Nothing has changed since the last commit, %h: %s'; exit 0; fi
git commit -q --no-verify --no-gpg-sign -F -
git --no-pager show --no-ext-diff --no-textconv --no-color --stat=100 --format='Committed as %h: %s' HEAD
"#;
/// In the work's own folder: $1 is where it is noted.
const TAKE: &str = r#"bundle=tree/.git/weft.bundle
[ -f "$bundle" ] && [ ! -L tree/.git ] && [ ! -L "$bundle" ]
cat "$bundle" > in.bundle
git -C kept.git -c transfer.fsckObjects=true fetch -q --no-tags --no-write-fetch-head ../in.bundle "+HEAD:refs/weft/proposed"
rm -f in.bundle
git -C kept.git update-ref "$1" refs/weft/proposed
"#;
/// In the work's own folder: what differs.
const BASE: &str = "git -C kept.git rev-parse refs/weft/base\n";
const HEAD: &str = "git -C kept.git rev-parse refs/weft/proposed\n";
const NUMSTAT: &str =
    "git -C kept.git diff --no-ext-diff --no-textconv -M --numstat refs/weft/base refs/weft/proposed\n";
const DIFF: &str = "git -C kept.git diff --no-ext-diff --no-textconv --no-color -M refs/weft/base refs/weft/proposed\n";
/// In the work's own folder: $1 is what is published.
const PACK: &str = r#"git -C kept.git rev-parse -q --verify "$1" || exit 4
git -C kept.git bundle create -q ../out.bundle "$1" ^refs/weft/base
"#;
/// In the repository: $1 is what is published, $2 the branch; the bundle is read.
const PUBLISH: &str = r#"cat > "$TMPDIR/in.bundle"
git -c core.hooksPath=/dev/null fetch -q --no-tags --no-write-fetch-head "$TMPDIR/in.bundle" "$1:refs/heads/$2"
"#;

/// Makes the two copies.
///
/// # Errors
/// In words for the model.
pub async fn copy(step: &StepCall, work: &Work, own: &Path) -> Result<(), String> {
    let source = source(step, work)?;
    let name = source.display().to_string();
    let said = run(step, own, COPY, &[&name], None, &[source]).await?;
    done(&said).map(drop).map_err(|why| format!("The repository could not be copied: {why}"))
}

/// What was changed in the copy, as the model is shown it: since the work began, or since its last commit.
///
/// # Errors
/// In words for the model.
pub async fn show(step: &StepCall, work: &Work, call: &Call) -> Result<String, String> {
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let path = inside(or_here(text("path")))?;
    let place = place::open(step, work).await?;
    let own = place::real(place::own_folder(step));
    let since = match text("since") {
        "last_commit" => "HEAD".to_owned(),
        _ => done(&run(step, &own, BASE, &[], None, &[]).await?)?,
    };
    let said = run(step, &place.path, SHOW, &[since.as_str(), path], None, &[]).await?;
    let diff = done(&said)?;
    let note = if place.is_anew { ANEW } else { "" };
    if diff.is_empty() { Ok(format!("{note}Nothing was changed.")) } else { Ok(format!("{note}{}", visible(&diff))) }
}

/// Commits what was changed in the copy. Done twice, the second finds nothing to commit and says so.
///
/// # Errors
/// In words for the model.
pub async fn commit(step: &StepCall, work: &Work, call: &Call) -> Result<String, String> {
    let message = call.arguments.get("message").and_then(Value::as_str).unwrap_or_default();
    let place = place::open(step, work).await?;
    let said = run(step, &place.path, KEEP, &[&work.name], Some(message.as_bytes().to_vec()), &[]).await?;
    let told = done(&said)?;
    let note = if place.is_anew { ANEW } else { "" };
    Ok(format!("{note}{}", visible(&told)))
}

/// Commits what was changed, and shows it. `None`: nothing was.
///
/// # Errors
/// In words for the model.
pub async fn propose(
    step: &StepCall,
    work: &Work,
    message: &str,
    call: Option<&Call>,
) -> Result<Option<Changes>, String> {
    let own = place::real(place::own_folder(step));
    let tree = own.join(TREE);
    if !tree.is_dir() {
        return Ok(None);
    }
    let ours = async |script: &str, arguments: &[&str]| run(step, &own, script, arguments, None, &[]).await;
    let base = done(&ours(BASE, &[]).await?)?;
    let said = run(step, &tree, COMMIT, &[&work.name, &base], Some(message.as_bytes().to_vec()), &[]).await?;
    if said.code == NOTHING {
        return Ok(None);
    }
    done(&said)?;
    let noted = call.map_or_else(|| PROPOSED.to_owned(), |call| noted(work, call));
    done(&ours(TAKE, &[&noted]).await?)?;
    let commit = done(&ours(HEAD, &[]).await?)?;
    let files = Changes::read_files(&done(&ours(NUMSTAT, &[]).await?)?);
    let said = ours(DIFF, &[]).await?;
    done(&said)?;
    let is_published = work.published.as_ref().is_some_and(|said| said.contains(&commit));
    let (diff, omitted) = (visible(&said.stdout), said.omitted);
    Ok(Some(Changes { branch: branch(step, work), is_published, base, commit, files, diff, omitted }))
}

/// Publishes what was agreed to, or what there is where nobody had to agree.
///
/// # Errors
/// In words for the model.
pub async fn publish(step: &StepCall, work: &Work, call: &Call) -> Result<String, String> {
    let message = call.arguments.get("message").and_then(Value::as_str).unwrap_or_default();
    let own = place::real(place::own_folder(step));
    let source = source(step, work)?;
    if !call.has_consent && propose(step, work, message, Some(call)).await?.is_none() {
        return Err(NOTHING_CHANGED.to_owned());
    }
    let what = noted(work, call);
    if !own.is_dir() {
        return Err(WAS_LOST.to_owned());
    }
    let said = run(step, &own, PACK, &[&what], None, &[]).await?;
    if said.code == LOST {
        return Err(WAS_LOST.to_owned());
    }
    let commit = done(&said)?;
    let bundle = read(step, own.join("out.bundle")).await?;
    let branch = branch(step, work);
    let said = run(step, &source, PUBLISH, &[&what, &branch], Some(bundle), &[]).await?;
    done(&said).map_err(|why| format!("The repository did not take it: {why}"))?;
    Ok(format!("Published as the branch {branch}, commit {commit}."))
}

/// What the model is told that has nothing to publish.
pub const NOTHING_CHANGED: &str = "Nothing was changed in the copy of the repository, so there is nothing to publish.";
const WAS_LOST: &str = "What was agreed to is no longer on this machine; nothing was published.";

/// The branch of a step's work: no other has it.
fn branch(step: &StepCall, work: &Work) -> String {
    format!("weft/{}-{}", work.name, &place::digest(step)[..8])
}

/// Where what a call proposed is noted, so that exactly this is published.
fn noted(work: &Work, call: &Call) -> String {
    let id = blake3::hash(format!("{}/{}", work.totals.turns, call.id).as_bytes()).to_hex();
    format!("refs/weft/call-{}", &id[..16])
}

/// The repository, after the policy about folders.
pub fn source(step: &StepCall, work: &Work) -> Result<PathBuf, String> {
    folder::open(&step.ctx.config, "repository", work.spec.repository.trim()).map_err(|error| error.message)
}

async fn run(
    step: &StepCall,
    path: &Path,
    script: &str,
    arguments: &[&str],
    stdin: Option<Vec<u8>>,
    readable: &[PathBuf],
) -> Result<Said, String> {
    place::run(step, path, &format!("{PRELUDE}{script}"), arguments, stdin, readable).await
}

/// What a command printed that ended well.
fn done(said: &Said) -> Result<String, String> {
    match said.code {
        0 => Ok(said.stdout.trim().to_owned()),
        _ if said.complaint.is_empty() => Err(format!("git ended with code {}", said.code)),
        _ => Err(said.complaint.clone()),
    }
}

async fn read(step: &StepCall, path: PathBuf) -> Result<Vec<u8>, String> {
    let read = move || match std::fs::metadata(&path) {
        Ok(file) if file.len() > MAX_BUNDLE => Err(format!("It is larger than {MAX_BUNDLE} bytes.")),
        Ok(_) => std::fs::read(&path).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    step.ctx.tasks.blocking(read).await.map_err(|_| "It could not be read.".to_owned())?
}
