//! The dialects, by documents in their documented shapes, and by whatever else may come.

mod item_streams;
mod items;
mod losses;
mod ollama;
mod requests;
mod responses;
mod round;
mod several;
mod streams;
mod vectors;

use serde_json::Value;

use super::*;
use crate::model::gateway::Fold;

/// A model of a provider that is asked in what everybody asks it in.
fn to(kind: ProviderKind, model: &Model) -> Addressee<'_> {
    Addressee { kind, wire: kind.wire(false, Dialect::OpenAi), model }
}

/// A model of OpenAI, in Responses.
fn to_responses(model: &Model) -> Addressee<'_> {
    Addressee { kind: ProviderKind::OpenAi, wire: Wire::Responses, model }
}

/// The wire that speaks a dialect.
fn wire_of(dialect: Dialect) -> Wire {
    match dialect {
        Dialect::Anthropic => Wire::Anthropic,
        Dialect::OpenAi => Wire::OpenAi,
        Dialect::Responses => Wire::Responses,
    }
}

fn envelope(same_dialect: bool) -> Envelope {
    let (model, at) = ("asked".to_owned(), Timestamp(1_700_000_000_000_000));
    Envelope { model, at, same_dialect, stream_usage: true, echo: Extra::new() }
}

/// All that a stream of bytes says, cut anywhere.
fn read_stream(wire: Wire, pieces: &[&[u8]]) -> Result<Vec<Delta>, Fault> {
    let (mut frames, mut reader) = (Frames::new(wire), Reader::new(wire));
    let mut deltas = Vec::new();
    for piece in pieces {
        for event in frames.push(piece)? {
            deltas.extend(reader.read(&event)?);
        }
    }
    if let Some(event) = frames.end() {
        deltas.extend(reader.read(&event)?);
    }
    deltas.extend(reader.end());
    Ok(deltas)
}

fn whole(deltas: &[Delta]) -> Response {
    let mut fold = Fold::default();
    for delta in deltas {
        fold.push(delta);
    }
    fold.finish()
}

fn written(dialect: Dialect, deltas: &[Delta], same_dialect: bool) -> String {
    let mut writer = Writer::new(dialect, envelope(same_dialect));
    deltas.iter().map(|delta| writer.write(delta)).collect()
}

/// Removes what is null, which says nothing.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k, bare(v))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(bare).collect()),
        other => other,
    }
}
