//! What is asked of a model.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::{Block, CacheMark, Dialect, Extra, Message};

/// One call of a model, whoever asks and whoever answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the dialects by itself")]
pub struct Request {
    /// In which dialect it was written; what is `extra` belongs to that one.
    pub dialect: Dialect,
    /// A route, `provider/model`, or a model.
    pub model: String,
    /// The task, before the conversation: texts.
    pub system: Vec<Block>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// What the model may use.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may use several at once; `None` is the provider's default.
    pub parallel_tools: Option<bool>,
    /// What the answer must look like.
    pub output: Option<Output>,
    /// Whether that was said in words too, so that a model that takes no schema can go without.
    pub words_suffice: bool,
    /// Tokens of the answer at most, thoughts included.
    pub max_tokens: Option<u32>,
    /// How the next token is drawn.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Whether it thinks first.
    pub thinking: Option<Thinking>,
    /// How much work it puts in.
    pub effort: Option<Effort>,
    /// How many answers are asked for, 1..=128; more than one is known to Chat Completions alone.
    #[serde(default = "one")]
    pub answers: u32,
    /// Whether the answer comes piece by piece.
    pub stream: bool,
    /// Whether whoever asked in OpenAI's dialect wants the usage at the end of the stream.
    pub stream_usage: bool,
    /// What is switched on by a header in Anthropic's dialect.
    pub betas: Vec<String>,
    /// What binds it to others of the same conversation, where whoever asks says so. Only its hash is remembered.
    #[serde(default)]
    pub session: Option<String>,
    /// Whether a stream is held back until it is whole, so that it is asked for again, here or elsewhere, where it breaks off.
    #[serde(default)]
    pub held: bool,
    /// Fields that only its own dialect knows.
    pub extra: Extra,
}

impl Request {
    /// A request with nothing in it.
    pub fn new(dialect: Dialect, model: impl Into<String>) -> Self {
        Self {
            dialect,
            model: model.into(),
            system: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            output: None,
            words_suffice: false,
            max_tokens: None,
            sampling: Sampling::default(),
            stop: Vec::new(),
            thinking: None,
            effort: None,
            answers: 1,
            stream: false,
            stream_usage: false,
            betas: Vec::new(),
            session: None,
            held: false,
            extra: Extra::new(),
        }
    }

    /// The conversation that it belongs to: what was said of it, else what its dialect has for it.
    pub fn session(&self) -> Option<&str> {
        let user = self.extra.get("metadata").and_then(|metadata| metadata.get("user_id"));
        let told = [self.extra.get("prompt_cache_key"), user].into_iter().flatten().filter_map(Value::as_str);
        self.session.as_deref().into_iter().chain(told).find(|text| !text.is_empty())
    }

    /// What the answer must look like, for a model that takes a schema or does not.
    pub fn output_for(&self, takes_schema: bool) -> Option<&Output> {
        self.output.as_ref().filter(|_| takes_schema || !self.words_suffice)
    }

    /// Characters of text in it, for estimates; pictures count nothing.
    pub fn chars(&self) -> u64 {
        let blocks = self.messages.iter().flat_map(|message| &message.content).chain(&self.system);
        let tools = self.tools.iter().map(Tool::chars).sum::<u64>();
        blocks.map(Block::chars).sum::<u64>() + tools
    }
}

/// How many answers most requests ask for.
const fn one() -> u32 {
    1
}

/// How the next token is drawn; `None` is the provider's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// 0.0 is always the likeliest.
    pub temperature: Option<f64>,
    /// Only the likeliest that make up so much, 0.0..=1.0.
    pub top_p: Option<f64>,
    /// Only so many of the likeliest.
    pub top_k: Option<u32>,
    /// The same seed draws the same, as far as the provider can.
    pub seed: Option<i64>,
    /// -2.0..=2.0.
    pub frequency_penalty: Option<f64>,
    /// -2.0..=2.0.
    pub presence_penalty: Option<f64>,
}

/// Something the model may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Tool {
    /// The caller performs it.
    Function {
        /// By which the model names it.
        name: String,
        /// What it does.
        description: Option<String>,
        /// A JSON Schema of its input.
        input_schema: Value,
        /// Whether the input must fit exactly.
        strict: Option<bool>,
        /// Whether the prefix up to here is worth keeping.
        cache: Option<CacheMark>,
        /// What only its own dialect knows.
        extra: Extra,
    },
    /// The provider performs it, or it is of a kind that only its dialect knows.
    Native {
        /// As it was sent.
        value: Value,
    },
}

impl Tool {
    fn chars(&self) -> u64 {
        match self {
            Self::Function { name, description, input_schema, .. } => {
                let description = description.as_ref().map_or(0, |text| text.chars().count());
                (name.len() + description + input_schema.to_string().len()) as u64
            }
            Self::Native { value } => value.to_string().len() as u64,
        }
    }
}

/// Whether a tool must be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ToolChoice {
    /// As the model likes.
    Auto,
    /// Some tool.
    Any,
    /// None.
    None,
    /// This one.
    Tool {
        /// Its name.
        name: String,
    },
}

/// What the answer must look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Output {
    /// Some JSON object.
    Json,
    /// JSON that fits a schema.
    Schema {
        /// What the schema is called, where the dialect has a name for it.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// A JSON Schema.
        schema: Value,
        /// Whether the answer must fit exactly.
        strict: Option<bool>,
    },
}

/// Whether the model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Thinking {
    /// It doesn't.
    Off,
    /// It does, with so many tokens at most.
    Budget {
        /// At least 1024 at Anthropic.
        tokens: u32,
    },
    /// As much as it finds right.
    Adaptive,
}

/// How much work the model puts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// None that can be saved.
    None,
    /// Next to none.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// All.
    Max,
}

impl Effort {
    /// Every one, least first.
    pub const ALL: [Self; 7] = [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// As on every wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// Reads [`Effort::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == text)
    }
}
