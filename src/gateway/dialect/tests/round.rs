//! Round trips: whatever our types can say of an answer, or of a conversation, each dialect says so that it is read the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{envelope, read_stream, to, to_responses, whole, wire_of};
use crate::model::gateway::{Block, Message, Role, StopReason, Tool, ToolChoice, Usage};

const ALL: [Dialect; 3] = [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses];

/// What the model says: words, and then tools.
fn any_answer() -> impl Strategy<Value = Response> {
    let tool = ("[a-z]{1,6}", "[a-z]{1,6}", "\\PC{0,12}").prop_map(|(id, name, text)| Block::ToolUse {
        id: format!("call_{id}"),
        name,
        input: json!({"text": text, "n": [1, 2.5, null]}),
        cache: None,
        extra: Extra::new(),
    });
    let thought = "\\PC{1,20}".prop_map(|text| Block::Thinking { text, signature: Some("c2ln".into()) });
    (
        prop::option::of(thought),
        prop::option::of("\\PC{1,40}"),
        prop::collection::vec(tool, 0..4),
        0_i64..5000,
        0_i64..5000,
    )
        .prop_map(|(thought, text, tools, input, cached)| {
            let stop = if tools.is_empty() { StopReason::EndTurn } else { StopReason::ToolUse };
            let content = thought.into_iter().chain(text.map(Block::text)).chain(tools).collect();
            let usage = Usage { input, cache_read: cached, output: 7, ..Usage::default() };
            Response {
                id: "a1".into(),
                model: "m".into(),
                content,
                stop,
                stop_sequence: None,
                usage,
                extra: Extra::new(),
                others: Vec::new(),
            }
        })
}

/// The pieces of an answer, its words and inputs cut in two.
fn pieces(answer: &Response, cut: usize) -> Vec<Delta> {
    let halves = |text: &str| {
        let at = text.char_indices().map(|(at, _)| at).nth(cut % (text.chars().count().max(1))).unwrap_or(0);
        [text[..at].to_owned(), text[at..].to_owned()]
    };
    let mut deltas = vec![Delta::Start { id: answer.id.clone(), model: answer.model.clone(), usage: Usage::default() }];
    for (index, block) in answer.content.iter().enumerate() {
        let index = index as u32;
        match block {
            Block::Text { text, .. } => {
                deltas.push(Delta::Open { index, block: Block::text("") });
                deltas.extend(halves(text).map(|text| Delta::Text { index, text }));
            }
            Block::Thinking { text, signature } => {
                deltas.push(Delta::Open { index, block: Block::Thinking { text: String::new(), signature: None } });
                deltas.extend(halves(text).map(|text| Delta::Thinking { index, text }));
                deltas.extend(signature.clone().map(|signature| Delta::Signature { index, signature }));
            }
            Block::ToolUse { id, name, input, .. } => {
                let (id, name) = (id.clone(), name.clone());
                let block = Block::ToolUse { id, name, input: json!({}), cache: None, extra: Extra::new() };
                deltas.push(Delta::Open { index, block });
                deltas.extend(halves(&input.to_string()).map(|json| Delta::Input { index, json }));
            }
            _ => {}
        }
        deltas.push(Delta::Close { index });
    }
    deltas.push(Delta::Stop { reason: answer.stop.clone(), sequence: None, usage: answer.usage });
    deltas.push(Delta::End);
    deltas
}

/// Without what an item says of itself.
fn plain(content: Vec<Block>) -> Vec<Block> {
    content
        .into_iter()
        .map(|mut block| {
            if let Block::Text { extra, .. } | Block::ToolUse { extra, .. } = &mut block {
                extra.clear();
            }
            block
        })
        .collect()
}

/// Turns of people, the model and its tools, in an order that every dialect has.
fn any_conversation() -> impl Strategy<Value = Request> {
    let round =
        ("[a-zé🧵]{1,12}", prop::option::of("[a-z ]{1,12}"), prop::collection::vec("[a-z]{1,9}", 0..3), any::<bool>());
    (prop::collection::vec(round, 1..4), prop::option::of("[a-z]{1,9}"), any::<bool>()).prop_map(
        |(rounds, system, stream)| {
            let mut request = Request::new(Dialect::OpenAi, "m");
            request.system.extend(system.map(Block::text));
            request.stream = stream;
            request.max_tokens = Some(9);
            request.sampling.temperature = Some(0.5);
            request.tool_choice = Some(ToolChoice::Auto);
            request.tools.push(Tool::Function {
                name: "look".into(),
                description: Some("Looks.".into()),
                input_schema: json!({"type": "object", "properties": {}}),
                strict: Some(false),
                cache: None,
                extra: Extra::new(),
            });
            for (round, (asked, said, results, picture)) in rounds.into_iter().enumerate() {
                let mut content = vec![Block::text(asked)];
                if picture {
                    let source = crate::model::gateway::ImageSource::Base64 {
                        media_type: "image/png".into(),
                        data: "AAAA".into(),
                    };
                    content.push(Block::Image { source, cache: None, extra: Extra::new() });
                }
                request.messages.push(Message { role: Role::User, content, extra: Extra::new() });
                let id = |number: usize| format!("call_{round}_{number}");
                let uses = results.iter().enumerate().map(|(number, text)| Block::ToolUse {
                    id: id(number),
                    name: "look".into(),
                    input: json!({"text": text}),
                    cache: None,
                    extra: Extra::new(),
                });
                let content: Vec<Block> = said.map(Block::text).into_iter().chain(uses).collect();
                if content.is_empty() {
                    continue;
                }
                request.messages.push(Message { role: Role::Assistant, content, extra: Extra::new() });
                let given = results.iter().enumerate().map(|(number, text)| Block::ToolResult {
                    tool_use_id: id(number),
                    content: vec![Block::text(text.as_str())],
                    is_error: false,
                    cache: None,
                    extra: Extra::new(),
                });
                let content: Vec<Block> = given.collect();
                if !content.is_empty() {
                    request.messages.push(Message { role: Role::User, content, extra: Extra::new() });
                }
            }
            request
        },
    )
}

fn turns(request: &Request) -> Vec<(Role, Vec<Block>)> {
    request.messages.iter().map(|turn| (turn.role, plain(turn.content.clone()))).collect()
}

proptest! {
    #[test]
    fn any_answer_survives_each_dialect(answer in any_answer(), cut in 0_usize..60) {
        for dialect in ALL {
            let written = write_response(dialect, &answer, &envelope(false));
            let again = read_response(wire_of(dialect), written).unwrap();
            prop_assert_eq!(&plain(again.content), &answer.content, "{:?}", dialect);
            prop_assert_eq!((again.usage, &again.stop), (answer.usage, &answer.stop), "{:?}", dialect);

            let mut writer = Writer::new(dialect, envelope(false));
            let text: String = pieces(&answer, cut).iter().map(|delta| writer.write(delta)).collect();
            let again = whole(&read_stream(wire_of(dialect), &[text.as_bytes()]).unwrap());
            prop_assert_eq!(&plain(again.content), &answer.content, "{:?} {}", dialect, text);
            prop_assert_eq!((again.usage, &again.stop), (answer.usage, &answer.stop), "{:?}", dialect);
        }
    }

    #[test]
    fn any_conversation_survives_each_dialect(request in any_conversation()) {
        let model = Model::named("m");
        let compatible = to(ProviderKind::OpenAiCompatible, &model);
        for (dialect, written) in [
            (Dialect::Anthropic, write_request(&request, to(ProviderKind::Anthropic, &model)).unwrap()),
            (Dialect::OpenAi, write_request(&request, compatible).unwrap()),
            (Dialect::Responses, write_request(&request, to_responses(&model)).unwrap()),
        ] {
            let again = read_request(dialect, written).unwrap();
            prop_assert_eq!(turns(&again), turns(&request), "{:?}", dialect);
            prop_assert_eq!((&again.system, again.stream, again.max_tokens), (&request.system, request.stream, request.max_tokens));
            prop_assert_eq!((again.sampling, &again.tool_choice, &again.tools), (request.sampling, &request.tool_choice, &request.tools));
        }
        // Nobody asks us in Ollama's words; that it can be said is all.
        let said = write_request(&request, to(ProviderKind::Ollama, &model)).unwrap();
        prop_assert!(said["messages"].as_array().is_some_and(|list: &Vec<Value>| !list.is_empty()));
    }
}
