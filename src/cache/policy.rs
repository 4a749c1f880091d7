//! Whether the cache is asked, for whom, and which answers are worth keeping. Pure.

use uuid::Uuid;

use crate::model::cache::{CacheMode, CacheSettings, Programs, Sharing};
use crate::model::gateway::{Block, Request, Response, StopReason};
use crate::model::{ApiKeyId, RunId, UserId};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A step of a run: what it learns belongs to the workspace.
    Step,
    /// A program with a key, or a person, through the gateway's endpoints.
    Program {
        /// The person: who asks, or who made the key.
        user: Option<UserId>,
        /// The key.
        key: Option<ApiKeyId>,
    },
}

/// Who asks, and what is said about its answers on the way: by the call, its key and its route, the nearest first.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// Who.
    pub who: Who,
    /// The run whose step it is.
    pub run: Option<RunId>,
    /// What the call, the key and the route say.
    pub modes: [CacheMode; 3],
}

/// Whether the cache is asked at all.
pub(super) fn is_asked(mode: CacheMode, request: &Request) -> bool {
    match mode {
        CacheMode::Never => false,
        CacheMode::Always => true,
        CacheMode::Auto => is_deterministic(request),
    }
}

/// Whether the same question always has the same answer, as far as a model can: nothing is drawn by chance, and nothing
/// is done on the way.
fn is_deterministic(request: &Request) -> bool {
    request.sampling.temperature == Some(0.0) && request.tools.is_empty()
}

/// Among whom the answer is shared.
pub(super) fn sharing(who: Who, settings: CacheSettings) -> (Sharing, Option<Uuid>) {
    match (who, settings.programs) {
        (Who::Step, _) | (Who::Program { .. }, Programs::Workspace) => (Sharing::Workspace, None),
        (Who::Program { user: Some(user), .. }, Programs::Person) => (Sharing::User, Some(user.0)),
        (Who::Program { user: None, key: Some(key) }, Programs::Person) => (Sharing::Key, Some(key.0)),
        // The program itself: nobody's.
        (Who::Program { user: None, key: None }, Programs::Person) => (Sharing::Workspace, None),
    }
}

/// Whether an answer is whole: it came to its own end, says something, and is not a refusal.
pub(super) fn is_whole(response: &Response) -> bool {
    let ended = matches!(response.stop, StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse);
    let odd = |block: &Block| matches!(block, Block::Refusal { .. } | Block::Native { .. } | Block::ToolResult { .. });
    let says = |block: &Block| match block {
        Block::Text { text, .. } => !text.is_empty(),
        Block::ToolUse { input, .. } => input.is_object(),
        _ => false,
    };
    ended && response.content.iter().any(says) && !response.content.iter().any(odd)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::gateway::{Dialect, Extra, Tool, Usage};

    fn request(temperature: Option<f64>, has_tools: bool) -> Request {
        let mut request = Request::new(Dialect::OpenAi, "m");
        request.sampling.temperature = temperature;
        if has_tools {
            request.tools.push(Tool::Native { value: json!({"type": "web_search"}) });
        }
        request
    }

    #[test]
    fn chance_and_tools_must_be_asked_for() {
        use CacheMode::{Always, Auto, Never};
        for (temperature, tools, asked) in [
            (Some(0.0), false, true),
            (Some(0.0), true, false),
            (Some(0.1), false, false),
            (None, false, false),
            (None, true, false),
        ] {
            let request = request(temperature, tools);
            assert_eq!(is_asked(Auto, &request), asked, "{temperature:?} {tools}");
            assert!(is_asked(Always, &request));
            assert!(!is_asked(Never, &request));
        }
        assert_eq!(CacheMode::first_said([Auto, Never, Always]), Never);
        assert_eq!(CacheMode::first_said([Always, Never, Auto]), Always);
        assert_eq!(CacheMode::first_said([Auto, Auto, Auto]), Auto);
    }

    #[test]
    fn programs_share_with_their_person_and_steps_with_the_workspace() {
        let (user, key) = (UserId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));
        let of = |who, programs| sharing(who, CacheSettings { programs, ..CacheSettings::default() });
        let program = |user, key| Who::Program { user, key };
        assert_eq!(of(Who::Step, Programs::Person), (Sharing::Workspace, None));
        assert_eq!(of(program(Some(user), Some(key)), Programs::Person), (Sharing::User, Some(user.0)));
        assert_eq!(of(program(Some(user), None), Programs::Person), (Sharing::User, Some(user.0)));
        assert_eq!(of(program(None, Some(key)), Programs::Person), (Sharing::Key, Some(key.0)));
        assert_eq!(of(program(Some(user), Some(key)), Programs::Workspace), (Sharing::Workspace, None));
    }

    #[test]
    fn only_whole_answers_are_kept() {
        let answer = |content: Vec<Block>, stop| Response {
            id: String::new(),
            model: String::new(),
            content,
            stop,
            stop_sequence: None,
            usage: Usage::default(),
            extra: Extra::new(),
            others: Vec::new(),
        };
        let text = || vec![Block::text("A loom.")];
        for stop in [StopReason::EndTurn, StopReason::StopSequence, StopReason::ToolUse] {
            assert!(is_whole(&answer(text(), stop)));
        }
        for stop in [
            StopReason::MaxTokens,
            StopReason::Refusal,
            StopReason::Pause,
            StopReason::WindowFull,
            StopReason::Other { word: "interrupted".into() },
        ] {
            assert!(!is_whole(&answer(text(), stop.clone())), "{stop:?}");
        }
        assert!(!is_whole(&answer(Vec::new(), StopReason::EndTurn)));
        assert!(!is_whole(&answer(vec![Block::text("")], StopReason::EndTurn)));
        let refusal = Block::Refusal { text: "No.".into() };
        assert!(!is_whole(&answer(vec![Block::text("x"), refusal], StopReason::EndTurn)));
        assert!(!is_whole(&answer(vec![Block::text("x"), Block::Native { value: json!({}) }], StopReason::EndTurn)));
        // A tool's input that is no JSON was cut.
        let cut = Block::ToolUse {
            id: "t".into(),
            name: "look".into(),
            input: json!("{\"a\": "),
            cache: None,
            extra: Extra::new(),
        };
        assert!(!is_whole(&answer(vec![cut], StopReason::ToolUse)));
    }
}
