//! What a request loses, or has changed, on its way to a provider that speaks another dialect, in words for whoever asked.
//!
//! Only what may change the answer a little stands here: what changes its meaning is refused by name when the request is written.
//! Marks for the provider's cache are left out of this: they change what a call costs, and nothing of what it says.

use super::{Addressee, ollama, responses};
use crate::model::gateway::{Block, Dialect, Effort, Request, Thinking, Wire};

/// Notices of one call.
const MOST: usize = 12;
/// Characters of one.
const LONGEST: usize = 160;

/// What is left out of a request for this provider, and what is said in another way; at most 13 sentences of 160 characters, without
/// what no header can carry.
pub fn notices(request: &Request, to: Addressee<'_>) -> Vec<String> {
    let mut said = Vec::new();
    thoughts(request, to.wire, &mut said);
    thinking(request, to, &mut said);
    sampling(request, to, &mut said);
    fields(request, to.wire, &mut said);
    bounded(said)
}

/// As many as may be said, and as long.
pub(super) fn bounded(mut said: Vec<String>) -> Vec<String> {
    let more = said.len().saturating_sub(MOST);
    said.truncate(MOST);
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    said.iter().map(|text| text.chars().map(plain).take(LONGEST).collect()).collect()
}

/// Field names are the caller's.
const fn plain(c: char) -> char {
    if c.is_ascii_graphic() || c == ' ' { c } else { '?' }
}

/// Thoughts of earlier turns that the provider does not take back.
fn thoughts(request: &Request, wire: Wire, said: &mut Vec<String>) {
    let same = request.dialect == wire.dialect();
    let (mut unproven, mut redacted) = (0_u32, 0_u32);
    for block in request.messages.iter().flat_map(|message| &message.content) {
        let is_lost = match (block, wire) {
            (Block::Thinking { signature, .. }, Wire::Anthropic) => match signature {
                None => !same,
                Some(proof) => responses::is_proof(proof),
            },
            (Block::RedactedThinking { .. }, Wire::Anthropic) | (Block::Thinking { .. }, Wire::Ollama) => false,
            (block, Wire::Responses) => responses::write_back(block).is_none(),
            (_, Wire::OpenAi | Wire::Ollama) => true,
            _ => false,
        };
        match block {
            Block::Thinking { .. } if is_lost => unproven += 1,
            Block::RedactedThinking { .. } if is_lost => redacted += 1,
            _ => {}
        }
    }
    let whose = match wire {
        Wire::OpenAi => "Chat Completions takes none back",
        Wire::Anthropic | Wire::Responses => "the provider takes back its own alone, with their signature",
        Wire::Ollama => "the provider can't read them",
    };
    let thoughts = |count: u32| if count == 1 { "thought" } else { "thoughts" };
    if unproven > 0 {
        said.push(format!("{unproven} {} of earlier turns left out: {whose}", thoughts(unproven)));
    }
    if redacted > 0 {
        said.push(format!("{redacted} redacted {} of earlier turns left out: {whose}", thoughts(redacted)));
    }
}

/// How much is thought: tokens at Anthropic, a word elsewhere.
fn thinking(request: &Request, to: Addressee<'_>, said: &mut Vec<String>) {
    let same = request.dialect == to.wire.dialect();
    let effort_field = match request.dialect {
        Dialect::Anthropic => "output_config.effort",
        Dialect::OpenAi => "reasoning_effort",
        Dialect::Responses => "reasoning.effort",
    };
    match (to.wire, request.thinking, request.effort) {
        (Wire::OpenAi | Wire::Responses, Some(thinking), effort) => {
            let instead = match effort {
                Some(_) => "the effort is said instead",
                None => "the model thinks as much as it usually does",
            };
            let what = match thinking {
                Thinking::Budget { tokens } => format!("thinking.budget_tokens {tokens}"),
                Thinking::Off => "thinking disabled".to_owned(),
                Thinking::Adaptive => "thinking adaptive".to_owned(),
            };
            said.push(format!("{what} left out, since OpenAI knows no budget of thoughts: {instead}"));
        }
        (Wire::Ollama, Some(Thinking::Budget { tokens }), _) => {
            said.push(format!("thinking.budget_tokens {tokens} left out: the provider knows no budget of thoughts"));
        }
        (Wire::Ollama, _, Some(effort)) if effort > Effort::Minimal && !ollama::takes_effort(&to.model.id) => {
            said.push(format!("{effort_field} {} left out: the provider does not take one", effort.as_str()));
        }
        (Wire::Anthropic, None, Some(effort)) if !same => said.push(match super::anthropic::budget_of(request, to) {
            Some(tokens) => {
                format!("{effort_field} {} became a budget of {tokens} tokens of thoughts", effort.as_str())
            }
            None => format!("{effort_field} {} became no thinking", effort.as_str()),
        }),
        _ => {}
    }
    if matches!(to.wire, Wire::OpenAi | Wire::Responses) && super::openai::effort_of(request) != request.effort {
        said.push(format!("{effort_field} max became xhigh, which more of OpenAI's models take"));
    }
}

fn sampling(request: &Request, to: Addressee<'_>, said: &mut Vec<String>) {
    let (wire, same) = (to.wire, request.dialect == to.wire.dialect());
    let sampling = request.sampling;
    if wire == Wire::Anthropic && !same {
        let thinks = request.thinking.is_some() || super::anthropic::budget_of(request, to).is_some();
        match sampling.temperature {
            Some(_) if thinks => {
                said.push("temperature left out: with thinking Anthropic takes none".to_owned());
            }
            Some(value) if value > 1.0 => {
                said.push(format!("temperature {value} became 1, the most that Anthropic takes"));
            }
            _ => {}
        }
        if sampling.top_k.is_some() && thinks {
            said.push("top_k left out: with thinking Anthropic takes none".to_owned());
        }
    }
    if sampling.seed.is_some() && matches!(wire, Wire::Anthropic | Wire::Responses) {
        said.push("seed left out: the provider knows none".to_owned());
    }
}

/// Fields that only the caller's dialect knows, and that change nothing about what the answer may be.
fn fields(request: &Request, wire: Wire, said: &mut Vec<String>) {
    if !request.betas.is_empty() && wire != Wire::Anthropic {
        said.push(format!("anthropic-beta left out: {}", request.betas.join(", ")));
    }
    if request.dialect == wire.dialect() && wire != Wire::Ollama {
        return;
    }
    let carried: &[&str] = match (request.dialect, wire) {
        (Dialect::OpenAi, Wire::Responses) => &responses::SHARED,
        (Dialect::OpenAi, Wire::Ollama) => &ollama::OWN,
        _ => &[],
    };
    let is_verbosity = |name: &str| name == "verbosity" && wire == Wire::Responses;
    let is_lost = |name: &&String| {
        // What is beside the budget of thoughts is said of the budget, and what was asked for sealed is a matter of course.
        let is_said = matches!(name.as_str(), "thinking" | "include" | "store");
        !carried.contains(&name.as_str()) && !is_verbosity(name) && !is_said
    };
    let lost: Vec<&str> = request.extra.keys().filter(is_lost).map(String::as_str).collect();
    if !lost.is_empty() {
        said.push(format!("{} left out: no counterpart at the provider", lost.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::dialect::read_request;
    use crate::model::gateway::{Model, ProviderKind};

    fn of(dialect: Dialect, body: serde_json::Value, kind: ProviderKind, wire: Wire) -> Vec<String> {
        let model = Model::named("m");
        notices(&read_request(dialect, body).unwrap(), Addressee { kind, wire, model: &model })
    }

    #[test]
    fn what_goes_to_its_own_dialect_loses_nothing() {
        let body = json!({
            "model": "m", "max_tokens": 9000, "temperature": 1, "metadata": {"user_id": "u"},
            "thinking": {"type": "enabled", "budget_tokens": 4000}, "messages": [
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, {"type": "text", "text": "Hi"}]},
            ],
        });
        let none: [String; 0] = [];
        assert_eq!(of(Dialect::Anthropic, body.clone(), ProviderKind::Anthropic, Wire::Anthropic), none);
        let lost = of(Dialect::Anthropic, body, ProviderKind::OpenAi, Wire::OpenAi);
        assert_eq!(
            lost,
            [
                "1 thought of earlier turns left out: Chat Completions takes none back",
                "thinking.budget_tokens 4000 left out, since OpenAI knows no budget of thoughts: the model thinks as much as it usually does",
                "metadata left out: no counterpart at the provider",
            ]
        );
    }

    #[test]
    fn what_anthropic_has_no_word_for_is_told_to_who_speaks_openai() {
        let ask = |more: serde_json::Value| {
            let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            of(Dialect::OpenAi, body, ProviderKind::Anthropic, Wire::Anthropic)
        };
        assert_eq!(ask(json!({"temperature": 1.5})), ["temperature 1.5 became 1, the most that Anthropic takes"]);
        assert_eq!(
            ask(json!({"reasoning_effort": "medium", "temperature": 0.5, "max_tokens": 20_000})),
            [
                "reasoning_effort medium became a budget of 8192 tokens of thoughts",
                "temperature left out: with thinking Anthropic takes none",
            ]
        );
        assert_eq!(
            ask(json!({"reasoning_effort": "high", "max_tokens": 500}))[0],
            "reasoning_effort high became no thinking"
        );
        assert_eq!(
            ask(json!({"seed": 7, "service_tier": "auto", "user": "u"})),
            ["seed left out: the provider knows none", "service_tier, user left out: no counterpart at the provider"]
        );
    }

    #[test]
    fn thoughts_without_a_signature_and_redacted_ones_are_counted() {
        let body = json!({"model": "m", "messages": [
            {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"},
            {"role": "user", "content": "Go on"},
        ]});
        assert_eq!(
            of(Dialect::OpenAi, body, ProviderKind::Anthropic, Wire::Anthropic),
            ["1 thought of earlier turns left out: the provider takes back its own alone, with their signature"]
        );
        let body = json!({"model": "m", "max_tokens": 9, "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Hi"}]},
        ]});
        assert_eq!(
            of(Dialect::Anthropic, body, ProviderKind::OpenAi, Wire::Responses),
            [
                "1 redacted thought of earlier turns left out: the provider takes back its own alone, with their signature"
            ]
        );
    }

    #[test]
    fn notices_are_bounded_and_fit_into_a_header() {
        let mut request = Request::new(Dialect::OpenAi, "m");
        request.extra.insert(format!("k\u{e9}y\r\n{}", "x".repeat(5_000)), json!(1));
        let model = Model::named("m");
        let to = Addressee { kind: ProviderKind::Anthropic, wire: Wire::Anthropic, model: &model };
        let said = notices(&request, to);
        assert!(said.len() == 1 && said[0].starts_with("k?y??x") && said[0].len() == LONGEST, "{said:?}");
    }
}
