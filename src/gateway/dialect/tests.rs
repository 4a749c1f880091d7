//! The dialects, by documents in their documented shapes, and by whatever else may come.

mod requests;
mod responses;
mod streams;

use serde_json::Value;

use super::*;
use crate::model::gateway::Fold;

/// A model of which nothing but the name is known.
fn to(kind: ProviderKind, model: &Model) -> Addressee<'_> {
    Addressee { kind, model }
}

fn envelope(same_dialect: bool) -> Envelope {
    Envelope { model: "asked".into(), at: Timestamp(1_700_000_000_000_000), same_dialect, stream_usage: true }
}

/// All that a stream of bytes says, cut anywhere.
fn read_stream(dialect: Dialect, pieces: &[&[u8]]) -> Result<Vec<Delta>, Fault> {
    let (mut events, mut reader) = (Events::default(), Reader::new(dialect));
    let mut deltas = Vec::new();
    for piece in pieces {
        for event in events.push(piece)? {
            deltas.extend(reader.read(&event)?);
        }
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
