//! Whether hooks can be hooks. Every refusal names its place and what was expected.

use super::{
    Hook, HookAct, HookPoint, HookTrial, MAX_HOOK_MESSAGE, MAX_HOOK_NAME, MAX_HOOKS, MAX_SETTINGS, Setting, edit, fits,
};
use crate::model::FieldError;
use crate::model::agent::AgentTool;
use crate::model::workflow::expression::{check_expression_of, check_template_of};

const MAX_PATTERNS: usize = 20;
const MAX_PATTERN: usize = 60;
const MAX_CONDITION: usize = 2_000;
const MAX_PATH: usize = 200;
const MAX_VALUE: usize = 4_000;
/// Bytes of all hooks of an agent together, as JSON: every task keeps them.
const MAX_ALL: usize = 100_000;

/// What does not fit, by its place below `at`, such as `/spec/hooks`.
pub fn faults(hooks: &[Hook], at: &str) -> Vec<FieldError> {
    let mut found = Found(Vec::new());
    found.unless(hooks.len() <= MAX_HOOKS, at, || format!("expected at most {MAX_HOOKS}, found {}", hooks.len()));
    let hooks = &hooks[..hooks.len().min(MAX_HOOKS)];
    let size = serde_json::to_string(hooks).map_or(usize::MAX, |text| text.len());
    found.unless(size <= MAX_ALL, at, || format!("expected at most {MAX_ALL} bytes together, found {size}"));
    for (place, hook) in hooks.iter().enumerate() {
        let at = format!("{at}/{place}");
        let is_new = !hooks[..place].iter().any(|other| other.name.trim() == hook.name.trim());
        found.unless(is_new, &format!("{at}/name"), || format!("{} is there twice", hook.name.trim()));
        found.hook(hook, &at);
    }
    found.0
}

impl HookTrial {
    /// What does not fit, by its place.
    pub fn faults(&self) -> Vec<FieldError> {
        let mut found = Found(faults(&self.hooks, "/hooks"));
        let fits = self.arguments.is_object() && self.arguments.to_string().len() <= edit::MAX_ARGUMENTS;
        found.unless(fits, "/arguments", || format!("expected an object of at most {} bytes", edit::MAX_ARGUMENTS));
        let length = self.result.as_ref().map_or(0, |text| text.chars().count());
        found.unless(length <= edit::MAX_TEXT, "/result", || format!("expected at most {} characters", edit::MAX_TEXT));
        for (text, at) in [(&self.answer, "/answer"), (&self.heard, "/heard")] {
            let length = text.as_ref().map_or(0, |text| text.chars().count());
            found.unless(length <= edit::MAX_TEXT, at, || format!("expected at most {} characters", edit::MAX_TEXT));
        }
        let length = self.agent.chars().count();
        found.unless(length <= MAX_HOOK_NAME, "/agent", || format!("expected at most {MAX_HOOK_NAME} characters"));
        found.0
    }
}

struct Found(Vec<FieldError>);

impl Found {
    fn unless(&mut self, fits: bool, at: &str, message: impl FnOnce() -> String) {
        if !fits {
            self.0.push(FieldError::new(at, message()));
        }
    }

    fn hook(&mut self, hook: &Hook, at: &str) {
        let fits = (1..=MAX_HOOK_NAME).contains(&hook.name.trim().chars().count())
            && hook.name.chars().count() <= MAX_HOOK_NAME
            && !hook.name.contains(char::is_control);
        self.unless(fits, &format!("{at}/name"), || format!("expected a name of 1 to {MAX_HOOK_NAME} characters"));
        let place = format!("{at}/tools");
        self.unless(hook.tools.is_empty() || !hook.when.is_of_words(), &place, || {
            "expected no tools: it is about words that come without one".to_owned()
        });
        self.patterns(&hook.tools, &place);
        let place = format!("{at}/condition");
        self.length(&hook.condition, MAX_CONDITION, &place);
        if !hook.condition.trim().is_empty() {
            self.expression(&hook.condition, hook.when, &place);
        }
        let does = format!("{at}/does");
        match &hook.does {
            HookAct::Allow {} => {}
            HookAct::Deny { message } => self.message(message, &does),
            HookAct::Ask { message } => {
                self.unless(hook.when.can_ask(), &does, || match hook.when {
                    HookPoint::Heard => "expected allow, deny, edit or log of what was written to the agent".to_owned(),
                    _ => "expected allow, deny, edit or log after a call: it is done then".to_owned(),
                });
                self.message(message, &does);
            }
            HookAct::Log { message } => {
                let place = format!("{does}/message");
                self.length(message, MAX_HOOK_MESSAGE, &place);
                self.unless(!message.trim().is_empty(), &place, || "expected what is to be noted".to_owned());
                self.template(message, hook.when, &place);
            }
            HookAct::Edit { set, whole } => self.edit(set, whole, hook.when, &does),
        }
    }

    fn patterns(&mut self, patterns: &[String], at: &str) {
        self.unless(patterns.len() <= MAX_PATTERNS, at, || format!("expected at most {MAX_PATTERNS}"));
        for (place, pattern) in patterns.iter().take(MAX_PATTERNS).enumerate() {
            // One that is about nothing would never hold anything back, and nobody would see it.
            let is_known = pattern.chars().count() <= MAX_PATTERN
                && AgentTool::ALL.into_iter().any(|tool| fits(pattern, tool.as_str()));
            self.unless(is_known, &format!("{at}/{place}"), || {
                "expected the name of a tool such as shell, or a pattern such as memory_*".to_owned()
            });
        }
    }

    fn edit(&mut self, set: &[Setting], whole: &str, when: HookPoint, at: &str) {
        let has_whole = !whole.trim().is_empty();
        match when {
            HookPoint::Before => self.unless(has_whole == set.is_empty(), at, || {
                "expected either single arguments to set, or an expression for all of them".to_owned()
            }),
            HookPoint::After => self.unless(has_whole && set.is_empty(), at, || {
                "expected an expression for the whole result after a call".to_owned()
            }),
            HookPoint::Answer | HookPoint::Heard => {
                self.unless(has_whole && set.is_empty(), at, || "expected an expression for all the words".to_owned())
            }
        }
        let place = format!("{at}/whole");
        self.length(whole, MAX_VALUE, &place);
        if has_whole {
            self.expression(whole, when, &place);
        }
        let place = format!("{at}/set");
        self.unless(set.len() <= MAX_SETTINGS, &place, || format!("expected at most {MAX_SETTINGS}"));
        for (index, setting) in set.iter().take(MAX_SETTINGS).enumerate() {
            let path = &setting.path;
            let fits = path.chars().count() <= MAX_PATH
                && !path.contains(|c: char| c.is_control() || c == '=')
                && path.split('.').all(|part| !part.trim().is_empty());
            self.unless(fits, &format!("{place}/{index}/path"), || {
                format!("expected an argument such as url or headers.accept, of at most {MAX_PATH} characters")
            });
            let place = format!("{place}/{index}/value");
            self.length(&setting.value, MAX_VALUE, &place);
            self.template(&setting.value, when, &place);
        }
    }

    fn message(&mut self, message: &str, at: &str) {
        self.length(message, MAX_HOOK_MESSAGE, &format!("{at}/message"));
    }

    fn length(&mut self, text: &str, most: usize, at: &str) {
        let fits = text.chars().count() <= most && !text.contains('\0');
        self.unless(fits, at, || format!("expected at most {most} characters"));
    }

    fn expression(&mut self, source: &str, when: HookPoint, at: &str) {
        if let Err(error) = check_expression_of(source, when.names()) {
            self.0.push(FieldError::new(at, error.to_string()));
        }
    }

    fn template(&mut self, source: &str, when: HookPoint, at: &str) {
        if let Err(error) = check_template_of(source, when.names()) {
            self.0.push(FieldError::new(at, error.to_string()));
        }
    }
}
