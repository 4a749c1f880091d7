//! A trigger as the texts of a form, and back. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::trigger::{Answer, Config, Kind, MemoryChange, Missed, Overlap, Trigger, TriggerDraft};
use crate::model::workflow::RunStatus;

/// Where a run's inputs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The fields of the workflow's schema, filled in here.
    Fields,
    /// The event as it is.
    Event,
    /// JSON with templates over `event`.
    Template,
}

impl Source {
    /// As a value of the select.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Event => "event",
            Self::Template => "template",
        }
    }

    /// Reads [`Source::as_str`] back.
    pub fn parse(text: &str) -> Self {
        [Self::Fields, Self::Event].into_iter().find(|source| source.as_str() == text).unwrap_or(Self::Template)
    }
}

/// The texts and switches of the form.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch or a box of the form")]
pub struct Form {
    pub kind: Kind,
    pub workflow: String,
    pub name: String,
    pub enabled: bool,
    pub source: Source,
    pub template: String,
    /// What the fields of the schema begin with.
    pub given: Value,
    pub cron: String,
    pub timezone: String,
    pub missed: Missed,
    pub overlap: Overlap,
    pub waits: bool,
    pub wait_ms: String,
    pub signed: bool,
    pub rate: String,
    pub call_id: String,
    pub namespace: String,
    pub written: bool,
    pub deleted: bool,
    pub of: String,
    pub statuses: Vec<RunStatus>,
}

impl Form {
    /// An empty form.
    pub fn blank(kind: Kind) -> Self {
        Self {
            kind,
            workflow: String::new(),
            name: String::new(),
            enabled: true,
            source: if kind == Kind::Schedule { Source::Fields } else { Source::Event },
            template: String::new(),
            given: Value::Null,
            cron: "0 9 * * MON-FRI".to_owned(),
            timezone: "UTC".to_owned(),
            missed: Missed::default(),
            overlap: Overlap::default(),
            waits: false,
            wait_ms: "10000".to_owned(),
            signed: false,
            rate: "600".to_owned(),
            call_id: String::new(),
            namespace: String::new(),
            written: true,
            deleted: false,
            of: String::new(),
            statuses: vec![RunStatus::Failed],
        }
    }

    /// The form of a trigger that there is.
    pub fn of(trigger: &Trigger) -> Self {
        let kind = trigger.config.kind();
        let mut form = Self {
            workflow: trigger.workflow_id.to_string(),
            name: trigger.name.clone(),
            enabled: trigger.enabled,
            given: trigger.inputs.clone(),
            ..Self::blank(kind)
        };
        if !trigger.inputs.is_null() {
            form.template = serde_json::to_string_pretty(&trigger.inputs).unwrap_or_default();
            if kind != Kind::Schedule || form.template.contains("{{") {
                form.source = Source::Template;
            }
        }
        match trigger.config.clone() {
            Config::Schedule { cron, timezone, missed, overlap } => {
                (form.cron, form.timezone, form.missed, form.overlap) = (cron, timezone, missed, overlap);
            }
            Config::Webhook { answer, signed, rate_per_minute, call_id } => {
                if let Answer::Wait { ms } = answer {
                    (form.waits, form.wait_ms) = (true, ms.to_string());
                }
                (form.signed, form.rate) = (signed, rate_per_minute.to_string());
                form.call_id = call_id.unwrap_or_default();
            }
            Config::Memory { namespace, on } => {
                form.namespace = namespace;
                form.written = on.contains(&MemoryChange::Written);
                form.deleted = on.contains(&MemoryChange::Deleted);
            }
            Config::RunFinished { of, statuses } => {
                form.of = of.map(|of| of.to_string()).unwrap_or_default();
                form.statuses = statuses;
            }
        }
        form
    }

    /// What the form says; `filled` are the fields of the schema.
    ///
    /// # Errors
    /// What does not fit, by the server's pointers.
    pub fn draft(&self, filled: Value) -> Result<TriggerDraft, BTreeMap<String, String>> {
        let mut errors = BTreeMap::new();
        let mut refuse = |pointer: &str, message: &str| drop(errors.insert(pointer.to_owned(), message.to_owned()));
        let workflow_id = self.workflow.parse().ok();
        if workflow_id.is_none() {
            refuse("/workflow_id", "choose a workflow");
        }
        let inputs = match self.source {
            Source::Fields => filled,
            Source::Event => Value::Null,
            Source::Template if self.template.trim().is_empty() => Value::Null,
            Source::Template => serde_json::from_str(&self.template).unwrap_or_else(|error| {
                refuse("/inputs", &format!("this is no JSON: {error}"));
                Value::Null
            }),
        };
        let mut number = |text: &str, pointer: &str| {
            text.trim().parse::<u32>().unwrap_or_else(|_| {
                refuse(pointer, "expected a whole number");
                0
            })
        };
        let config = match self.kind {
            Kind::Schedule => Config::Schedule {
                cron: self.cron.trim().to_owned(),
                timezone: self.timezone.trim().to_owned(),
                missed: self.missed,
                overlap: self.overlap,
            },
            Kind::Webhook => Config::Webhook {
                answer: if self.waits {
                    Answer::Wait { ms: number(&self.wait_ms, "/config/answer/ms") }
                } else {
                    Answer::Accept
                },
                signed: self.signed,
                rate_per_minute: number(&self.rate, "/config/rate_per_minute"),
                call_id: Some(self.call_id.trim().to_owned()).filter(|template| !template.is_empty() && !self.signed),
            },
            Kind::Memory => {
                let on = [(self.written, MemoryChange::Written), (self.deleted, MemoryChange::Deleted)];
                let on = on.into_iter().filter(|(is_on, _)| *is_on).map(|(_, change)| change).collect();
                Config::Memory { namespace: self.namespace.trim().trim_matches('/').to_owned(), on }
            }
            Kind::RunFinished => Config::RunFinished { of: self.of.parse().ok(), statuses: self.statuses.clone() },
        };
        match (workflow_id, errors.is_empty()) {
            (Some(workflow_id), true) => Ok(TriggerDraft {
                workflow_id,
                name: self.name.trim().to_owned(),
                config,
                inputs,
                enabled: self.enabled,
            }),
            _ => Err(errors),
        }
    }
}

/// A trigger as it is, to send back with a change.
pub fn draft_of(trigger: &Trigger) -> TriggerDraft {
    TriggerDraft {
        workflow_id: trigger.workflow_id,
        name: trigger.name.clone(),
        config: trigger.config.clone(),
        inputs: trigger.inputs.clone(),
        enabled: trigger.enabled,
    }
}

/// A call of a webhook, for a shell.
pub fn curl(url: &str, is_signed: bool) -> String {
    let body = r#"{"hello": "world"}"#;
    if !is_signed {
        return format!("curl -X POST '{url}' \\\n  -H 'content-type: application/json' \\\n  -d '{body}'");
    }
    format!(
        "secret='whsec_…'   # as shown when it was made\n\
         id=\"msg_$(date +%s)\"; time=$(date +%s); body='{body}'\n\
         key=$(printf %s \"${{secret#whsec_}}\" | base64 -d | od -An -tx1 | tr -d ' \\n')\n\
         signature=$(printf '%s.%s.%s' \"$id\" \"$time\" \"$body\" |\n  \
           openssl dgst -sha256 -mac HMAC -macopt \"hexkey:$key\" -binary | base64)\n\
         curl -X POST '{url}' \\\n  -H 'content-type: application/json' \\\n  -H \"webhook-id: $id\" \\\n  \
         -H \"webhook-timestamp: $time\" \\\n  -H \"webhook-signature: v1,$signature\" \\\n  -d \"$body\""
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Timestamp, TriggerId, WorkflowId};

    fn trigger(config: Config, inputs: Value) -> Trigger {
        let nil = uuid::Uuid::nil();
        Trigger {
            id: TriggerId(nil),
            workflow_id: WorkflowId(nil),
            workflow_name: String::new(),
            published_version: None,
            name: "Ours".to_owned(),
            config,
            summary: String::new(),
            inputs,
            enabled: true,
            next: Vec::new(),
            webhook: None,
            last_firing: None,
            revision: 1,
            created_by: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn a_trigger_comes_out_of_its_form_as_it_went_in() {
        let schedule = Config::Schedule {
            cron: "0 9 * * *".into(),
            timezone: "Europe/Berlin".into(),
            missed: Missed::Skip,
            overlap: Overlap::Skip,
        };
        let webhook = Config::Webhook {
            answer: Answer::Wait { ms: 500 },
            signed: false,
            rate_per_minute: 7,
            call_id: Some("{{ event.body.id }}".into()),
        };
        // Signed calls are known by what was signed.
        let signed = Config::Webhook { answer: Answer::Accept, signed: true, rate_per_minute: 60, call_id: None };
        let memory = Config::Memory { namespace: "code".into(), on: vec![MemoryChange::Deleted] };
        let ended = Config::RunFinished { of: None, statuses: vec![RunStatus::Failed, RunStatus::Cancelled] };
        let template = json!({"a": "{{ event.x }}"});
        for (config, inputs) in [
            (schedule, json!({"a": 1})),
            (webhook, template.clone()),
            (signed, template.clone()),
            (memory, template),
            (ended, Value::Null),
        ] {
            let trigger = trigger(config, inputs);
            let form = Form::of(&trigger);
            assert_eq!(form.draft(form.given.clone()), Ok(draft_of(&trigger)));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut form = Form::blank(Kind::Webhook);
        (form.rate, form.template, form.source) = ("many".to_owned(), "{".to_owned(), Source::Template);
        let errors = form.draft(Value::Null).expect_err("refused");
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["/config/rate_per_minute", "/inputs", "/workflow_id"]);
    }

    #[test]
    fn a_signed_call_shows_how_it_is_signed() {
        assert!(!curl("https://x/y", false).contains("signature"));
        let signed = curl("https://x/y", true);
        assert!(signed.contains("webhook-signature: v1,$signature") && signed.contains("${secret#whsec_}"), "{signed}");
    }
}
