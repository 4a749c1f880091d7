//! What a model is by its `config.json` and the files of sentence-transformers beside it, within bounds.

use serde::Deserialize;

use super::folder::{Folder, Unfit};

/// The file without which a folder holds no model.
pub(super) const FILE: &str = "config.json";
/// The file that says how the tokens' vectors become one.
const POOLING: &str = "1_Pooling/config.json";
/// The longest of such files, in bytes.
const MOST_BYTES: u64 = 256 << 10;
/// The most numbers of a model: BERT's own in its smaller size has 110 million.
const MOST_NUMBERS: u64 = 150_000_000;
/// Tokens of a text where nobody says, and at least.
const USUAL_TOKENS: usize = 512;
const LEAST_TOKENS: usize = 8;
/// Languages that are told, and letters of one.
const MOST_LANGUAGES: usize = 100;
const MOST_LETTERS: usize = 12;

/// What is between the two layers of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// By the error function.
    Gelu,
    /// Its approximation by the hyperbolic tangent.
    GeluTanh,
    /// What is above zero.
    Relu,
}

/// How the tokens' vectors become that of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// That of the first one.
    First,
}

/// The sizes of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Numbers of a vector.
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    /// Numbers between the two layers of a block.
    pub inner: usize,
    /// Known tokens.
    pub vocabulary: usize,
    /// Rows of the table of places, and of types.
    pub places: usize,
    pub types: usize,
    /// Keeps a division from zero.
    pub epsilon: f32,
    pub activation: Activation,
    pub pooling: Pooling,
    /// Tokens of a text that are read, those at its two ends among them; the rest is cut off.
    pub tokens: usize,
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "small")]
    layer_norm_eps: f64,
    position_embedding_type: Option<String>,
}

const fn two() -> usize {
    2
}

fn gelu() -> String {
    "gelu".to_owned()
}

const fn small() -> f64 {
    1e-12
}

#[derive(Deserialize)]
struct PoolingFile {
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    /// The ways that we have not, and whatever else stands there.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Limits {
    max_seq_length: Option<usize>,
}

fn unfit(message: impl Into<String>) -> Unfit {
    Unfit::new(FILE, message)
}

impl Shape {
    /// Reads and checks it.
    pub fn read(folder: &Folder) -> Result<Self, Unfit> {
        let config: Config = folder.json(FILE, MOST_BYTES)?.ok_or_else(|| unfit("is missing"))?;
        if config.model_type != "bert" {
            return Err(unfit(format!("model_type: expected \"bert\", found {:?}", config.model_type)));
        }
        if let Some(other) = config.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
            return Err(unfit(format!("position_embedding_type: expected \"absolute\", found {other:?}")));
        }
        let within = |name: &str, found: usize, least: usize, most: usize| {
            let message = || unfit(format!("{name}: expected {least} to {most}, found {found}"));
            (least..=most).contains(&found).then_some(found).ok_or_else(message)
        };
        let hidden = within("hidden_size", config.hidden_size, 1, 2048)?;
        let heads = within("num_attention_heads", config.num_attention_heads, 1, 64)?;
        if !hidden.is_multiple_of(heads) {
            return Err(unfit(format!("num_attention_heads: expected a divisor of {hidden}, found {heads}")));
        }
        if !(config.layer_norm_eps > 0.0 && config.layer_norm_eps < 0.1) {
            return Err(unfit("layer_norm_eps: expected a number above 0 and below 0.1"));
        }
        let places = within("max_position_embeddings", config.max_position_embeddings, LEAST_TOKENS, 8192)?;
        let shape = Self {
            hidden,
            layers: within("num_hidden_layers", config.num_hidden_layers, 1, 48)?,
            heads,
            inner: within("intermediate_size", config.intermediate_size, 1, 16_384)?,
            vocabulary: within("vocab_size", config.vocab_size, 4, 300_000)?,
            places,
            types: within("type_vocab_size", config.type_vocab_size, 1, 16)?,
            epsilon: config.layer_norm_eps as f32,
            activation: activation(&config.hidden_act)?,
            pooling: pooling(folder)?,
            tokens: tokens(folder, places)?,
        };
        if shape.numbers() > MOST_NUMBERS {
            let message =
                format!("expected at most {MOST_NUMBERS} numbers in all, these sizes make {}", shape.numbers());
            return Err(unfit(message));
        }
        Ok(shape)
    }

    /// Numbers of all its tensors.
    pub fn numbers(&self) -> u64 {
        let [hidden, inner] = [self.hidden, self.inner].map(|size| size as u64);
        let tables = (self.vocabulary + self.places + self.types + 2) as u64 * hidden;
        let layer = 4 * (hidden * hidden + hidden) + 2 * hidden * inner + inner + 5 * hidden;
        tables + self.layers as u64 * layer
    }
}

fn activation(name: &str) -> Result<Activation, Unfit> {
    Ok(match name {
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        other => {
            let expected = "hidden_act: expected \"gelu\", \"gelu_new\", \"gelu_pytorch_tanh\" or \"relu\"";
            return Err(unfit(format!("{expected}, found {other:?}")));
        }
    })
}

/// The mean, unless the files say otherwise; anything that we could not do as they say is refused.
fn pooling(folder: &Folder) -> Result<Pooling, Unfit> {
    let modules: Vec<Module> = folder.json("modules.json", MOST_BYTES)?.unwrap_or_default();
    for Module { kind } in modules {
        let name = kind.rsplit('.').next().unwrap_or_default();
        if !matches!(name, "Transformer" | "Pooling" | "Normalize") {
            return Err(Unfit::new(
                "modules.json",
                format!("expected Transformer, Pooling and Normalize, found {kind:?}"),
            ));
        }
    }
    let Some(file) = folder.json::<PoolingFile>(POOLING, MOST_BYTES)? else { return Ok(Pooling::Mean) };
    let others = file.rest.iter().any(|(name, value)| name.starts_with("pooling_mode_") && *value == true);
    match (file.pooling_mode_mean_tokens, file.pooling_mode_cls_token, others) {
        (true, false, false) => Ok(Pooling::Mean),
        (false, true, false) => Ok(Pooling::First),
        _ => {
            Err(Unfit::new(POOLING, "expected either pooling_mode_mean_tokens or pooling_mode_cls_token, and no other"))
        }
    }
}

fn tokens(folder: &Folder, places: usize) -> Result<usize, Unfit> {
    const FILE: &str = "sentence_bert_config.json";
    let said = folder.json::<Limits>(FILE, MOST_BYTES)?.and_then(|limits| limits.max_seq_length);
    match said {
        Some(tokens) if (LEAST_TOKENS..=places).contains(&tokens) => Ok(tokens.min(USUAL_TOKENS)),
        Some(other) => {
            Err(Unfit::new(FILE, format!("max_seq_length: expected {LEAST_TOKENS} to {places}, found {other}")))
        }
        None => Ok(places.min(USUAL_TOKENS)),
    }
}

/// The languages that the first lines of `README.md` tell: `language: en`, or a list.
pub(super) fn languages(folder: &Folder) -> Vec<String> {
    let Ok(Some(text)) = folder.text("README.md", MOST_BYTES) else { return Vec::new() };
    let mut lines = text.lines();
    if lines.next() != Some("---") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut in_list = false;
    for line in lines.take_while(|line| *line != "---") {
        if let Some(value) = line.strip_prefix("language:") {
            in_list = value.trim().is_empty();
            found.extend(value.trim_matches([' ', '[', ']']).split(','));
        } else if let Some(item) = line.trim_start().strip_prefix("- ").filter(|_| in_list) {
            found.push(item);
        } else {
            in_list = false;
        }
    }
    let is_language = |word: &&str| {
        !word.is_empty() && word.len() <= MOST_LETTERS && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let words = found.into_iter().map(|word| word.trim_matches([' ', '"', '\''])).filter(is_language);
    words.take(MOST_LANGUAGES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn write(shelf: &Path, name: &str, content: &str) {
        let path = shelf.join("m").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn fine() -> Value {
        json!({
            "model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
            "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512, "architectures": ["BertModel"],
        })
    }

    fn read(shelf: &Path, config: &Value) -> Result<Shape, Unfit> {
        write(shelf, FILE, &config.to_string());
        Shape::read(&Folder::open(shelf, "m").unwrap())
    }

    #[test]
    fn sizes_out_of_bounds_are_refused_by_name() {
        let shelf = tempfile::tempdir().unwrap();
        let shape = read(shelf.path(), &fine()).unwrap();
        assert_eq!((shape.hidden, shape.tokens, shape.pooling, shape.numbers()), (384, 512, Pooling::Mean, 22_565_376));
        for (name, value, said) in [
            ("model_type", json!("roberta"), "model_type: expected \"bert\""),
            ("hidden_size", json!(1_000_000), "hidden_size: expected 1 to 2048, found 1000000"),
            ("hidden_size", json!(-1), "invalid value"),
            ("num_attention_heads", json!(7), "expected a divisor of 384"),
            ("num_attention_heads", json!(0), "expected 1 to 64"),
            ("num_hidden_layers", json!(1000), "num_hidden_layers"),
            ("vocab_size", json!(4_000_000), "vocab_size"),
            ("layer_norm_eps", json!(0), "layer_norm_eps"),
            ("hidden_act", json!("swish"), "hidden_act"),
            ("position_embedding_type", json!("relative_key"), "position_embedding_type"),
            ("intermediate_size", json!(null), "config.json"),
        ] {
            let mut config = fine();
            config[name] = value;
            let why = read(shelf.path(), &config).unwrap_err().to_string();
            assert!(why.starts_with("config.json: ") && why.contains(said), "{why}");
        }
        let mut large = fine();
        large["hidden_size"] = json!(2048);
        large["num_attention_heads"] = json!(64);
        large["num_hidden_layers"] = json!(48);
        assert!(read(shelf.path(), &large).unwrap_err().to_string().contains("at most 150000000 numbers"));
    }

    #[test]
    fn what_the_files_beside_it_say_holds() {
        let shelf = tempfile::tempdir().unwrap();
        let shelf = shelf.path();
        write(shelf, "sentence_bert_config.json", r#"{"max_seq_length": 256, "do_lower_case": false}"#);
        write(
            shelf,
            POOLING,
            r#"{"word_embedding_dimension": 384, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
        );
        write(
            shelf,
            "modules.json",
            r#"[{"type": "sentence_transformers.models.Transformer"}, {"type": "x.Pooling"}]"#,
        );
        write(
            shelf,
            "README.md",
            "---\nlanguage:\n- en\n- 'de'\n- <b>\nlicense: apache-2.0\ntags:\n- not-one\n---\n- no\n",
        );
        let shape = read(shelf, &fine()).unwrap();
        assert_eq!((shape.tokens, shape.pooling), (256, Pooling::First));
        assert_eq!(languages(&Folder::open(shelf, "m").unwrap()), ["en", "de"]);
        write(shelf, "README.md", "---\nlanguage: [en, fr]\n---\n");
        assert_eq!(languages(&Folder::open(shelf, "m").unwrap()), ["en", "fr"]);
        write(shelf, "sentence_bert_config.json", r#"{"max_seq_length": 1024}"#);
        assert!(read(shelf, &fine()).unwrap_err().to_string().contains("max_seq_length: expected 8 to 512"));
        write(shelf, "sentence_bert_config.json", "{}");
        write(shelf, POOLING, r#"{"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": true}"#);
        assert!(read(shelf, &fine()).unwrap_err().to_string().contains("and no other"));
        write(shelf, "modules.json", r#"[{"type": "sentence_transformers.models.Dense"}]"#);
        assert!(read(shelf, &fine()).unwrap_err().to_string().contains("found \"sentence_transformers.models.Dense\""));
    }
}
