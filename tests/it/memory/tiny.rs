//! A model of this machine, small enough to be written by a test: a text means the mean of the words it knows.

use std::path::Path;

use serde_json::{Map, Value, json};

const HIDDEN: usize = 8;
const INNER: usize = 4;
const PLACES: usize = 64;
/// Each word, and where in its row what it means stands; most words mean nothing.
const WORDS: [(&str, Option<usize>); 10] = [
    ("[PAD]", None),
    ("[UNK]", None),
    ("[CLS]", Some(4)),
    ("[SEP]", None),
    ("car", Some(0)),
    ("automobile", Some(0)),
    ("vehicle", Some(0)),
    ("cake", Some(2)),
    ("dessert", Some(2)),
    ("pastry", Some(2)),
];

/// Writes the model into a folder: a BERT encoder of one block whose layers add nothing.
pub fn write(folder: &Path) {
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    let mut add = |name: &str, shape: &[usize], number: &dyn Fn(usize) -> f32| {
        let count = shape.iter().product();
        tensors.push((name.to_owned(), shape.to_vec(), (0..count).map(number).collect()));
    };
    let word = |at: usize| match WORDS[at / HIDDEN].1 {
        Some(matter) if at % HIDDEN == matter => 1.0,
        Some(matter) if at % HIDDEN == matter + 1 => -1.0,
        _ => 0.0,
    };
    // What a text begins with counts for little, and gives one that means nothing a direction.
    let weight = |at: usize| if matches!(at, 4 | 5) { 0.05 } else { 1.0 };
    add("embeddings.word_embeddings.weight", &[WORDS.len(), HIDDEN], &word);
    add("embeddings.position_embeddings.weight", &[PLACES, HIDDEN], &|_| 0.0);
    add("embeddings.token_type_embeddings.weight", &[2, HIDDEN], &|_| 0.0);
    for norm in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
        add(&format!("{norm}.LayerNorm.weight"), &[HIDDEN], &weight);
        add(&format!("{norm}.LayerNorm.bias"), &[HIDDEN], &|_| 0.0);
    }
    for (dense, into, from) in [
        ("attention.self.query", HIDDEN, HIDDEN),
        ("attention.self.key", HIDDEN, HIDDEN),
        ("attention.self.value", HIDDEN, HIDDEN),
        ("attention.output.dense", HIDDEN, HIDDEN),
        ("intermediate.dense", INNER, HIDDEN),
        ("output.dense", HIDDEN, INNER),
    ] {
        add(&format!("encoder.layer.0.{dense}.weight"), &[into, from], &|_| 0.0);
        add(&format!("encoder.layer.0.{dense}.bias"), &[into], &|_| 0.0);
    }
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, shape, numbers) in tensors {
        let begin = data.len();
        data.extend(numbers.into_iter().flat_map(f32::to_le_bytes));
        let place: Value = json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
        header.insert(name, place);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let config = json!({
        "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": INNER, "vocab_size": WORDS.len(), "max_position_embeddings": PLACES, "type_vocab_size": 2,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    });
    std::fs::create_dir_all(folder).unwrap();
    let file = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.join("vocab.txt"), WORDS.map(|(word, _)| word).join("\n")).unwrap();
}
