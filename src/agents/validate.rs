//! What agents must look like. Pure; every refusal names the place of the field and what was expected.

mod persona;
mod task;
mod team;

pub(super) use task::task;

use super::error::{Error, Result};
use crate::memory;
use crate::model::FieldError;
use crate::model::agent::{AgentDraft, AgentLimits, AgentSpec, AgentTool, hook};
use crate::model::auth::Role;
use crate::model::workflow::check;

const MAX_NAME: usize = 60;
const MAX_DESCRIPTION: usize = 500;
const MAX_PERSONA: usize = 20_000;
/// Room for `provider/model` of the longest names of both.
const MAX_MODEL: usize = 261;
const MAX_HOSTS: usize = 50;
/// Source: RFC 1035, section 2.3.4, a name as it is written, and one label of it.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;
const MAX_NAMESPACES: usize = 50;
const MAX_WORKFLOWS: usize = 50;
const MAX_AGENTS: usize = 20;
const MAX_FOLDER: usize = 1_000;
const MAX_RULES: usize = 50;
const MAX_MATCHING: usize = 200;
const MAX_APPROVERS: usize = 50;
const MAX_EXPERTISE: usize = 20;
const MAX_WORD: usize = 40;
/// Source: RFC 5321, section 4.5.3.1.3, a path without its brackets.
const MAX_ADDRESS: usize = 254;

/// What does not fit, with where it stands.
struct Findings(Vec<FieldError>);

impl Findings {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(pointer, message));
    }

    fn unless(&mut self, fits: bool, pointer: &str, message: impl Into<String>) {
        if !fits {
            self.add(pointer, message);
        }
    }

    /// A list of at most so many, each of which fits.
    fn list(&mut self, pointer: &str, items: &[String], most: usize, check: impl Fn(&str) -> Result<(), String>) {
        self.unless(items.len() <= most, pointer, format!("expected at most {most}, found {}", items.len()));
        for (index, item) in items.iter().take(most).enumerate() {
            if let Err(message) = check(item) {
                self.add(&format!("{pointer}/{index}"), message);
            }
        }
    }
}

/// Checks an agent; whether the workflows and agents that it names are there is found out when it asks for them.
///
/// # Errors
/// [`Error::Invalid`] with everything that does not fit.
pub(super) fn draft(draft: &AgentDraft) -> Result<()> {
    let mut found = Findings(Vec::new());
    if let Err(message) = name(&draft.name) {
        found.add("/name", message);
    }
    spec(&draft.spec, &mut found);
    team::team(draft, &mut found);
    if found.0.is_empty() { Ok(()) } else { Err(Error::Invalid(found.0)) }
}

fn spec(spec: &AgentSpec, found: &mut Findings) {
    let described = spec.description.chars().count() <= MAX_DESCRIPTION && !spec.description.contains('\0');
    found.unless(described, "/spec/description", format!("expected at most {MAX_DESCRIPTION} characters"));
    let persona = (1..=MAX_PERSONA).contains(&spec.persona.chars().count())
        && !spec.persona.trim().is_empty()
        && !spec.persona.contains('\0');
    found.unless(persona, "/spec/persona", format!("expected 1 to {MAX_PERSONA} characters that are not all blank"));
    let model =
        spec.model.chars().count() <= MAX_MODEL && !spec.model.chars().any(|c| c.is_whitespace() || c.is_control());
    found.unless(model, "/spec/model", format!("expected at most {MAX_MODEL} characters without blanks, or nothing"));
    let answer = spec.max_tokens.is_none_or(|tokens| (1..=1_000_000).contains(&tokens));
    found.unless(answer, "/spec/max_tokens", "expected a whole number from 1 to 1000000");
    let temperature = spec.temperature.is_none_or(|degree| (0.0..=2.0).contains(&degree));
    found.unless(temperature, "/spec/temperature", "expected a number from 0 to 2");
    persona::personas(spec, found);
    expertise("/spec/expertise", &spec.expertise, found);
    found.list("/spec/hosts", &spec.hosts, MAX_HOSTS, host);
    let namespace = |path: &str| memory::check_namespace(path).map_err(|field| field.message);
    found.list("/spec/reads", &spec.reads, MAX_NAMESPACES, namespace);
    found.list("/spec/writes", &spec.writes, MAX_NAMESPACES, namespace);
    found.list("/spec/workflows", &spec.workflows, MAX_WORKFLOWS, workflow);
    found.list("/spec/agents", &spec.agents, MAX_AGENTS, name);
    found.list("/spec/approvers", &spec.approvers, MAX_APPROVERS, approver);
    places(spec, found);
    tools(spec, found);
    rules(spec, found);
    found.0.extend(hook::faults(&spec.hooks, "/spec/hooks"));
    limits(spec.limits, found);
    found.0.extend(spec.context.faults("/spec/context"));
}

fn places(spec: &AgentSpec, found: &mut Findings) {
    let is_path = |path: &str| path.chars().count() <= MAX_FOLDER && !path.chars().any(char::is_control);
    let message = format!("expected a folder's path of at most {MAX_FOLDER} characters, or nothing");
    found.unless(is_path(&spec.folder), "/spec/folder", message.as_str());
    found.unless(is_path(&spec.repository), "/spec/repository", message);
    let both = !spec.folder.trim().is_empty() && !spec.repository.trim().is_empty();
    found.unless(!both, "/spec/repository", "expected a folder or a repository, found both");
}

fn name(name: &str) -> Result<(), String> {
    let fits = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits { Ok(()) } else { Err(format!("expected 1 to {MAX_NAME} letters, digits, - and _")) }
}

/// Words for what is known: each short, and none twice.
fn expertise(pointer: &str, words: &[String], found: &mut Findings) {
    let fits = |word: &str| {
        let fits =
            (1..=MAX_WORD).contains(&word.chars().count()) && word.trim() == word && !word.contains(char::is_control);
        if fits { Ok(()) } else { Err(format!("expected 1 to {MAX_WORD} characters without blanks at the ends")) }
    };
    found.list(pointer, words, MAX_EXPERTISE, fits);
    for (index, word) in words.iter().enumerate().take(MAX_EXPERTISE) {
        let fresh = !words[..index].iter().any(|one| one.to_lowercase() == word.to_lowercase());
        found.unless(fresh, &format!("{pointer}/{index}"), format!("{word} is there twice"));
    }
}

fn host(text: &str) -> Result<(), String> {
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    let bare = text.strip_prefix("*.").unwrap_or(text);
    if bare.len() <= MAX_HOST && bare.split('.').all(label) {
        Ok(())
    } else {
        Err("expected a host in lower case such as api.example.org, or *.example.org, without scheme, port and path"
            .to_owned())
    }
}

fn workflow(name: &str) -> Result<(), String> {
    let most = check::MAX_NAME_CHARS;
    let fits = (1..=most).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(format!("expected a workflow's name of 1 to {most} characters")) }
}

fn approver(text: &str) -> Result<(), String> {
    let fits = match text.strip_prefix("role:") {
        Some(role) => Role::parse(&role.to_ascii_lowercase()).is_some(),
        None => {
            text.len() <= MAX_ADDRESS
                && !text.chars().any(|c| c.is_whitespace() || c.is_control())
                && text.split_once('@').is_some_and(|(who, place)| !who.is_empty() && !place.is_empty())
        }
    };
    if fits { Ok(()) } else { Err("expected an e-mail address, or a role such as role:admin".to_owned()) }
}

/// None twice, and none without what it works on.
fn tools(spec: &AgentSpec, found: &mut Findings) {
    for (index, tool) in spec.tools.iter().enumerate() {
        let fresh = !spec.tools[..index].contains(tool);
        found.unless(fresh, &format!("/spec/tools/{index}"), format!("{} is there twice", tool.as_str()));
    }
    for tool in AgentTool::ALL.into_iter().filter(|tool| spec.tools.contains(tool)) {
        let (field, noun, named) = match tool {
            AgentTool::HttpRequest => ("hosts", "host", &spec.hosts),
            AgentTool::MemorySearch | AgentTool::MemoryRead => ("reads", "namespace", &spec.reads),
            AgentTool::MemoryWrite => ("writes", "namespace", &spec.writes),
            AgentTool::RunWorkflow => ("workflows", "workflow", &spec.workflows),
            AgentTool::AskAgent | AgentTool::HandOver => ("agents", "agent", &spec.agents),
            AgentTool::ShowChanges | AgentTool::CommitChanges | AgentTool::PublishChanges => {
                let message = format!("expected a repository for {}", tool.as_str());
                found.unless(!spec.repository.trim().is_empty(), "/spec/repository", message);
                continue;
            }
            // The others work on nothing that is named.
            _ => continue,
        };
        let message = format!("expected at least one {noun} for {}", tool.as_str());
        found.unless(!named.is_empty(), &format!("/spec/{field}"), message);
    }
}

fn rules(spec: &AgentSpec, found: &mut Findings) {
    let count = spec.rules.len();
    found.unless(count <= MAX_RULES, "/spec/rules", format!("expected at most {MAX_RULES}, found {count}"));
    for (index, rule) in spec.rules.iter().take(MAX_RULES).enumerate() {
        let fits = rule.matching.chars().count() <= MAX_MATCHING && !rule.matching.contains('\0');
        let pointer = format!("/spec/rules/{index}/matching");
        found.unless(fits, &pointer, format!("expected at most {MAX_MATCHING} characters"));
    }
}

fn limits(limits: AgentLimits, found: &mut Findings) {
    for (name, value, range) in [
        ("turns", i64::from(limits.turns), 1..=200),
        ("tokens", limits.tokens, 1_000..=100_000_000),
        ("work_ms", limits.work_ms, 1_000..=86_400_000),
    ] {
        let message = format!("expected a whole number from {} to {}", range.start(), range.end());
        found.unless(range.contains(&value), &format!("/spec/limits/{name}"), message);
    }
    let cost = limits.cost_micros.is_none_or(|micros| micros >= 1);
    found.unless(cost, "/spec/limits/cost_micros", "expected millionths of a dollar from 1");
    let most = AgentLimits::MAX_PARALLEL;
    let parallel = limits.parallel.is_none_or(|tasks| (1..=most).contains(&tasks));
    found.unless(parallel, "/spec/limits/parallel", format!("expected a whole number from 1 to {most}, or nothing"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{Rule, Ruling, TEMPLATES};

    /// What is refused of an agent that is changed so.
    pub(super) fn refused(change: impl Fn(&mut AgentDraft)) -> Vec<String> {
        let mut agent = AgentDraft { name: "scout".to_owned(), spec: AgentSpec::new("You look around.") };
        change(&mut agent);
        match draft(&agent) {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    fn texts(text: &str, count: usize) -> Vec<String> {
        vec![text.to_owned(); count]
    }

    #[test]
    fn one_that_only_talks_fits() {
        assert_eq!(refused(|_| {}), [""; 0]);
    }

    #[test]
    fn a_name_is_a_word() {
        for good in ["a", "Code-Reviewer_2", &"x".repeat(60)] {
            assert_eq!(refused(|agent| good.clone_into(&mut agent.name)), [""; 0], "{good}");
        }
        for bad in ["", "two words", "a/b", "ä", "a.b", &"x".repeat(61)] {
            assert_eq!(refused(|agent| bad.clone_into(&mut agent.name)), ["/name"], "{bad}");
        }
    }

    #[test]
    fn a_persona_says_something() {
        for good in ["x", "Write {{ in braces, as it is.", &"é".repeat(20_000)] {
            assert_eq!(refused(|agent| good.clone_into(&mut agent.spec.persona)), [""; 0], "{good}");
        }
        for bad in ["", " \n", "a\0b", &"x".repeat(20_001)] {
            assert_eq!(refused(|agent| bad.clone_into(&mut agent.spec.persona)), ["/spec/persona"], "{bad:?}");
        }
    }

    #[test]
    fn a_host_is_a_name_and_nothing_around_it() {
        for good in ["example.org", "*.example.org", "localhost", "10.0.0.1", "a-b.c_d.e"] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        let long = format!("{}.org", "a".repeat(64));
        for bad in [
            "",
            "*",
            "*.",
            "*.*.org",
            "a.*.org",
            "https://a.org",
            "a.org:80",
            "a.org/x",
            "a..b",
            ".a",
            "A.org",
            "ä.org",
            &long,
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_is_asked_is_an_address_or_a_role() {
        for good in ["mara@team.example", "role:admin", "role:Owner"] {
            assert_eq!(approver(good), Ok(()), "{good}");
        }
        for bad in ["", "mara", "@team", "mara@", "ma ra@team", "role:", "role:king"] {
            assert!(approver(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tool_stands_once_and_has_what_it_works_on() {
        let needs = |tool: AgentTool| refused(|agent| agent.spec.tools = vec![tool]);
        assert_eq!(needs(AgentTool::HttpRequest), ["/spec/hosts"]);
        assert_eq!(needs(AgentTool::MemorySearch), ["/spec/reads"]);
        assert_eq!(needs(AgentTool::MemoryRead), ["/spec/reads"]);
        assert_eq!(needs(AgentTool::MemoryWrite), ["/spec/writes"]);
        assert_eq!(needs(AgentTool::RunWorkflow), ["/spec/workflows"]);
        assert_eq!(needs(AgentTool::AskAgent), ["/spec/agents"]);
        assert_eq!(needs(AgentTool::PublishChanges), ["/spec/repository"]);
        assert_eq!(refused(|agent| agent.spec.tools = vec![AgentTool::Shell, AgentTool::AskPerson]), [""; 0]);
        assert_eq!(refused(|agent| agent.spec.tools = vec![AgentTool::Shell; 2]), ["/spec/tools/1"]);
        let error = draft(&AgentDraft {
            name: "scout".to_owned(),
            spec: AgentSpec { tools: vec![AgentTool::HttpRequest], ..AgentSpec::new("x") },
        });
        assert_eq!(error.unwrap_err().to_string(), "spec/hosts: expected at least one host for http_request");
    }

    #[test]
    fn every_list_has_an_end_and_every_entry_a_place() {
        assert_eq!(refused(|agent| agent.spec.hosts = texts("a.org", 51)), ["/spec/hosts"]);
        assert_eq!(refused(|agent| agent.spec.hosts = vec!["a.org".into(), "a b".into()]), ["/spec/hosts/1"]);
        assert_eq!(refused(|agent| agent.spec.reads = texts("code", 51)), ["/spec/reads"]);
        assert_eq!(
            refused(|agent| agent.spec.reads = vec!["code//x".into(), String::new()]),
            ["/spec/reads/0", "/spec/reads/1"]
        );
        let knows = |words: &[&str]| {
            refused(|agent| agent.spec.expertise = words.iter().map(|word| (*word).to_owned()).collect())
        };
        assert_eq!(knows(&["rust", "tax law", "c++", "Größen"]), [""; 0]);
        assert_eq!(
            knows(&["rust", "", " sql", "Rust", "x\ny"]),
            [1, 2, 4, 3].map(|at| format!("/spec/expertise/{at}"))
        );
        assert_eq!(knows(&["x".repeat(41).as_str()]), ["/spec/expertise/0"]);
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(refused(|agent| agent.spec.expertise.clone_from(&many)), ["/spec/expertise"]);
        assert_eq!(refused(|agent| agent.spec.writes = texts("code", 51)), ["/spec/writes"]);
        assert_eq!(refused(|agent| agent.spec.writes = texts("a b", 1)), ["/spec/writes/0"]);
        assert_eq!(refused(|agent| agent.spec.workflows = texts("Nightly", 51)), ["/spec/workflows"]);
        assert_eq!(refused(|agent| agent.spec.workflows = texts("", 1)), ["/spec/workflows/0"]);
        assert_eq!(refused(|agent| agent.spec.agents = texts("coder", 21)), ["/spec/agents"]);
        assert_eq!(refused(|agent| agent.spec.agents = texts("no one", 1)), ["/spec/agents/0"]);
        assert_eq!(refused(|agent| agent.spec.approvers = texts("a@b", 51)), ["/spec/approvers"]);
        assert_eq!(refused(|agent| agent.spec.approvers = texts("mara", 1)), ["/spec/approvers/0"]);
        let rule = |matching: String| Rule { tool: None, matching, after_untrusted: false, ruling: Ruling::Ask };
        assert_eq!(refused(|agent| agent.spec.rules = vec![rule(String::new()); 51]), ["/spec/rules"]);
        assert_eq!(refused(|agent| agent.spec.rules = vec![rule("x".repeat(201))]), ["/spec/rules/0/matching"]);
    }

    #[test]
    fn numbers_and_texts_stay_within_their_bounds() {
        assert_eq!(refused(|agent| agent.spec.description = "x".repeat(501)), ["/spec/description"]);
        assert_eq!(refused(|agent| agent.spec.model = "a b".into()), ["/spec/model"]);
        assert_eq!(refused(|agent| agent.spec.model = "x".repeat(262)), ["/spec/model"]);
        assert_eq!(refused(|agent| agent.spec.folder = "x".repeat(1_001)), ["/spec/folder"]);
        assert_eq!(refused(|agent| agent.spec.folder = "a\nb".into()), ["/spec/folder"]);
        assert_eq!(refused(|agent| agent.spec.repository = "a\nb".into()), ["/spec/repository"]);
        assert_eq!(refused(|agent| agent.spec.repository = "/srv/loom".into()), [""; 0]);
        let both = |agent: &mut AgentDraft| {
            agent.spec.folder = "/srv/a".into();
            agent.spec.repository = "/srv/b".into();
        };
        assert_eq!(refused(both), ["/spec/repository"]);
        for (tokens, fits) in [(0, false), (1, true), (1_000_000, true), (1_000_001, false)] {
            assert_eq!(refused(|agent| agent.spec.max_tokens = Some(tokens)).is_empty(), fits, "{tokens}");
        }
        for (degree, fits) in [(-0.1, false), (0.0, true), (2.0, true), (2.1, false), (f64::NAN, false)] {
            assert_eq!(refused(|agent| agent.spec.temperature = Some(degree)).is_empty(), fits, "{degree}");
        }
        let limits = |change: fn(&mut AgentLimits)| refused(|agent| change(&mut agent.spec.limits));
        assert_eq!(limits(|limits| limits.turns = 0), ["/spec/limits/turns"]);
        assert_eq!(limits(|limits| limits.turns = 201), ["/spec/limits/turns"]);
        assert_eq!(limits(|limits| limits.tokens = 999), ["/spec/limits/tokens"]);
        assert_eq!(limits(|limits| limits.tokens = 100_000_001), ["/spec/limits/tokens"]);
        assert_eq!(limits(|limits| limits.cost_micros = Some(0)), ["/spec/limits/cost_micros"]);
        assert_eq!(limits(|limits| limits.work_ms = 999), ["/spec/limits/work_ms"]);
        for (tasks, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(refused(|agent| agent.spec.limits.parallel = Some(tasks)).is_empty(), fits, "{tasks}");
        }
        assert_eq!(limits(|limits| limits.work_ms = 86_400_001), ["/spec/limits/work_ms"]);
        assert_eq!(refused(|agent| agent.spec.context.window = 1_999), ["/spec/context/window"]);
        assert_eq!(refused(|agent| agent.spec.context.keep_recent = 0), ["/spec/context/keep_recent"]);
    }

    #[test]
    fn every_template_fits_once_it_is_told_what_only_the_team_knows() {
        for template in TEMPLATES {
            let mut spec = template.spec();
            spec.hosts = texts("docs.example.org", 1);
            spec.workflows = texts("Nightly", 1);
            spec.agents = texts("coder", 1);
            let agent = AgentDraft { name: template.name.to_owned(), spec };
            assert!(draft(&agent).is_ok(), "{}: {:?}", template.name, draft(&agent));
        }
    }
}
