//! What a call needs of a model, and what a model is known to lack; models as a line of text.

use super::message::{Block, Message};
use super::provider::Model;
use super::request::Request;

/// Tokens of a picture: what Anthropic counts for the largest that it does not make smaller.
///
/// Source: Anthropic's guide to vision, width times height by 750, at most about 1,600.
pub const PICTURE_TOKENS: i64 = 1_600;
/// Tokens of what stands around each message and tool.
const FRAME_TOKENS: i64 = 4;
/// What a token weighs: a character is a quarter of one.
const WEIGHT: i64 = 4;
/// Tokens that an answer is given room for where nobody says how long it may get.
const USUAL_OUTPUT: u32 = 1_024;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Tokens to read, by an estimate.
    pub input: i64,
    /// Tokens of the answer at most, where the call says so.
    pub output: Option<u32>,
    /// Whether there are pictures to look at.
    pub pictures: bool,
    /// Whether there are tools to use.
    pub tools: bool,
}

impl Needs {
    /// Of a request.
    pub fn of(request: &Request) -> Self {
        Self {
            input: estimate_request(request),
            output: request.max_tokens,
            pictures: blocks(request).any(|block| pictures(block) > 0),
            tools: !request.tools.is_empty(),
        }
    }
}

/// Tokens of a request before it is made: a quarter of its characters, with something for each message, tool and picture.
pub fn estimate_request(request: &Request) -> i64 {
    quarters(weigh_request(request))
}

/// Tokens of a weight, rounded up.
const fn quarters(weight: i64) -> i64 {
    (weight as u64).div_ceil(WEIGHT as u64) as i64
}

/// A request by the estimate, in quarters of a token: weights can be added up without rounding.
pub fn weigh_request(request: &Request) -> i64 {
    let pictures: i64 = blocks(request).map(pictures).sum();
    let frames = (request.messages.len() + request.tools.len()) as i64;
    request.chars() as i64 + WEIGHT * (pictures * PICTURE_TOKENS + frames * FRAME_TOKENS)
}

/// What a message adds to [`weigh_request`].
pub fn weigh_message(message: &Message) -> i64 {
    message.content.iter().map(weigh_block).sum::<i64>() + WEIGHT * FRAME_TOKENS
}

/// What a block adds to [`weigh_message`].
pub fn weigh_block(block: &Block) -> i64 {
    block.chars() as i64 + WEIGHT * pictures(block) * PICTURE_TOKENS
}

fn blocks(request: &Request) -> impl Iterator<Item = &Block> {
    request.messages.iter().flat_map(|message| &message.content).chain(&request.system)
}

fn pictures(block: &Block) -> i64 {
    match block {
        Block::Image { .. } => 1,
        Block::ToolResult { content, .. } => content.iter().map(pictures).sum(),
        _ => 0,
    }
}

/// What a model lacks for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Room.
    Context {
        /// Tokens that it holds.
        holds: u32,
        /// Tokens that the call and its answer take.
        takes: i64,
    },
    /// Room in the window that its route or its caller sets.
    Window {
        /// Tokens of the window, or of the model where it holds less.
        holds: u32,
        /// Tokens that the call and its answer take; of one that was shortened, what must stay.
        takes: i64,
        /// Whether it was shortened as far as may be.
        pruned: bool,
    },
    /// Eyes.
    Pictures,
    /// Hands.
    Tools,
}

impl Lack {
    /// In words, such as "holds 8000 tokens, and this takes some 9200".
    pub fn words(self) -> String {
        match self {
            Self::Context { holds, takes } => format!("holds {holds} tokens, and this takes some {takes}"),
            Self::Window { holds, takes, pruned: false } => {
                format!("may be sent {holds} tokens, and this takes some {takes}")
            }
            Self::Window { holds, takes, pruned: true } => {
                format!("may be sent {holds} tokens, and what must stay of this takes some {takes}")
            }
            Self::Pictures => "takes no pictures".to_owned(),
            Self::Tools => "uses no tools".to_owned(),
        }
    }
}

impl Model {
    /// What it is known to lack for a call. A model of which nothing is said lacks nothing.
    pub fn lacks(&self, needs: &Needs) -> Option<Lack> {
        if needs.pictures && !self.images {
            return Some(Lack::Pictures);
        }
        if needs.tools && !self.tools {
            return Some(Lack::Tools);
        }
        let holds = self.context_tokens?;
        let takes = needs.input + i64::from(self.answer_room(holds, needs.output));
        (takes > i64::from(holds)).then_some(Lack::Context { holds, takes })
    }

    /// Tokens of a window that are its answer's. `asked` is the limit of the answer, where the call names one.
    pub fn answer_room(&self, window: u32, asked: Option<u32>) -> u32 {
        // The answer stands in the same window; one that may get as long as the window would leave no room for the question.
        asked.unwrap_or(USUAL_OUTPUT).min(self.max_output_tokens.unwrap_or(u32::MAX)).min(window / 2)
    }

    /// A line of text: its name, and what is said of it, such as `qwen3 context=32k output=8k schema no-tools`.
    pub fn line(&self) -> String {
        let number = |name: &str, value: Option<u32>| value.map(|value| format!("{name}={}", short(value)));
        let word = |said: bool, word: &str| said.then(|| word.to_owned());
        let said = [
            Some(self.id.clone()),
            number("context", self.context_tokens),
            number("output", self.max_output_tokens),
            word(self.json_schema, "schema"),
            word(!self.images, "no-images"),
            word(!self.tools, "no-tools"),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Reads [`Model::line`] back.
    ///
    /// # Errors
    /// The word that says nothing.
    pub fn read(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let mut model = Self::named(words.next().unwrap_or_default());
        for word in words {
            match (word, word.split_once('=')) {
                ("schema", _) => model.json_schema = true,
                ("no-images", _) => model.images = false,
                ("no-tools", _) => model.tools = false,
                (_, Some(("context", number))) => model.context_tokens = Some(long(number).ok_or(word)?),
                (_, Some(("output", number))) => model.max_output_tokens = Some(long(number).ok_or(word)?),
                _ => return Err(word.to_owned()),
            }
        }
        Ok(model)
    }
}

/// Thousands as `k`.
fn short(number: u32) -> String {
    if number >= 1_000 && number.is_multiple_of(1_000) { format!("{}k", number / 1_000) } else { number.to_string() }
}

fn long(text: &str) -> Option<u32> {
    match text.strip_suffix(['k', 'K']) {
        Some(thousands) => thousands.parse::<u32>().ok()?.checked_mul(1_000),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Dialect, Message, Role};

    fn needs(input: i64, output: Option<u32>) -> Needs {
        Needs { input, output, pictures: false, tools: false }
    }

    #[test]
    fn a_model_of_which_nothing_is_said_lacks_nothing() {
        let needs = Needs { pictures: true, tools: true, ..needs(10_000_000, None) };
        assert_eq!(Model::named("m").lacks(&needs), None);
    }

    #[test]
    fn a_window_holds_the_question_and_the_answer() {
        let model = Model { context_tokens: Some(8_000), ..Model::named("m") };
        assert_eq!(model.lacks(&needs(6_000, Some(2_000))), None);
        assert_eq!(model.lacks(&needs(6_001, Some(2_000))), Some(Lack::Context { holds: 8_000, takes: 8_001 }));
        assert_eq!(model.lacks(&needs(6_976, None)), None);
        // SDKs ask for more than there is; half of the window is enough to try.
        assert_eq!(model.lacks(&needs(4_000, Some(64_000))), None);
        let brief = Model { max_output_tokens: Some(100), ..model };
        assert_eq!(brief.lacks(&needs(7_900, Some(64_000))), None);
    }

    #[test]
    fn what_is_said_of_a_model_is_held_against_the_call() {
        let plain = Model { images: false, tools: false, ..Model::named("m") };
        assert_eq!(plain.lacks(&Needs { pictures: true, ..needs(1, None) }), Some(Lack::Pictures));
        assert_eq!(plain.lacks(&Needs { tools: true, ..needs(1, None) }), Some(Lack::Tools));
        assert_eq!(plain.lacks(&needs(1, None)), None);
    }

    #[test]
    fn a_model_is_a_line_of_text() {
        for line in ["m", "org/m:8b context=32k output=1500 schema no-images no-tools"] {
            assert_eq!(Model::read(line).unwrap().line(), line);
        }
        assert_eq!(Model::read("m context=8K").unwrap().context_tokens, Some(8_000));
        assert_eq!(Model::read("m contxt=8k"), Err("contxt=8k".into()));
        assert_eq!(Model::read("m context=9999999k"), Err("context=9999999k".into()));
    }

    #[test]
    fn a_request_has_a_quarter_of_its_characters_and_a_frame_for_each_message() {
        let mut request = Request::new(Dialect::OpenAi, "m");
        request.messages.push(Message::text(Role::User, "x".repeat(400)));
        assert_eq!(estimate_request(&request), 104);
        assert!(!Needs::of(&request).pictures);
    }
}
