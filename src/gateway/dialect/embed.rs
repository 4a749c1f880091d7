//! Vectors: what programs ask for and get in OpenAI's dialect, and how providers are asked.
//!
//! Source: the API references of OpenAI's `POST /v1/embeddings` and of Ollama's `POST /api/embed`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fields::{Built, Fields, kind};
use super::{Addressee, malformed};
use crate::model::gateway::{EmbedInput, EmbedRequest, Encoding, Fault, FaultClass, Vectors, Wire};

/// Texts of one request: OpenAI's own limit.
const MAX_INPUTS: usize = 2_048;

/// Reads a program's request.
///
/// # Errors
/// `invalid`, naming the field and what was expected.
pub fn read_embed_request(body: Value) -> Result<EmbedRequest, Fault> {
    let mut fields = Fields::of(body, "")?;
    let model = fields.need_text("model")?;
    let input = read_input(fields.need("input")?)?;
    let dimensions = fields.count("dimensions")?;
    if dimensions == Some(0) {
        return Err(Fault::invalid("/dimensions", "expected a whole number from 1"));
    }
    let encoding = match fields.text("encoding_format")?.as_deref() {
        None | Some("float") => Encoding::Float,
        Some("base64") => Encoding::Base64,
        Some(other) => {
            return Err(Fault::invalid("/encoding_format", format!("expected float or base64, found {other}")));
        }
    };
    Ok(EmbedRequest { model, input, dimensions, encoding, extra: fields.rest() })
}

fn read_input(value: Value) -> Result<EmbedInput, Fault> {
    let list = match value {
        Value::String(text) => return filled(EmbedInput::Texts(vec![text])),
        Value::Array(list) => list,
        other => {
            let message = format!("expected text, a list of texts or of tokens, found {}", kind(&other));
            return Err(Fault::invalid("/input", message));
        }
    };
    match list.first() {
        Some(Value::Number(_)) => filled(EmbedInput::Tokens(vec![read_tokens(list, "/input")?])),
        Some(Value::Array(_)) => {
            let lists = list.into_iter().enumerate().map(|(index, value)| match value {
                Value::Array(tokens) => read_tokens(tokens, &format!("/input/{index}")),
                other => {
                    let message = format!("expected a list of tokens, found {}", kind(&other));
                    Err(Fault::invalid(format!("/input/{index}"), message))
                }
            });
            filled(EmbedInput::Tokens(lists.collect::<Result<_, _>>()?))
        }
        _ => {
            let mut fields = Fields::of(json!({"input": list}), "")?;
            filled(EmbedInput::Texts(fields.texts("input")?))
        }
    }
}

fn read_tokens(list: Vec<Value>, at: &str) -> Result<Vec<u32>, Fault> {
    let token = |(index, value): (usize, Value)| {
        let token = value.as_u64().and_then(|token| u32::try_from(token).ok());
        token.ok_or_else(|| Fault::invalid(format!("{at}/{index}"), "expected a token, a whole number from 0"))
    };
    list.into_iter().enumerate().map(token).collect()
}

fn filled(input: EmbedInput) -> Result<EmbedInput, Fault> {
    if !(1..=MAX_INPUTS).contains(&input.len()) {
        return Err(Fault::invalid("/input", format!("expected 1 to {MAX_INPUTS} inputs, found {}", input.len())));
    }
    match input.find_empty() {
        Some(index) => Err(Fault::invalid(format!("/input/{index}"), "expected an input that is not empty")),
        None => Ok(input),
    }
}

/// Writes a request for a provider; the path, below its address, comes first.
///
/// # Errors
/// `untranslatable`, naming what the provider's wire has no word for.
pub fn write_embed_request(request: &EmbedRequest, to: Addressee<'_>) -> Result<(&'static str, Value), Fault> {
    let mut built = Built::default();
    built.set("model", to.model.id.as_str());
    built.put("dimensions", request.dimensions);
    match (to.wire, &request.input) {
        (Wire::Anthropic, _) => {
            Err(Fault::untranslatable("/model", "Anthropic has no model that makes vectors; name another provider's"))
        }
        (Wire::OpenAi | Wire::Responses, input) => {
            built.set("input", json!(input));
            built.extend(&request.extra);
            Ok(("embeddings", built.into()))
        }
        (Wire::Ollama, EmbedInput::Tokens(_)) => {
            Err(Fault::untranslatable("/input", "Ollama takes no tokens; send the texts themselves"))
        }
        (Wire::Ollama, input) => {
            built.set("input", json!(input));
            for name in ["keep_alive", "options", "truncate"] {
                built.put(name, request.extra.get(name).cloned());
            }
            let own = ["keep_alive", "options", "truncate", "user"];
            match request.extra.keys().find(|name| !own.contains(&name.as_str())) {
                Some(name) => Err(Fault::untranslatable(format!("/{name}"), "this field has no counterpart at Ollama")),
                None => Ok(("embed", built.into())),
            }
        }
    }
}

/// Reads a provider's vectors, in the order of the inputs.
///
/// # Errors
/// `malformed` for what can't be read, and for another number of vectors than of inputs.
pub fn read_vectors(wire: Wire, body: Value, inputs: usize) -> Result<Vectors, Fault> {
    let vectors = match wire {
        Wire::Ollama => read_ollama(body),
        Wire::Anthropic | Wire::OpenAi | Wire::Responses => read_openai(body),
    };
    vectors.and_then(|vectors| fit(vectors, inputs)).map_err(malformed)
}

fn read_openai(body: Value) -> Result<Vectors, Fault> {
    let mut fields = Fields::of(body, "")?;
    let mut found = Vec::new();
    for (place, value) in fields.need_list("data")?.into_iter().enumerate() {
        let at = format!("/data/{place}");
        let mut one = Fields::of(value, at.as_str())?;
        let index = one.count("index")?.map_or(place, |index| index as usize);
        let vector = match one.need("embedding")? {
            Value::String(text) => decode(&text)
                .ok_or_else(|| Fault::invalid(format!("{at}/embedding"), "expected base64 of 32-bit numbers"))?,
            list => read_vector(list, &format!("{at}/embedding"))?,
        };
        found.push((index, vector));
    }
    found.sort_by_key(|(index, _)| *index);
    if found.iter().enumerate().any(|(place, (index, _))| place != *index) {
        return Err(Fault::invalid("/data", "expected a vector for each input"));
    }
    let input_tokens = match fields.object("usage")? {
        Some(mut usage) => usage.tokens("prompt_tokens")?,
        None => 0,
    };
    let model = fields.text("model")?.unwrap_or_default();
    Ok(Vectors { model, vectors: found.into_iter().map(|(_, vector)| vector).collect(), input_tokens })
}

fn read_ollama(body: Value) -> Result<Vectors, Fault> {
    let mut fields = Fields::of(body, "")?;
    let list = fields.need_list("embeddings")?.into_iter().enumerate();
    let vectors = list.map(|(index, value)| read_vector(value, &format!("/embeddings/{index}")));
    Ok(Vectors {
        vectors: vectors.collect::<Result<_, _>>()?,
        model: fields.text("model")?.unwrap_or_default(),
        input_tokens: fields.tokens("prompt_eval_count")?,
    })
}

fn read_vector(value: Value, at: &str) -> Result<Vec<f32>, Fault> {
    let Value::Array(list) = value else {
        return Err(Fault::invalid(at, format!("expected a list of numbers, found {}", kind(&value))));
    };
    let number = |value: &Value| value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
    let numbers: Option<Vec<f32>> = list.iter().map(number).collect();
    numbers.ok_or_else(|| Fault::invalid(at, "expected numbers alone"))
}

/// As many as there were inputs, and all of one length.
fn fit(vectors: Vectors, inputs: usize) -> Result<Vectors, Fault> {
    let found = vectors.vectors.len();
    let length = vectors.vectors.first().map_or(0, Vec::len);
    if found != inputs {
        let message = format!("expected {inputs} vectors, found {found}");
        return Err(Fault::new(FaultClass::Malformed, message));
    }
    if length == 0 || vectors.vectors.iter().any(|vector| vector.len() != length) {
        return Err(Fault::new(FaultClass::Malformed, "expected vectors of one length, and not of none"));
    }
    Ok(vectors)
}

/// Writes vectors for a program.
pub fn write_vectors(vectors: &Vectors, encoding: Encoding) -> Value {
    let data = vectors.vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = match encoding {
            Encoding::Float => json!(vector),
            Encoding::Base64 => json!(encode(vector)),
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    json!({
        "object": "list",
        "data": data.collect::<Vec<Value>>(),
        "model": vectors.model,
        "usage": {"prompt_tokens": vectors.input_tokens, "total_tokens": vectors.input_tokens},
    })
}

/// 32-bit numbers, the lowest byte first, as base64.
fn encode(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (rest.is_empty() && numbers.iter().all(|number| number.is_finite())).then_some(numbers)
}
