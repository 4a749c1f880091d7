//! The form of an agent as text, and what it means.

use super::hooks::HookForm;
use super::persona_form::{Way, variable, variable_line};
use crate::model::agent::{
    Agent, AgentDraft, AgentLimits, AgentSpec, AgentTool, Conflict, Hook, OnConflict, Rule, Ruling, TakesLeases,
};
use crate::model::gateway::{parse_usd, short_usd};
use crate::ui::components::{ContextForm, TeamForm};

/// Rules of an agent.
pub(super) const MOST_RULES: usize = 50;
const MINUTE_MS: f64 = 60_000.0;

/// A rule on the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Tells it from the others, wherever it stands.
    pub key: u32,
    pub rule: Rule,
}

/// A hook on the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HookLine {
    /// Tells it from the others, wherever it stands.
    pub key: u32,
    pub hook: HookForm,
}

/// What the controls hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub name: String,
    pub description: String,
    pub persona: String,
    /// One on a line, with what holds by itself after `=`.
    pub variables: String,
    pub personas: Vec<Way>,
    pub between_personas: Conflict,
    pub model: String,
    pub max_tokens: String,
    pub temperature: String,
    pub tools: Vec<AgentTool>,
    /// The lists: one on a line.
    pub expertise: String,
    pub hosts: String,
    pub reads: String,
    pub writes: String,
    pub workflows: String,
    pub agents: String,
    pub folder: String,
    pub repository: String,
    pub leases: TakesLeases,
    pub on_conflict: OnConflict,
    pub rules: Vec<Line>,
    pub hooks: Vec<HookLine>,
    pub approvers: String,
    pub turns: String,
    pub tokens: String,
    /// Dollars; empty: only budgets limit it.
    pub cost: String,
    /// Minutes.
    pub work: String,
    /// Tasks at once; empty: any number.
    pub parallel: String,
    pub context: ContextForm,
    pub team: TeamForm,
    pub hears_messages: bool,
    pub(super) next_key: u32,
}

impl Form {
    /// For a new agent.
    pub fn new(name: &str, spec: &AgentSpec) -> Self {
        let number = |value: Option<String>| value.unwrap_or_default();
        let lines = (0..).zip(&spec.rules).map(|(key, rule)| Line { key, rule: rule.clone() });
        let first = spec.rules.len() as u32;
        let hooks = (first..).zip(&spec.hooks).map(|(key, hook)| HookLine { key, hook: HookForm::of(hook) });
        Self {
            name: name.to_owned(),
            description: spec.description.clone(),
            persona: spec.persona.clone(),
            variables: spec.variables.iter().map(variable_line).collect::<Vec<_>>().join("\n"),
            personas: (0..).zip(&spec.personas).map(|(key, persona)| Way::of(key, persona)).collect(),
            between_personas: spec.between_personas,
            model: spec.model.clone(),
            max_tokens: number(spec.max_tokens.map(|tokens| tokens.to_string())),
            temperature: number(spec.temperature.map(|temperature| temperature.to_string())),
            tools: spec.tools.clone(),
            expertise: spec.expertise.join("\n"),
            hosts: spec.hosts.join("\n"),
            reads: spec.reads.join("\n"),
            writes: spec.writes.join("\n"),
            workflows: spec.workflows.join("\n"),
            agents: spec.agents.join("\n"),
            folder: spec.folder.clone(),
            repository: spec.repository.clone(),
            leases: spec.leases,
            on_conflict: spec.on_conflict,
            rules: lines.collect(),
            hooks: hooks.collect(),
            approvers: spec.approvers.join("\n"),
            turns: spec.limits.turns.to_string(),
            tokens: spec.limits.tokens.to_string(),
            cost: number(spec.limits.cost_micros.map(short_usd)),
            work: (spec.limits.work_ms as f64 / MINUTE_MS).to_string(),
            parallel: number(spec.limits.parallel.map(|tasks| tasks.to_string())),
            context: ContextForm::of(Some(&spec.context)),
            team: TeamForm::of(spec.team.as_ref()),
            hears_messages: spec.hears_messages,
            next_key: (first + spec.hooks.len() as u32).max(spec.personas.len() as u32),
        }
    }

    /// Of an agent that there is.
    pub fn of(agent: &Agent) -> Self {
        Self::new(&agent.name, &agent.spec)
    }

    /// What is sent; what can't be read is sent as what the server refuses by its field.
    pub fn draft(&self) -> AgentDraft {
        let text = |text: &str| text.trim().to_owned();
        let spec = AgentSpec {
            description: text(&self.description),
            persona: text(&self.persona),
            variables: lines(&self.variables).iter().map(|line| variable(line)).collect(),
            personas: self.personas.iter().map(Way::read).collect(),
            between_personas: self.between_personas,
            model: text(&self.model),
            max_tokens: optional(&self.max_tokens, |text| whole(text).unwrap_or(0)),
            temperature: optional(&self.temperature, |text| {
                text.parse().ok().filter(|t: &f64| t.is_finite()).unwrap_or(-1.0)
            }),
            tools: AgentTool::ALL.into_iter().filter(|tool| self.tools.contains(tool)).collect(),
            expertise: lines(&self.expertise),
            hosts: lines(&self.hosts),
            reads: lines(&self.reads),
            writes: lines(&self.writes),
            workflows: lines(&self.workflows),
            agents: lines(&self.agents),
            folder: text(&self.folder),
            repository: text(&self.repository),
            leases: self.leases,
            on_conflict: self.on_conflict,
            rules: self.rules(),
            hooks: self.hooks(),
            approvers: lines(&self.approvers),
            limits: AgentLimits {
                turns: whole(&self.turns).unwrap_or(0),
                tokens: whole(&self.tokens).unwrap_or(0),
                cost_micros: optional(&self.cost, |text| parse_usd(text).unwrap_or(0)),
                work_ms: self.work.trim().parse().map_or(0, |minutes: f64| (minutes * MINUTE_MS).round() as i64),
                parallel: optional(&self.parallel, |text| whole(text).unwrap_or(0)),
            },
            context: self.context.rule().unwrap_or_default(),
            team: self.team.team(),
            hears_messages: self.hears_messages,
        };
        AgentDraft { name: text(&self.name), spec }
    }

    /// The rules as they stand.
    pub fn rules(&self) -> Vec<Rule> {
        self.rules.iter().map(|line| line.rule.clone()).collect()
    }

    /// The hooks as they stand.
    pub fn hooks(&self) -> Vec<Hook> {
        self.hooks.iter().map(|line| line.hook.hook()).collect()
    }

    /// Hands a tool out, or takes it back.
    pub fn switch(&mut self, tool: AgentTool, on: bool) {
        self.tools.retain(|one| *one != tool);
        if on {
            self.tools.push(tool);
        }
    }

    /// Whether one of these tools is handed out.
    pub fn has(&self, tools: &[AgentTool]) -> bool {
        tools.iter().any(|tool| self.tools.contains(tool))
    }

    /// Adds a rule at the end; its key.
    pub fn add(&mut self) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        let rule = Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Ask };
        self.rules.push(Line { key, rule });
        key
    }

    /// Where a rule stands, from 0.
    pub fn place(&self, key: u32) -> Option<usize> {
        self.rules.iter().position(|line| line.key == key)
    }

    /// Moves a rule; beyond an end it stays.
    pub fn shift(&mut self, key: u32, by: isize) {
        let Some(from) = self.place(key) else { return };
        if let Some(to) = from.checked_add_signed(by).filter(|to| *to < self.rules.len()) {
            self.rules.swap(from, to);
        }
    }

    /// Adds a hook at the end; its key.
    pub fn add_hook(&mut self) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        let is_new = |name: &String| !self.hooks.iter().any(|line| line.hook.name == *name);
        let name = (1..=self.hooks.len() + 1).map(|number| format!("hook {number}")).find(is_new).unwrap_or_default();
        self.hooks.push(HookLine { key, hook: HookForm::new(name) });
        key
    }

    /// A hook by its key.
    pub fn hook(&self, key: u32) -> Option<&HookForm> {
        self.hooks.iter().find(|line| line.key == key).map(|line| &line.hook)
    }

    /// Where a hook stands, from 0.
    pub fn place_of_hook(&self, key: u32) -> Option<usize> {
        self.hooks.iter().position(|line| line.key == key)
    }

    /// Moves a hook; beyond an end it stays.
    pub fn shift_hook(&mut self, key: u32, by: isize) {
        let Some(from) = self.place_of_hook(key) else { return };
        if let Some(to) = from.checked_add_signed(by).filter(|to| *to < self.hooks.len()) {
            self.hooks.swap(from, to);
        }
    }

    /// Alters a hook.
    pub fn alter_hook(&mut self, key: u32, alter: impl FnOnce(&mut HookForm)) {
        if let Some(line) = self.hooks.iter_mut().find(|line| line.key == key) {
            alter(&mut line.hook);
        }
    }

    /// Alters a rule.
    pub fn alter(&mut self, key: u32, alter: impl FnOnce(&mut Rule)) {
        if let Some(line) = self.rules.iter_mut().find(|line| line.key == key) {
            alter(&mut line.rule);
        }
    }
}

/// What stands on the lines of a list.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A number that may be left out.
fn optional<T>(text: &str, read: impl FnOnce(&str) -> T) -> Option<T> {
    let text = text.trim();
    (!text.is_empty()).then(|| read(text))
}

/// A whole number; commas and blanks may part thousands.
fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{Persona, TEMPLATES, Team, Variable};
    use crate::model::gateway::ContextRule;

    #[test]
    fn an_agent_reads_back_as_it_was() {
        for template in TEMPLATES {
            let spec = AgentSpec {
                max_tokens: Some(4096),
                temperature: Some(0.7),
                expertise: vec!["rust".into(), "tax law".into()],
                variables: vec![
                    Variable { name: "customer".into(), default: None },
                    Variable { name: "sum".into(), default: Some("a = b, c".into()) },
                    Variable { name: "note".into(), default: Some(String::new()) },
                ],
                personas: vec![Persona {
                    name: "German".into(),
                    text: "Work in German.".into(),
                    words: vec!["auf Deutsch".into(), "c++".into()],
                    when: "inputs.task | length > 3".into(),
                    priority: 7,
                    adds: true,
                }],
                between_personas: Conflict::Refuse,
                hosts: vec!["api.example.org".into(), "*.example.com".into()],
                limits: AgentLimits {
                    turns: 7,
                    tokens: 1_000,
                    cost_micros: Some(2_500_000),
                    work_ms: 1_001,
                    parallel: Some(3),
                },
                context: ContextRule { window: 8_000, ..ContextRule::default() },
                leases: TakesLeases::Never,
                on_conflict: OnConflict::Merge,
                team: Some(Team { members: vec!["coder".into()], adaptive: true, ..Team::default() }),
                hears_messages: true,
                ..template.spec()
            };
            let draft = Form::new(template.name, &spec).draft();
            let mut tools = spec.tools.clone();
            tools.sort_unstable();
            assert_eq!(draft.name, template.name);
            assert_eq!(draft.spec, AgentSpec { tools, ..spec });
        }
    }

    #[test]
    fn what_can_t_be_read_is_left_to_the_server_to_refuse() {
        let blank = Form::new("", &AgentSpec::new(""));
        let form = Form {
            max_tokens: "many".into(),
            temperature: "warm".into(),
            turns: "some".into(),
            cost: "a lot".into(),
            work: "long".into(),
            parallel: "few".into(),
            ..blank
        };
        let spec = form.draft().spec;
        assert_eq!((spec.max_tokens, spec.temperature), (Some(0), Some(-1.0)));
        assert_eq!((spec.limits.turns, spec.limits.cost_micros, spec.limits.work_ms), (0, Some(0), 0));
        assert_eq!(spec.limits.parallel, Some(0));
    }

    #[test]
    fn thousands_may_be_parted() {
        let form = Form { tokens: "1,000 000".into(), ..Form::new("", &AgentSpec::new("")) };
        assert_eq!(form.draft().spec.limits.tokens, 1_000_000);
    }

    #[test]
    fn a_rule_keeps_its_key_wherever_it_moves() {
        let mut form = Form::new("", &AgentSpec::new(""));
        let (first, second) = (form.add(), form.add());
        form.shift(second, -1);
        form.shift(second, -1);
        assert_eq!((form.place(second), form.place(first)), (Some(0), Some(1)));
        form.rules.retain(|line| line.key != second);
        assert_eq!(form.add(), second + 1);
    }

    #[test]
    fn a_hook_has_a_name_of_its_own_and_keeps_its_key_wherever_it_moves() {
        let mut form = Form::new("", &AgentSpec::new(""));
        let (first, second) = (form.add_hook(), form.add_hook());
        form.shift_hook(second, -1);
        form.shift_hook(second, -1);
        assert_eq!((form.place_of_hook(second), form.place_of_hook(first)), (Some(0), Some(1)));
        form.hooks.retain(|line| line.key != first);
        let third = form.add_hook();
        assert_eq!(
            form.hook(third).map(|hook| hook.name.as_str()),
            Some("hook 1"),
            "hook 2 is taken, and hook 1 is free again"
        );
        assert_eq!(form.hooks().len(), 2);
    }
}
