//! The tools by which the agents of a team reach each other: what models are told of them.

use serde_json::{Value, json};

use super::{MessageKind, Topology};

/// Whom a message to everybody is addressed to.
pub const EVERYBODY: &str = "*";
/// Characters of a message: its words and what comes with them as JSON.
pub const MAX_BODY: usize = 8_000;
/// Seconds that `read_messages` waits at most.
pub const MAX_PATIENCE_S: u64 = 60;

pub(super) const HAND_OVER: &str = "Gives another agent the rest of your task for good: its answer becomes the answer, and your work ends with it. It knows nothing \
     of your conversation. Call it alone, when another is right for all that is left; ask_agent gives you the answer instead.";
pub(super) const SEND: &str = "Sends a message to another agent of your team by its name there, or to all that you may address by the name *. It is read \
     when they look; nobody answers here.";
pub(super) const READ: &str = "Gives you the messages of your team that wait for you, each once, and names whom you may address. Where none waits it can \
     wait for one.";
pub(super) const SET_TOPOLOGY: &str = "Changes who may address whom in the team that you supervise. hierarchy: each who asked it to work and whom it asked; mesh: \
     all; ring: neighbours; star: only you and each of the others; list: the pairs that you name.";

/// Properties and what is required, of `send_message`.
pub(super) fn send() -> (Value, Value) {
    (
        json!({
            "to": {"type": "string", "minLength": 1, "description": "A name in your team, or * for all that you may address."},
            "kind": {"enum": MessageKind::ALL.map(MessageKind::as_str)},
            "body": {"type": "string", "minLength": 1, "maxLength": MAX_BODY, "description": "The words: everything that they must know."},
            "data": {"type": "object", "description": "What a program would read, if anything."},
        }),
        json!(["to", "kind", "body"]),
    )
}

/// Properties and what is required, of `read_messages`.
pub(super) fn read() -> (Value, Value) {
    let wait = json!({"type": "integer", "minimum": 0, "maximum": MAX_PATIENCE_S, "description": "Seconds to wait for one where none is there."});
    (json!({"wait_seconds": wait}), json!([]))
}

/// Properties and what is required, of `set_topology`.
pub(super) fn set_topology() -> (Value, Value) {
    let name = json!({"type": "string", "description": "An agent's name."});
    let pair = json!({"type": "object", "additionalProperties": false, "properties": {"from": name, "to": name}, "required": ["from", "to"]});
    (
        json!({
            "topology": {"enum": Topology::ALL.map(Topology::as_str)},
            "pairs": {"type": "array", "items": pair, "description": "With list, and only with it: who may address whom."},
        }),
        json!(["topology"]),
    )
}
