//! Which folders of the server a step may read and work in.
//!
//! The setting `allow_paths` names them; unset it means any on a loopback server, where who draws workflows owns the
//! machine, and none on a public one. Weft's own data folder is never among them: it holds keys and other people's work.

use std::path::{Path, PathBuf};

use crate::model::workflow::StepError;
use crate::runtime::Config;
use crate::runtime::keys::holds_keys;

/// The real path of a folder that a step names, after the policy.
///
/// # Errors
/// `not_found` when there is no such folder, `refused` when the policy forbids it; the sentence says which setting to change.
pub fn open(config: &Config, field: &str, path: &str) -> Result<PathBuf, StepError> {
    if path.trim().is_empty() {
        return Err(StepError::permanent("config", format!("{field}: expected a folder, found nothing")));
    }
    let real = Path::new(path)
        .canonicalize()
        .map_err(|error| StepError::permanent("not_found", format!("{field}: {path} can't be opened: {error}")))?;
    if !real.is_dir() {
        return Err(StepError::permanent("not_found", format!("{field}: {path} is not a folder")));
    }
    if is_allowed(config, &real) {
        Ok(real)
    } else {
        Err(StepError::permanent(
            "refused",
            format!("{field}: steps may not work in {path}; an administrator can add the folder to allow_paths"),
        ))
    }
}

/// The real path of a file that a step names, after the same policy.
///
/// # Errors
/// As [`open`].
pub fn open_file(config: &Config, field: &str, path: &str) -> Result<PathBuf, StepError> {
    let real = Path::new(path)
        .canonicalize()
        .map_err(|error| StepError::permanent("not_found", format!("{field}: {path} can't be opened: {error}")))?;
    if !real.is_file() {
        return Err(StepError::permanent("not_found", format!("{field}: {path} is not a file")));
    }
    if is_allowed(config, &real) {
        Ok(real)
    } else {
        Err(StepError::permanent(
            "refused",
            format!("{field}: steps may not read {path}; an administrator can add its folder to allow_paths"),
        ))
    }
}

/// Whether the policy lets steps into a real path. A folder *around* the data folder is fine to name: its walls hide
/// what is inside from commands, and code analysis skips what is not the project's.
fn is_allowed(config: &Config, real: &Path) -> bool {
    let data = config.data_dir.canonicalize().ok();
    if data.is_some_and(|data| real.starts_with(data)) || holds_keys(&config.master_key_file, real) {
        return false;
    }
    match &config.allow_paths {
        None => true,
        Some(allowed) => {
            allowed.iter().filter_map(|path| path.canonicalize().ok()).any(|allowed| real.starts_with(allowed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(data: &Path, allowed: Option<Vec<PathBuf>>) -> Config {
        Config { allow_paths: allowed, ..Config::isolated(data) }
    }

    #[test]
    fn the_data_folder_is_refused_whatever_is_allowed() {
        let data = tempfile::tempdir().expect("a folder");
        let inside = data.path().join("work");
        std::fs::create_dir(&inside).expect("a folder");
        let config = config(data.path(), Some(vec![PathBuf::from("/")]));
        let error = open(&config, "path", &inside.display().to_string()).expect_err("refused");
        assert_eq!(error.class, "refused");
    }

    #[test]
    fn the_master_key_is_refused_wherever_it_stands() {
        let (data, elsewhere) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let (key, notes) = (elsewhere.path().join("the.key"), elsewhere.path().join("notes.txt"));
        std::fs::write(&key, "key").expect("written");
        std::fs::write(&notes, "notes").expect("written");
        let config = Config { master_key_file: key.clone(), ..config(data.path(), Some(vec![PathBuf::from("/")])) };
        assert!(open_file(&config, "file", &notes.display().to_string()).is_ok());
        assert_eq!(open_file(&config, "file", &key.display().to_string()).expect_err("refused").class, "refused");
    }

    #[test]
    fn a_link_is_judged_by_where_it_leads() {
        let (data, allowed, other) = (tempfile::tempdir(), tempfile::tempdir(), tempfile::tempdir());
        let (data, allowed, other) = (data.expect("a"), allowed.expect("b"), other.expect("c"));
        let link = allowed.path().join("link");
        std::os::unix::fs::symlink(other.path(), &link).expect("a link");
        let config = config(data.path(), Some(vec![allowed.path().to_owned()]));
        assert!(open(&config, "path", &allowed.path().display().to_string()).is_ok());
        assert_eq!(open(&config, "path", &link.display().to_string()).expect_err("refused").class, "refused");
    }
}
