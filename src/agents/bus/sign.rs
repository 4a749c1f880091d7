//! The signature of a message: who wrote what to whom, in which run, at which place.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::Message;
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Keys;

/// What the key is for. It stays when the master key changes: messages are checked for as long as their run is kept.
pub const PURPOSE: &str = "weft 2026 messages of agents";

/// The signature of a message in its team.
///
/// Source: HMAC-SHA256 (RFC 2104) under a key that was derived from the first master key. Of the words their SHA-256 is signed. Each part
/// has its length in front, so that nothing can move from one part to the next.
pub(super) fn sign(keys: &Keys, workspace: WorkspaceId, root: RunId, message: &Message) -> Vec<u8> {
    mac(keys, workspace, root, message).finalize().into_bytes().to_vec()
}

/// Whether a message is as it was signed. Takes the same time wherever it differs.
pub(super) fn is_genuine(keys: &Keys, workspace: WorkspaceId, root: RunId, message: &Message) -> bool {
    mac(keys, workspace, root, message).verify_slice(&message.signature).is_ok()
}

fn mac(keys: &Keys, workspace: WorkspaceId, root: RunId, message: &Message) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&keys.lasting(PURPOSE)).expect("HMAC takes keys of any length");
    let number = message.number.to_be_bytes();
    let sent_at = message.sent_at.0.to_be_bytes();
    let (body, data) = (Sha256::digest(message.body.as_bytes()), Sha256::digest(message.data.as_bytes()));
    let parts: [&[u8]; 14] = [
        workspace.0.as_bytes(),
        root.0.as_bytes(),
        &number,
        message.sender.as_bytes(),
        message.agent.0.as_bytes(),
        message.run_id.0.as_bytes(),
        message.step.as_bytes(),
        message.addressed.as_bytes(),
        message.receivers.as_bytes(),
        message.kind.as_bytes(),
        &body,
        &data,
        message.trust.as_bytes(),
        &sent_at,
    ];
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{AgentId, Timestamp};
    use crate::runtime::Ids;

    #[test]
    fn whatever_is_altered_of_a_message_its_signature_does_not_fit_any_more() {
        let keys = Keys::ephemeral(&Ids);
        let (workspace, root) = (WorkspaceId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let mut message = Message {
            number: 3,
            sender: "coder".into(),
            agent: AgentId(Uuid::from_u128(4)),
            run_id: RunId(Uuid::from_u128(5)),
            step: "work".into(),
            addressed: "*".into(),
            receivers: "[\"tester\"]".into(),
            kind: "note".into(),
            body: "It is blue.".into(),
            data: "{}".into(),
            trust: "model".into(),
            signature: Vec::new(),
            sent_at: Timestamp(6),
        };
        message.signature = sign(&keys, workspace, root, &message);
        assert!(is_genuine(&keys, workspace, root, &message));
        let other = Uuid::from_u128(9);
        let alterations: [fn(&mut Message); 14] = [
            |message| message.number = 4,
            |message| message.sender = "lead".into(),
            |message| message.agent = AgentId(Uuid::from_u128(9)),
            |message| message.run_id = RunId(Uuid::from_u128(9)),
            |message| message.step = "other".into(),
            |message| message.addressed = "tester".into(),
            |message| message.receivers = "[\"thief\"]".into(),
            |message| message.kind = "task".into(),
            |message| message.body = "It is red.".into(),
            |message| message.data = String::new(),
            |message| message.trust = "web".into(),
            |message| message.sent_at = Timestamp(7),
            |message| message.signature[0] ^= 1,
            // From the end of one part to the beginning of the next.
            |message| {
                message.sender = "code".into();
                message.step = "rwork".into();
            },
        ];
        for (number, alter) in alterations.into_iter().enumerate() {
            let mut altered = message.clone();
            alter(&mut altered);
            assert!(!is_genuine(&keys, workspace, root, &altered), "alteration {number}");
        }
        assert!(!is_genuine(&keys, WorkspaceId(other), root, &message), "nor in another workspace");
        assert!(!is_genuine(&keys, workspace, RunId(other), &message), "nor in another run");
        assert!(!is_genuine(&Keys::ephemeral(&Ids), workspace, root, &message), "nor under another key");
    }
}
