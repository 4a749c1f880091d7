//! A whole answer as the pieces that a stream of it has.

use super::delta::Delta;
use super::message::Block;
use super::response::{Response, Usage};

/// Characters of one piece of text.
const PIECE: usize = 160;

/// The pieces of an answer, in order. Their fold is the answer, without what only the answering dialect knows (`extra`).
pub fn replay(response: &Response) -> Vec<Delta> {
    let read = Usage { output: 0, reasoning: 0, ..response.usage };
    let mut deltas = vec![Delta::Start { id: response.id.clone(), model: response.model.clone(), usage: read }];
    for (index, block) in response.content.iter().enumerate() {
        let index = index as u32;
        let (open, body) = taken_apart(index, block);
        deltas.push(Delta::Open { index, block: open });
        deltas.extend(body);
        deltas.push(Delta::Close { index });
    }
    let (reason, sequence) = (response.stop.clone(), response.stop_sequence.clone());
    deltas.push(Delta::Stop { reason, sequence, usage: response.usage });
    deltas.push(Delta::End);
    deltas
}

/// A block as it opens, and what then comes.
fn taken_apart(index: u32, block: &Block) -> (Block, Vec<Delta>) {
    let mut open = block.clone();
    let body = match &mut open {
        Block::Text { text, .. } | Block::Refusal { text } => {
            pieces(&std::mem::take(text)).map(|text| Delta::Text { index, text }).collect()
        }
        Block::Thinking { text, signature } => {
            let text = std::mem::take(text);
            let thoughts = pieces(&text).map(|text| Delta::Thinking { index, text });
            thoughts.chain(signature.take().map(|signature| Delta::Signature { index, signature })).collect()
        }
        Block::ToolUse { input, .. } => {
            let input = std::mem::replace(input, serde_json::json!({}));
            vec![Delta::Input { index, json: input.to_string() }]
        }
        Block::Image { .. } | Block::ToolResult { .. } | Block::RedactedThinking { .. } | Block::Native { .. } => {
            Vec::new()
        }
    };
    (open, body)
}

/// A text in pieces, none cut inside of a character.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    let cut: Vec<String> = chars.chunks(PIECE).map(|piece| piece.iter().collect()).collect();
    cut.into_iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Extra, Fold, StopReason};
    use super::*;

    #[test]
    fn the_fold_of_the_pieces_is_the_answer() {
        let response = Response {
            id: "a".into(),
            model: "m".into(),
            content: vec![
                Block::Thinking { text: "hm ".repeat(100), signature: Some("sig".into()) },
                Block::RedactedThinking { data: "opaque".into() },
                Block::text("Ein Webstuhl 🧵 ".repeat(50)),
                Block::ToolUse {
                    id: "t".into(),
                    name: "look".into(),
                    input: json!({"a": [1, "ü"]}),
                    cache: None,
                    extra: Extra::new(),
                },
            ],
            stop: StopReason::ToolUse,
            stop_sequence: None,
            usage: Usage { input: 5, cache_read: 2, output: 7, reasoning: 3, ..Usage::default() },
            extra: Extra::new(),
            others: Vec::new(),
        };
        let deltas = replay(&response);
        assert!(deltas.len() > 12, "in several pieces");
        let mut fold = Fold::default();
        for delta in &deltas {
            fold.push(delta);
        }
        assert!(fold.is_complete());
        assert_eq!(fold.finish(), response);
    }
}
