//! What a program is told so that it asks here: ready to be copied, with the address of this server.

use leptos::prelude::*;

use crate::model::gateway::Endpoints;
use crate::ui::components::{CopyButton, Tab, TabPanel, Tabs};

/// A program that can be pointed at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    ClaudeCode,
    Codex,
    AnthropicPython,
    AnthropicTypeScript,
    OpenAiPython,
    OpenAiTypeScript,
    Curl,
    Others,
}

impl Program {
    const ALL: [Self; 8] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::AnthropicPython,
        Self::AnthropicTypeScript,
        Self::OpenAiPython,
        Self::OpenAiTypeScript,
        Self::Curl,
        Self::Others,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::AnthropicPython => "anthropic-python",
            Self::AnthropicTypeScript => "anthropic-typescript",
            Self::OpenAiPython => "openai-python",
            Self::OpenAiTypeScript => "openai-typescript",
            Self::Curl => "curl",
            Self::Others => "others",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
            Self::AnthropicPython => "Anthropic Python",
            Self::AnthropicTypeScript => "Anthropic TS",
            Self::OpenAiPython => "OpenAI Python",
            Self::OpenAiTypeScript => "OpenAI TS",
            Self::Curl => "curl",
            Self::Others => "Others",
        }
    }
}

/// What stands in place of the secret where it is not known any more.
const PLACE: &str = "weft_gw_…";
/// What stands in place of a model where none is known.
const MODEL: &str = "a-model";

/// The settings for each program.
#[component]
pub(super) fn Settings(
    /// Unique on the page.
    id: &'static str,
    endpoints: Endpoints,
    /// The key's secret, while it is known.
    secret: Option<String>,
    /// A name that the key may ask for.
    model: Option<String>,
) -> impl IntoView {
    let chosen = RwSignal::new(Program::ALL[0].name().to_owned());
    let tabs: Vec<Tab> = Program::ALL.iter().map(|program| Tab::new(program.name(), program.label())).collect();
    let secret = secret.unwrap_or_else(|| PLACE.to_owned());
    let model = model.filter(|name| is_plain(name)).unwrap_or_else(|| MODEL.to_owned());
    let panels = Program::ALL.map(|program| {
        let text = text(program, &endpoints, &secret, &model);
        view! {
            <TabPanel id name=program.name() chosen>
                <div class="secret">
                    <code class="call">{text.clone()}</code>
                    <CopyButton text=Signal::stored(text.clone()) label="Copy the settings" />
                </div>
            </TabPanel>
        }
    });
    view! {
        <div class="stack settings">
            <Tabs id label="Programs" tabs=Signal::stored(tabs) chosen on_choose=move |name| chosen.set(name) />
            {panels.into_iter().collect_view()}
        </div>
    }
}

/// Whether a name means the same in a shell, in Python and in JSON. Others are left out: what is copied is run.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@'))
}

/// What is copied for a program. No part of it has characters that any of these languages quotes.
fn text(program: Program, endpoints: &Endpoints, secret: &str, model: &str) -> String {
    let Endpoints { anthropic, openai } = endpoints;
    match program {
        Program::ClaudeCode => format!(
            "export ANTHROPIC_BASE_URL={anthropic}\nexport ANTHROPIC_API_KEY={secret}\nexport ANTHROPIC_MODEL={model}\nclaude"
        ),
        // The file holds where it asks, the environment with what: the key is in no file.
        Program::Codex => format!(
            "# in ~/.codex/config.toml\nmodel = \"{model}\"\nmodel_provider = \"weft\"\n\n[model_providers.weft]\nname = \"Weft\"\n\
             base_url = \"{openai}\"\nenv_key = \"WEFT_GATEWAY_KEY\"\nwire_api = \"responses\"\n\n# in the shell\n\
             export WEFT_GATEWAY_KEY={secret}\ncodex"
        ),
        Program::AnthropicPython => format!(
            "import anthropic\n\nclient = anthropic.Anthropic(\n    base_url=\"{anthropic}\",\n    api_key=\"{secret}\",\n)\n\
             message = client.messages.create(\n    model=\"{model}\",\n    max_tokens=1024,\n    \
             messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n)\nprint(message.content[0].text)"
        ),
        Program::AnthropicTypeScript => format!(
            "import Anthropic from '@anthropic-ai/sdk';\n\nconst client = new Anthropic({{\n  baseURL: '{anthropic}',\n  \
             apiKey: '{secret}',\n}});\nconst message = await client.messages.create({{\n  model: '{model}',\n  \
             max_tokens: 1024,\n  messages: [{{ role: 'user', content: 'Hello' }}],\n}});\nconsole.log(message.content[0]);"
        ),
        Program::OpenAiPython => format!(
            "from openai import OpenAI\n\nclient = OpenAI(\n    base_url=\"{openai}\",\n    api_key=\"{secret}\",\n)\n\
             answer = client.chat.completions.create(\n    model=\"{model}\",\n    \
             messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n)\nprint(answer.choices[0].message.content)"
        ),
        Program::OpenAiTypeScript => format!(
            "import OpenAI from 'openai';\n\nconst client = new OpenAI({{\n  baseURL: '{openai}',\n  apiKey: '{secret}',\n}});\n\
             const answer = await client.chat.completions.create({{\n  model: '{model}',\n  \
             messages: [{{ role: 'user', content: 'Hello' }}],\n}});\nconsole.log(answer.choices[0].message.content);"
        ),
        Program::Curl => format!(
            "curl {openai}/chat/completions \\\n  -H 'Authorization: Bearer {secret}' \\\n  -H 'Content-Type: application/json' \\\n  \
             -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
        ),
        // The official SDKs of every language read these, and so do most programs that are made with them.
        Program::Others => format!(
            "# for programs that speak the API of OpenAI\nexport OPENAI_BASE_URL={openai}\nexport OPENAI_API_KEY={secret}\n\n\
             # for programs that speak that of Anthropic\nexport ANTHROPIC_BASE_URL={anthropic}\nexport ANTHROPIC_API_KEY={secret}\n\n\
             # the model to ask for: {model}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_run_is_not_copied() {
        assert!(is_plain("org/claude-sonnet-4.5:latest@eu"));
        assert!(!["$(reboot)", "a;b", "a\"b", "a'b", "a b", "`x`"].into_iter().any(is_plain));
    }

    #[test]
    fn every_program_is_told_the_address_the_key_and_the_model() {
        let endpoints = Endpoints { anthropic: "http://h/a".to_owned(), openai: "http://h/o".to_owned() };
        for program in Program::ALL {
            let text = text(program, &endpoints, "weft_gw_x", "smart");
            assert!(text.contains("http://h/"), "{text}");
            assert!(text.contains("weft_gw_x") && text.contains("smart"), "{text}");
            assert!(!text.contains("{{") && !text.contains("}}\n}}"), "{text}");
        }
    }
}
