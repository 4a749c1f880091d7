//! What drafts must look like.

use std::collections::HashSet;

use super::error::{Error, Result};
use super::redact;
use crate::model::FieldError;
use crate::model::gateway::{
    BudgetDraft, BudgetPeriod, BudgetScope, FlagDraft, KeyDraft, Limits, MAX_CONTENT_DAYS, MAX_MASK_PATTERN,
    MAX_MASK_PATTERNS, MOST_FLAG_NAMES, Model, PriceDraft, ProviderDraft, RedactionDraft, RouteDraft, Target,
    TaskRules,
};

const MAX_MODELS: usize = 200;
/// Tokens that a model holds at least; fewer are a slip, such as 128 for 128k.
const LEAST_CONTEXT: u32 = 1_000;
/// Largest weight of a model in a route.
const MAX_WEIGHT: u32 = 1000;
/// Most points for one reason.
const MAX_POINTS: u32 = 1000;
const MAX_TARGETS: usize = 10;

/// A name that can stand in `provider/model`.
fn is_name(name: &str) -> bool {
    (1..=60).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A model as providers call it: anything without blanks, since it goes on a line.
fn is_model(id: &str) -> bool {
    (1..=200).contains(&id.len()) && !id.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn refuse(fields: Vec<FieldError>) -> Result<()> {
    if fields.is_empty() { Ok(()) } else { Err(Error::Invalid(fields)) }
}

/// Checks a provider. `base_url` is what it will be, with the kind's usual place for an empty one.
pub(super) fn provider(draft: &ProviderDraft, base_url: &str) -> Result<()> {
    let mut found = Vec::new();
    let mut wrong = |pointer: &str, message: &str| found.push(FieldError::new(pointer, message));
    if !is_name(&draft.name) {
        wrong("/name", "expected 1 to 60 letters, digits, -, _ and .");
    }
    if let Err(message) = base_url_fits(base_url) {
        wrong("/base_url", message);
    }
    if let Some(key) = &draft.credential
        && (key.0.len() > 4096 || !key.0.bytes().all(|b| (0x21..0x7f).contains(&b)))
    {
        wrong("/credential", "expected at most 4096 visible characters without blanks");
    }
    if draft.responses && !draft.kind.may_speak_responses() {
        wrong("/responses", "expected false: only OpenAI and compatible servers are asked in Responses");
    }
    models(&draft.models, &mut found);
    limits(draft.limits, &mut found);
    refuse(found)
}

fn base_url_fits(text: &str) -> Result<(), &'static str> {
    let expected = "expected an http or https URL such as https://api.example.com/v1, without user, query and fragment";
    let url = url::Url::parse(text).map_err(|_| expected)?;
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let fits = matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain && text.len() <= 500;
    if fits { Ok(()) } else { Err(expected) }
}

fn models(models: &[Model], found: &mut Vec<FieldError>) {
    if models.len() > MAX_MODELS {
        found.push(FieldError::new("/models", format!("expected at most {MAX_MODELS} models")));
    }
    let mut seen = HashSet::new();
    for (index, model) in models.iter().enumerate() {
        let mut wrong = |field: &str, message: &str| {
            found.push(FieldError::new(format!("/models/{index}/{field}"), message));
        };
        if !is_model(&model.id) {
            wrong("id", "expected 1 to 200 characters without blanks");
        }
        if !seen.insert(&model.id) {
            wrong("id", "this model is listed twice");
        }
        if model.max_output_tokens == Some(0) {
            wrong("max_output_tokens", "expected a whole number from 1");
        }
        if model.context_tokens.is_some_and(|tokens| tokens < LEAST_CONTEXT) {
            wrong("context_tokens", "expected a whole number from 1000");
        }
    }
}

fn limits(limits: Limits, found: &mut Vec<FieldError>) {
    let hour = 3_600_000;
    for (name, value, range) in [
        ("connect_ms", limits.connect_ms, 100..=60_000),
        ("first_token_ms", limits.first_token_ms, 1_000..=hour),
        ("total_ms", limits.total_ms, 1_000..=hour),
        ("max_retries", limits.max_retries, 0..=5),
        ("max_concurrent", limits.max_concurrent.unwrap_or(1), 1..=10_000),
        ("requests_per_minute", limits.requests_per_minute.unwrap_or(1), 1..=1_000_000),
        ("tokens_per_minute", limits.tokens_per_minute.unwrap_or(100), 100..=1_000_000_000),
        ("queue", limits.queue, 0..=10_000),
        ("queue_ms", limits.queue_ms, 0..=600_000),
    ] {
        if !range.contains(&value) {
            let message = format!("expected a whole number from {} to {}", range.start(), range.end());
            found.push(FieldError::new(format!("/limits/{name}"), message));
        }
    }
}

/// Checks a route; whether its providers are there is looked up elsewhere.
pub(super) fn route(draft: &RouteDraft) -> Result<()> {
    let mut found = Vec::new();
    if !is_name(&draft.name) {
        found.push(FieldError::new("/name", "expected 1 to 60 letters, digits, -, _ and ."));
    }
    if draft.description.chars().count() > 1000 || draft.description.contains('\0') {
        found.push(FieldError::new("/description", "expected at most 1000 characters"));
    }
    if !(1..=MAX_TARGETS).contains(&draft.targets.len()) {
        found.push(FieldError::new("/targets", format!("expected 1 to {MAX_TARGETS} models")));
    }
    for (index, target) in draft.targets.iter().enumerate() {
        if !is_model(&target.model) {
            let pointer = format!("/targets/{index}/model");
            found.push(FieldError::new(pointer, "expected 1 to 200 characters without blanks"));
        }
        if target.weight > MAX_WEIGHT {
            let pointer = format!("/targets/{index}/weight");
            found.push(FieldError::new(pointer, format!("expected a whole number from 0 to {MAX_WEIGHT}")));
        }
        if target.flag.as_deref().is_some_and(|flag| !is_name(flag)) {
            let pointer = format!("/targets/{index}/flag");
            found.push(FieldError::new(pointer, "expected 1 to 60 letters, digits, -, _ and ."));
        }
        let is_same = |other: &Target| (other.provider_id, &other.model) == (target.provider_id, &target.model);
        if draft.targets[..index].iter().any(is_same) {
            found.push(FieldError::new(format!("/targets/{index}"), "this model is in the route twice"));
        }
    }
    if !draft.targets.is_empty() && draft.targets.iter().all(|target| target.weight == 0) {
        found.push(FieldError::new("/targets", "expected a model that is not switched off, with a weight from 1"));
    }
    let is_asked = |target: &&Target| target.weight > 0;
    if draft.targets.iter().any(|target| is_asked(&target))
        && draft.targets.iter().filter(is_asked).all(|one| one.flag.is_some())
    {
        let message = "expected a model that stands behind no flag, for those whom no flag takes";
        found.push(FieldError::new("/targets", message));
    }
    if draft.policy.hedge.is_some_and(|hedge| !(100..=60_000).contains(&hedge.after_ms)) {
        let message = "expected a whole number from 100 to 60000";
        found.push(FieldError::new("/policy/hedge/after_ms", message));
    }
    task_rules(&draft.policy.task, &mut found);
    found.extend(draft.context.iter().flat_map(|context| context.faults("/context")));
    refuse(found)
}

/// Checks a flag; whether those whom it names are there is looked up elsewhere.
pub(super) fn flag(draft: &FlagDraft) -> Result<()> {
    let mut found = Vec::new();
    let mut wrong = |pointer: &str, message: String| found.push(FieldError::new(pointer, message));
    if !is_name(&draft.name) {
        wrong("/name", "expected 1 to 60 letters, digits, -, _ and .".to_owned());
    }
    if draft.description.chars().count() > 1000 || draft.description.contains('\0') {
        wrong("/description", "expected at most 1000 characters".to_owned());
    }
    if draft.percent > 100 {
        wrong("/percent", "expected a whole number from 0 to 100".to_owned());
    }
    let audience = &draft.audience;
    for (pointer, names) in [
        ("/audience/roles", audience.roles.len()),
        ("/audience/users", audience.users.len()),
        ("/audience/agents", audience.agents.len()),
        ("/audience/keys", audience.keys.len()),
    ] {
        if names > MOST_FLAG_NAMES {
            wrong(pointer, format!("expected at most {MOST_FLAG_NAMES}"));
        }
    }
    refuse(found)
}

fn task_rules(rules: &TaskRules, found: &mut Vec<FieldError>) {
    for (name, value, most) in [
        ("file", rules.file, MAX_POINTS),
        ("files_at_most", rules.files_at_most, MAX_POINTS),
        ("technology", rules.technology, MAX_POINTS),
        ("thousand_tokens", rules.thousand_tokens, MAX_POINTS),
        ("length_at_most", rules.length_at_most, MAX_POINTS),
        ("tool", rules.tool, MAX_POINTS),
        ("tools_at_most", rules.tools_at_most, MAX_POINTS),
        ("medium_from", rules.medium_from, 10 * MAX_POINTS),
        ("complex_from", rules.complex_from, 10 * MAX_POINTS),
    ] {
        if value > most {
            let pointer = format!("/policy/task/{name}");
            found.push(FieldError::new(pointer, format!("expected a whole number from 0 to {most}")));
        }
    }
    if rules.complex_from < rules.medium_from {
        found.push(FieldError::new(
            "/policy/task/complex_from",
            "expected at least the points from which a task is medium",
        ));
    }
}

/// Checks a line of the price table.
pub(super) fn price(draft: &PriceDraft) -> Result<()> {
    let mut found = Vec::new();
    if !is_model(&draft.model) {
        found.push(FieldError::new("/model", "expected 1 to 200 characters without blanks"));
    }
    for (name, value) in [
        ("input", Some(draft.input)),
        ("output", Some(draft.output)),
        ("cache_read", draft.cache_read),
        ("cache_write", draft.cache_write),
        ("cache_write_hour", draft.cache_write_hour),
    ] {
        if value.is_some_and(|value| !(0..=PriceDraft::MAX).contains(&value)) {
            let message = format!("expected millionths of a dollar for a million tokens, 0 to {}", PriceDraft::MAX);
            found.push(FieldError::new(format!("/{name}"), message));
        }
    }
    refuse(found)
}

/// Checks a key's name and models.
pub(super) fn key(draft: &KeyDraft) -> Result<()> {
    let (name, models) = (&draft.name, &draft.models);
    let mut found = Vec::new();
    for (pointer, limit, most) in [
        ("/limits/requests_per_minute", draft.limits.requests_per_minute, 1_000_000),
        ("/limits/tokens_per_minute", draft.limits.tokens_per_minute, 1_000_000_000),
    ] {
        if limit.is_some_and(|limit| !(1..=most).contains(&limit)) {
            found.push(FieldError::new(pointer, format!("expected a whole number from 1 to {most}, or none")));
        }
    }
    if !(1..=60).contains(&name.chars().count()) || name.trim() != name || name.chars().any(char::is_control) {
        found.push(FieldError::new("/name", "expected 1 to 60 characters, without blanks around them"));
    }
    if models.len() > 100 || models.iter().any(|model| !is_model(model)) {
        let message = "expected at most 100 names of routes and models, of 1 to 200 characters without blanks";
        found.push(FieldError::new("/models", message));
    }
    refuse(found)
}

/// Checks a budget; whether the person or key is there is looked up elsewhere.
pub(super) fn budget(draft: &BudgetDraft) -> Result<()> {
    let mut found = Vec::new();
    let mut wrong = |pointer: &str, message: String| found.push(FieldError::new(pointer, message));
    let name = &draft.name;
    if !(1..=60).contains(&name.chars().count()) || name.trim() != name || name.chars().any(char::is_control) {
        wrong("/name", "expected 1 to 60 characters, without blanks around them".to_owned());
    }
    if (draft.scope == BudgetScope::Run) != (draft.period == BudgetPeriod::Run) {
        wrong("/period", "expected day or month, and run with the scope run only".to_owned());
    }
    if draft.of.is_some() && !matches!(draft.scope, BudgetScope::User | BudgetScope::Key) {
        wrong("/of", "expected a person or a key with the scope user or key, and nothing with others".to_owned());
    }
    if !(1..=BudgetDraft::MAX_MICROS).contains(&draft.limit_micros) {
        let message = format!("expected millionths of a dollar, 1 to {}", BudgetDraft::MAX_MICROS);
        wrong("/limit_micros", message);
    }
    if !(1..=100).contains(&draft.warn_percent) {
        wrong("/warn_percent", "expected a whole number from 1 to 100".to_owned());
    }
    refuse(found)
}

/// Checks what is to be masked; `at` is where it stands.
pub(super) fn redaction(draft: &RedactionDraft, at: &str) -> Result<()> {
    let mut found = Vec::new();
    let mut wrong = |pointer: String, message: String| found.push(FieldError::new(format!("{at}{pointer}"), message));
    if draft.patterns.len() > MAX_MASK_PATTERNS {
        wrong("/patterns".into(), format!("expected at most {MAX_MASK_PATTERNS}"));
    }
    if !(1..=MAX_CONTENT_DAYS).contains(&draft.keep.days) {
        wrong("/keep/days".into(), format!("expected 1 to {MAX_CONTENT_DAYS}"));
    }
    let mut names = HashSet::new();
    for (place, one) in draft.patterns.iter().take(MAX_MASK_PATTERNS).enumerate() {
        let fits = one.name.starts_with(|c: char| c.is_ascii_lowercase())
            && one.name.len() <= 32
            && one.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            let expected = "expected 1 to 32 lower-case letters, digits and _, a letter first";
            wrong(format!("/patterns/{place}/name"), expected.into());
        } else if !names.insert(&one.name) {
            wrong(format!("/patterns/{place}/name"), format!("expected another name: {} is there twice", one.name));
        }
        if !(1..=MAX_MASK_PATTERN).contains(&one.pattern.chars().count()) {
            wrong(format!("/patterns/{place}/pattern"), format!("expected 1 to {MAX_MASK_PATTERN} characters"));
        } else if let Err(message) = redact::compile(&one.pattern) {
            wrong(format!("/patterns/{place}/pattern"), message);
        }
    }
    refuse(found)
}
