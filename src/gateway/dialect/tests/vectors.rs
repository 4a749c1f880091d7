//! Vectors: what is asked, what providers give, and how it is written.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{to, to_responses};
use crate::model::gateway::{EmbedInput, EmbedRequest, Encoding, FaultClass, Vectors};

fn read(input: Value) -> Result<EmbedRequest, Fault> {
    read_embed_request(json!({"model": "m", "input": input, "user": "u"}))
}

#[test]
fn inputs_are_texts_or_tokens() {
    let texts = |texts: &[&str]| EmbedInput::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(read(json!("a")).unwrap().input, texts(&["a"]));
    assert_eq!(read(json!(["a", "b"])).unwrap().input, texts(&["a", "b"]));
    assert_eq!(read(json!([1, 2])).unwrap().input, EmbedInput::Tokens(vec![vec![1, 2]]));
    assert_eq!(read(json!([[1], [2, 3]])).unwrap().input, EmbedInput::Tokens(vec![vec![1], vec![2, 3]]));
    for (input, pointer) in [
        (json!(null), "/input"),
        (json!(3), "/input"),
        (json!([]), "/input"),
        (json!([""]), "/input/0"),
        (json!([[1], []]), "/input/1"),
        (json!(["a", 3]), "/input/1"),
        (json!([1, "a"]), "/input/1"),
        (json!([[1], [-1]]), "/input/1/0"),
        (json!([1.5]), "/input/0"),
        (json!(vec!["a"; 2049]), "/input"),
    ] {
        let fault = read(input.clone()).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Invalid, Some(pointer)), "{input}");
    }
    for (field, value) in [("dimensions", json!(0)), ("encoding_format", json!("hex"))] {
        let mut body = json!({"model": "m", "input": "a"});
        body[field] = value;
        assert_eq!(read_embed_request(body).unwrap_err().pointer, Some(format!("/{field}")));
    }
}

#[test]
fn each_provider_is_asked_in_its_words() {
    let model = Model::named("m");
    let request = EmbedRequest { dimensions: Some(8), ..read(json!(["a", "b"])).unwrap() };
    let asked = json!({"model": "m", "dimensions": 8, "input": ["a", "b"], "user": "u"});
    assert_eq!(write_embed_request(&request, to(ProviderKind::OpenAi, &model)).unwrap(), ("embeddings", asked.clone()));
    assert_eq!(write_embed_request(&request, to_responses(&model)).unwrap(), ("embeddings", asked));
    let asked = json!({"model": "m", "dimensions": 8, "input": ["a", "b"]});
    assert_eq!(write_embed_request(&request, to(ProviderKind::Ollama, &model)).unwrap(), ("embed", asked));
    let tokens = read(json!([[1, 2]])).unwrap();
    let (_, asked) = write_embed_request(&tokens, to(ProviderKind::OpenAiCompatible, &model)).unwrap();
    assert_eq!(asked["input"], json!([[1, 2]]));
    for (request, kind, pointer) in
        [(&tokens, ProviderKind::Ollama, "/input"), (&request, ProviderKind::Anthropic, "/model")]
    {
        let fault = write_embed_request(request, to(kind, &model)).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Untranslatable, Some(pointer)));
    }
}

#[test]
fn vectors_are_read_in_the_order_of_the_inputs() {
    let body = json!({"object": "list", "model": "real", "usage": {"prompt_tokens": 8, "total_tokens": 8}, "data": [
        {"object": "embedding", "index": 1, "embedding": "AACAPwAAAMA="},
        {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
    ]});
    let expected = Vectors { model: "real".into(), vectors: vec![vec![0.5, -0.25], vec![1.0, -2.0]], input_tokens: 8 };
    assert_eq!(read_vectors(Wire::OpenAi, body, 2).unwrap(), expected);
    let body =
        json!({"model": "all-minilm", "embeddings": [[0.5, -0.25]], "total_duration": 1, "prompt_eval_count": 8});
    let expected = Vectors { model: "all-minilm".into(), vectors: vec![vec![0.5, -0.25]], input_tokens: 8 };
    assert_eq!(read_vectors(Wire::Ollama, body, 1).unwrap(), expected);
}

#[test]
fn vectors_that_do_not_fit_the_inputs_are_malformed() {
    let one = |index: u32, vector: Value| json!({"index": index, "embedding": vector});
    for data in [
        json!([]),
        json!([one(0, json!([1.0]))]),
        json!([one(0, json!([1.0])), one(0, json!([1.0]))]),
        json!([one(0, json!([1.0])), one(2, json!([1.0]))]),
        json!([one(0, json!([1.0])), one(1, json!([1.0, 2.0]))]),
        json!([one(0, json!([])), one(1, json!([]))]),
        json!([one(0, json!(["x"])), one(1, json!([1.0]))]),
        json!([one(0, json!("AAA=")), one(1, json!([1.0]))]),
        json!([one(0, json!("AADAfw==")), one(1, json!([1.0]))]),
        json!([one(0, json!([1e300])), one(1, json!([1.0]))]),
        json!("<html>"),
    ] {
        let fault = read_vectors(Wire::OpenAi, json!({"data": data}), 2).unwrap_err();
        assert_eq!(fault.class, FaultClass::Malformed, "{fault}");
    }
    assert!(read_vectors(Wire::Ollama, json!({"embeddings": [[1.0]]}), 2).is_err());
}

proptest! {
    #[test]
    fn vectors_are_the_same_after_either_encoding(
        vectors in (1_usize..9).prop_flat_map(|length| prop::collection::vec(prop::collection::vec(-1e30_f32..1e30, length), 1..5)),
    ) {
        let before = Vectors { model: "m".into(), input_tokens: 3, vectors };
        for encoding in [Encoding::Float, Encoding::Base64] {
            let text = write_vectors(&before, encoding).to_string();
            let body = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read_vectors(Wire::OpenAi, body, before.vectors.len()).unwrap(), &before);
        }
    }
}
