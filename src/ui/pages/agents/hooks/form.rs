//! A hook as text on the form, and what it means.

use crate::model::agent::{Hook, HookAct, HookPoint, Setting};

/// What a hook does, as one chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Deny,
    Ask,
    Edit,
    Log,
    Allow,
}

impl Act {
    pub const ALL: [Self; 5] = [Self::Deny, Self::Ask, Self::Edit, Self::Log, Self::Allow];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Edit => "edit",
            Self::Log => "log",
            Self::Allow => "allow",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }

    /// As on the form.
    pub const fn label(self, when: HookPoint) -> &'static str {
        use HookPoint as P;
        match (self, when) {
            (Self::Deny, P::Before) => "deny the call",
            (Self::Deny, P::After) => "hold the result back",
            (Self::Deny, P::Answer) => "send the answer back",
            (Self::Deny, P::Heard) => "hold the message back",
            (Self::Ask, _) => "ask a person",
            (Self::Edit, P::Before) => "edit the arguments",
            (Self::Edit, P::After) => "edit the result",
            (Self::Edit, P::Answer) => "edit the answer",
            (Self::Edit, P::Heard) => "edit the message",
            (Self::Log, _) => "note it, and go on",
            (Self::Allow, _) => "end the hooks",
        }
    }
}

/// What the controls of a hook hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookForm {
    pub name: String,
    pub when: HookPoint,
    /// Patterns with commas between them.
    pub tools: String,
    pub condition: String,
    pub act: Act,
    pub message: String,
    /// `path = template`, one on a line.
    pub set: String,
    pub whole: String,
}

impl HookForm {
    /// A new one, which holds everything back until somebody says what.
    pub fn new(name: String) -> Self {
        Self {
            name,
            when: HookPoint::Before,
            tools: String::new(),
            condition: String::new(),
            act: Act::Deny,
            message: String::new(),
            set: String::new(),
            whole: String::new(),
        }
    }

    pub fn of(hook: &Hook) -> Self {
        let mut form = Self {
            when: hook.when,
            tools: hook.tools.join(", "),
            condition: hook.condition.clone(),
            ..Self::new(hook.name.clone())
        };
        form.act = match &hook.does {
            HookAct::Allow {} => Act::Allow,
            HookAct::Deny { message } => {
                form.message.clone_from(message);
                Act::Deny
            }
            HookAct::Ask { message } => {
                form.message.clone_from(message);
                Act::Ask
            }
            HookAct::Log { message } => {
                form.message.clone_from(message);
                Act::Log
            }
            HookAct::Edit { set, whole } => {
                let line = |one: &Setting| format!("{} = {}", one.path, escaped(&one.value));
                form.set = set.iter().map(line).collect::<Vec<_>>().join("\n");
                form.whole.clone_from(whole);
                Act::Edit
            }
        };
        form
    }

    /// What is sent; what can't be so is left to the server to refuse by its field.
    pub fn hook(&self) -> Hook {
        let tools = self.tools.split([',', '\n']).map(str::trim).filter(|tool| !tool.is_empty());
        let message = self.message.trim().to_owned();
        Hook {
            name: self.name.trim().to_owned(),
            when: self.when,
            // What is about words has none, and keeps those that were typed until it is about calls again.
            tools: if self.when.is_of_words() { Vec::new() } else { tools.map(str::to_owned).collect() },
            condition: self.condition.trim().to_owned(),
            does: match self.act {
                Act::Allow => HookAct::Allow {},
                Act::Deny => HookAct::Deny { message },
                Act::Ask => HookAct::Ask { message },
                Act::Log => HookAct::Log { message },
                Act::Edit => HookAct::Edit {
                    set: if self.when == HookPoint::Before { settings(&self.set) } else { Vec::new() },
                    whole: self.whole.trim().to_owned(),
                },
            },
        }
    }
}

fn settings(text: &str) -> Vec<Setting> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (path, value) = line.split_once('=').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            Setting { path: path.trim().to_owned(), value: unescaped(value) }
        })
        .collect()
}

/// A value on one line.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n")
}

/// Reads [`escaped`] back; any other backslash stands for itself.
fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\\')) => {
                chars.next();
                text.push('\\');
            }
            ('\\', Some('n')) => {
                chars.next();
                text.push('\n');
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_reads_back_as_it_was() {
        let set = |path: &str, value: &str| Setting { path: path.to_owned(), value: value.to_owned() };
        let acts = [
            HookAct::Allow {},
            HookAct::Deny { message: "Not at night.".into() },
            HookAct::Ask { message: "Look.".into() },
            HookAct::Log { message: "wrote {{ arguments.path }}".into() },
            HookAct::Edit {
                set: vec![set("headers.x-team", "loom"), set("body", "a = b\n\\d \\n ")],
                whole: String::new(),
            },
            HookAct::Edit { set: Vec::new(), whole: "dict(arguments, method=\"GET\")".into() },
        ];
        for does in acts {
            let hook = Hook {
                name: "night watch".into(),
                when: HookPoint::Before,
                tools: vec!["shell".into(), "memory_*".into()],
                condition: "tainted".into(),
                does,
            };
            assert_eq!(HookForm::of(&hook).hook(), hook);
        }
    }

    #[test]
    fn what_is_about_words_names_no_tools() {
        let form = HookForm { when: HookPoint::Answer, tools: "shell".into(), ..HookForm::new("keys".into()) };
        assert_eq!((form.hook().when, form.hook().tools), (HookPoint::Answer, Vec::new()));
    }

    #[test]
    fn of_an_edit_afterwards_only_the_result_is_sent() {
        let form = HookForm {
            when: HookPoint::After,
            act: Act::Edit,
            set: "url = x".into(),
            whole: "result | upper".into(),
            ..HookForm::new("shout".into())
        };
        assert_eq!(form.hook().does, HookAct::Edit { set: Vec::new(), whole: "result | upper".into() });
    }
}
