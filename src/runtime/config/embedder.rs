//! The setting `embedder`: what makes vectors of memory where nobody has said.

use std::path::{Path, PathBuf};

use super::{Setting, setting};
use crate::model::memory::LOCAL_MODELS;

/// Its row in the table of settings.
pub(super) const SETTING: Setting = setting(
    "embedder",
    "WEFT_EMBEDDER",
    "none",
    "what makes vectors of memory in workspaces that have not chosen: none, local:DIR, openai:MODEL or ollama:MODEL",
);

/// Reads the setting: the folder of models of this machine, and the model's name as a workspace would choose it. `given` is the folder
/// that the settings name, `usual` the one that holds otherwise.
///
/// # Errors
/// What was expected, in words.
pub(super) fn read(
    text: &str,
    given: Option<PathBuf>,
    usual: PathBuf,
) -> Result<(PathBuf, Option<String>), &'static str> {
    const EXPECTED: &str = "none, local:DIR, openai:MODEL or ollama:MODEL";
    let folder = given.clone().unwrap_or(usual);
    if matches!(text, "" | "none") {
        return Ok((folder, None));
    }
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or(EXPECTED)?;
    match kind {
        // As the models of a provider of that name are called.
        "openai" | "ollama" => Ok((folder, Some(format!("{kind}/{name}")))),
        "local" => {
            let path = Path::new(name);
            let own = path.file_name().and_then(|own| own.to_str()).ok_or("local: and the folder of a model")?;
            let model = Some(format!("{LOCAL_MODELS}{own}"));
            match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                None => Ok((folder, model)),
                Some(parent) if given.as_ref().is_none_or(|given| given == parent) => Ok((parent.to_owned(), model)),
                Some(_) => Err("local: and a folder in that of the setting embedders"),
            }
        }
        _ => Err(EXPECTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_as_a_workspace_would_choose_it() {
        let usual = || PathBuf::from("data/embedders");
        let read = |text: &str, given: Option<&str>| read(text, given.map(PathBuf::from), usual());
        let of = |folder: &str, model: Option<&str>| Ok((PathBuf::from(folder), model.map(str::to_owned)));
        assert_eq!(read("none", None), of("data/embedders", None));
        assert_eq!(
            read("openai:text-embedding-3-small", None),
            of("data/embedders", Some("openai/text-embedding-3-small"))
        );
        assert_eq!(read("ollama:nomic:v1", Some("m")), of("m", Some("ollama/nomic:v1")));
        assert_eq!(read("local:mini", None), of("data/embedders", Some("local/mini")));
        assert_eq!(read("local:/models/mini", None), of("/models", Some("local/mini")));
        assert_eq!(read("local:/models/mini", Some("/models")), of("/models", Some("local/mini")));
        for wrong in ["mini", "local:", "cloud:x", "local:/"] {
            assert!(read(wrong, None).is_err(), "{wrong}");
        }
        assert!(read("local:/models/mini", Some("/other")).is_err());
    }
}
