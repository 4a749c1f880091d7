//! The known tokens of a model, from its `tokenizer.json` or its `vocab.txt`.

use std::collections::HashMap;

use serde::Deserialize;

use super::folder::{Folder, Unfit};
use super::words::{LONGEST_WORD, Words};

const WHOLE: &str = "tokenizer.json";
const LIST: &str = "vocab.txt";
const SETTINGS: &str = "tokenizer_config.json";
/// The longest of these files, in bytes: half a megabyte for 30,000 tokens.
const MOST_BYTES: u64 = 16 << 20;
/// The longest token, in bytes.
const MOST_TOKEN: usize = 400;

#[derive(Deserialize)]
struct Tokenizer {
    normalizer: Normalizer,
    #[serde(rename = "pre_tokenizer")]
    words: Kind,
    model: Pieces,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "yes")]
    clean_text: bool,
    #[serde(default = "yes")]
    handle_chinese_chars: bool,
    strip_accents: Option<bool>,
    #[serde(default = "yes")]
    lowercase: bool,
}

#[derive(Deserialize)]
struct Pieces {
    /// Absent in the files of older programs.
    #[serde(rename = "type", default = "word_piece")]
    kind: String,
    #[serde(default = "hashes")]
    continuing_subword_prefix: String,
    #[serde(default = "hundred")]
    max_input_chars_per_word: usize,
    vocab: HashMap<String, u32>,
}

/// What stands beside a `vocab.txt`.
#[derive(Deserialize)]
struct Settings {
    #[serde(default = "yes")]
    do_lower_case: bool,
    strip_accents: Option<bool>,
    #[serde(default = "yes")]
    tokenize_chinese_chars: bool,
}

const fn yes() -> bool {
    true
}

fn word_piece() -> String {
    "WordPiece".to_owned()
}

fn hashes() -> String {
    "##".to_owned()
}

const fn hundred() -> usize {
    LONGEST_WORD
}

/// Reads what turns texts into tokens; `rows` are those of the model's table.
pub(super) fn read(folder: &Folder, rows: usize) -> Result<Words, Unfit> {
    if let Some(whole) = folder.json::<Tokenizer>(WHOLE, MOST_BYTES)? {
        return of_tokenizer(whole, rows);
    }
    let list = folder.text(LIST, MOST_BYTES)?;
    let list = list.ok_or_else(|| Unfit::new(WHOLE, format!("is missing, and so is {LIST}")))?;
    let settings = folder.json::<Settings>(SETTINGS, MOST_BYTES)?;
    let settings =
        settings.unwrap_or(Settings { do_lower_case: true, strip_accents: None, tokenize_chinese_chars: true });
    let known = list.lines().zip(0..).map(|(token, at)| (token.to_owned(), at)).collect();
    let lower = settings.do_lower_case;
    words(LIST, known, rows, [lower, settings.strip_accents.unwrap_or(lower), settings.tokenize_chinese_chars])
}

fn of_tokenizer(whole: Tokenizer, rows: usize) -> Result<Words, Unfit> {
    let Tokenizer { normalizer, words: cut, model } = whole;
    let kinds = [
        ("model", model.kind.as_str(), "WordPiece"),
        ("normalizer", normalizer.kind.as_str(), "BertNormalizer"),
        ("pre_tokenizer", cut.kind.as_str(), "BertPreTokenizer"),
        ("model.continuing_subword_prefix", model.continuing_subword_prefix.as_str(), "##"),
    ];
    for (name, found, expected) in kinds {
        if found != expected {
            return Err(Unfit::new(WHOLE, format!("{name}: expected {expected}, found {found:?}")));
        }
    }
    if model.max_input_chars_per_word != LONGEST_WORD || !normalizer.clean_text {
        let message = format!("expected max_input_chars_per_word of {LONGEST_WORD}, and clean_text");
        return Err(Unfit::new(WHOLE, message));
    }
    let plain = normalizer.strip_accents.unwrap_or(normalizer.lowercase);
    words(WHOLE, model.vocab, rows, [normalizer.lowercase, plain, normalizer.handle_chinese_chars])
}

fn words(
    file: &str,
    known: HashMap<String, u32>,
    rows: usize,
    [lower, plain, apart]: [bool; 3],
) -> Result<Words, Unfit> {
    if let Some(long) = known.keys().find(|token| token.len() > MOST_TOKEN) {
        return Err(Unfit::new(file, format!("expected tokens of at most {MOST_TOKEN} bytes, found {}", long.len())));
    }
    if let Some(most) = known.values().max().filter(|most| **most as usize >= rows) {
        let message = format!("expected tokens numbered below {rows}, the vocab_size of config.json, found {most}");
        return Err(Unfit::new(file, message));
    }
    let named = |name: &str| {
        let missing = || Unfit::new(file, format!("expected a token {name}"));
        known.get(name).copied().ok_or_else(missing)
    };
    let (begin, end, unknown) = (named("[CLS]")?, named("[SEP]")?, named("[UNK]")?);
    Ok(Words { known, begin, end, unknown, lower, plain, apart })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_files(files: &[(&str, String)], rows: usize) -> Result<Words, String> {
        let shelf = tempfile::tempdir().unwrap();
        std::fs::create_dir(shelf.path().join("m")).unwrap();
        for (name, content) in files {
            std::fs::write(shelf.path().join("m").join(name), content).unwrap();
        }
        read(&Folder::open(shelf.path(), "m").unwrap(), rows).map_err(|unfit| unfit.to_string())
    }

    #[test]
    fn either_file_tells_the_same() {
        let list = "[UNK]\n[CLS]\n[SEP]\nloom\n".to_owned();
        let vocab = json!({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "loom": 3});
        let whole = json!({
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
        });
        let one = read_files(&[(LIST, list.clone())], 4).unwrap();
        let other = read_files(&[(WHOLE, whole.to_string())], 4).unwrap();
        assert_eq!(one.tokens("A LOOM", 8), other.tokens("A LOOM", 8));
        assert_eq!(one.tokens("A LOOM", 8), [1, 0, 3, 2]);
        let cased = (SETTINGS, json!({"do_lower_case": false}).to_string());
        assert_eq!(read_files(&[(LIST, list.clone()), cased], 4).unwrap().tokens("LOOM loom", 8), [1, 0, 3, 2]);

        assert!(read_files(&[(LIST, list)], 3).unwrap_err().contains("vocab.txt: expected tokens numbered below 3"));
        assert!(read_files(&[(LIST, "loom".to_owned())], 9).unwrap_err().contains("expected a token [CLS]"));
        assert_eq!(read_files(&[], 9).unwrap_err(), "tokenizer.json: is missing, and so is vocab.txt");
        let mut other = whole.clone();
        other["model"]["type"] = json!("Unigram");
        let why = read_files(&[(WHOLE, other.to_string())], 4).unwrap_err();
        assert_eq!(why, "tokenizer.json: model: expected WordPiece, found \"Unigram\"");
        assert!(read_files(&[(LIST, format!("{}\n", "x".repeat(401)))], 9).unwrap_err().contains("at most 400 bytes"));
    }
}
