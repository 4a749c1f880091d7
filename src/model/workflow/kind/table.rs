//! Every kind, one after the other as on the palette.

use super::{Group, Kind, Shape, field, model, respond};
use crate::model::workflow::Edge;

const TEXT: Shape = Shape::Template { lines: 1 };
const LONG_TEXT: Shape = Shape::Template { lines: 6 };
const OUT: &[&str] = &[Edge::OUT];
const OUT_ERROR: &[&str] = &[Edge::OUT, Edge::ERROR];

/// Every kind that this program can run.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "condition",
        title: "Condition",
        summary: "Goes one way when an expression holds, the other way when not.",
        group: Group::Flow,
        icon: "condition",
        fields: &[field("when", "When", Shape::Expression)
            .required()
            .placeholder("steps.scan.output.syntax_errors > 0")],
        ports: &["true", "false"],
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "switch",
        title: "Switch",
        summary: "Leaves by the first case that holds.",
        group: Group::Flow,
        icon: "switch",
        fields: &[field("cases", "Cases", Shape::Cases)
            .required()
            .hint("The first case that holds is taken, else the port default.")],
        ports: &["default"],
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "wait",
        title: "Wait",
        summary: "Goes on after a time, or at a time. Costs nothing while it waits.",
        group: Group::Flow,
        icon: "wait",
        fields: &[
            field("ms", "For", Shape::Time { min: 0, max: 31_536_000_000 })
                .hint("At most a year.")
                .placeholder("1 min"),
            field("until", "Until", TEXT)
                .hint("A time in RFC 3339, in place of a duration.")
                .placeholder("2026-12-24T08:00:00Z"),
        ],
        ports: OUT,
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "approval",
        title: "Approval",
        summary: "Waits until people have decided, and goes on by what they decided.",
        group: Group::Flow,
        icon: "approval",
        fields: &[
            field("title", "Question", TEXT).required().placeholder("Publish the report?"),
            field("text", "Text", LONG_TEXT).hint("Markdown: what one needs to know to decide."),
            field("form", "Form", Shape::Json).hint("A JSON Schema of an object to fill in."),
            field("approvers", "Who may answer", Shape::TextList)
                .hint("E-mail addresses, or roles as role:admin. Empty: everybody whose role allows it."),
            field("required", "How many must agree", Shape::Integer { min: 1, max: 20 })
                .hint("So many people must give the first decision; each other decision takes one.")
                .placeholder("1").rare(),
            field("four_eyes", "Not by who started the run", Shape::Bool).rare(),
            field("decisions", "Decisions", Shape::TextList).hint("Each is a port. Empty: approved and rejected.").rare(),
            field("deadline_ms", "Deadline after", Shape::Time { min: 1, max: 31_536_000_000 })
                .hint("Then the step leaves by the port expired.").rare(),
        ],
        ports: &["expired"],
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "event",
        title: "Event",
        summary: "Waits for something that happens outside, by its key.",
        group: Group::Flow,
        icon: "event",
        fields: &[
            field("key", "Key", TEXT)
                .required()
                .hint("The key that the event is sent with: POST /api/v1/events. A run takes each event once, the oldest first.")
                .placeholder("payment/{{ inputs.order }}"),
            field("match", "Only with", Shape::Json).hint("Fields that the payload must have with these values.").rare(),
            field("deadline_ms", "Deadline after", Shape::Time { min: 1, max: 31_536_000_000 })
                .hint("Then the step leaves by the port expired.").rare(),
        ],
        ports: &[Edge::OUT, "expired"],
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "map",
        title: "For each",
        summary: "Runs its body once for each item of a list, a file or pages, several at a time, and collects what they give.",
        group: Group::Container,
        icon: "map",
        fields: &[
            field("items", "Items", Shape::Json)
                .hint("A list, or a template that yields one. Inside, item and index are in scope.")
                .placeholder("{{ inputs.files }}"),
            field("file", "Or a file of items", Shape::Template { lines: 1 })
                .hint("A file on the server, read while the items run: .jsonl (a value a line), .csv (an object a row) or a line of text each.")
                .placeholder("/srv/data/orders.jsonl").rare(),
            field("pages", "Or pages from a web address", Shape::Template { lines: 1 })
                .hint("A JSON list, or an object with items and next: the address of the next page, or its cursor.")
                .placeholder("https://example.com/orders").rare(),
            field("headers", "Headers for the pages", Shape::TextMap).rare(),
            field("results", "What it gives", Shape::Choice { options: &["list", "count"] })
                .hint("A list of what each item gave, or only how many there were: for a very long list.")
                .placeholder("list").rare(),
            field("concurrency", "At once", Shape::Integer { min: 1, max: 1000 }).placeholder("10"),
            field("on_item_error", "When an item fails", Shape::Choice { options: &["fail", "collect", "tolerate"] })
                .hint("Fail at once, keep the error in the list, or keep it up to a share of the items.")
                .placeholder("fail"),
            field("tolerate_percent", "Tolerated failures in percent", Shape::Number { min: 0.0, max: 100.0 })
                .hint("With tolerate: more than this fails the step.").rare(),
            field("enough", "Enough", Shape::Integer { min: 1, max: 1_000_000 })
                .hint("So many successes end it; what is still in motion is stopped. Empty: all.")
                .placeholder("all").rare(),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "repeat",
        title: "Repeat",
        summary: "Runs its body again and again until a condition holds.",
        group: Group::Container,
        icon: "repeat",
        fields: &[
            field("until", "Until", Shape::Expression)
                .hint("Asked after each iteration: last is what it gave, iteration its number from 1.")
                .placeholder("last.score >= 0.8"),
            field("while", "While", Shape::Expression)
                .hint("In place of until: asked before each iteration; last is null before the first.")
                .placeholder("last == none or last.next"),
            field("max_iterations", "At most", Shape::Integer { min: 1, max: 1_000_000 })
                .hint("After so many iterations the step leaves by the port exhausted.")
                .placeholder("100"),
        ],
        ports: &[Edge::OUT, "exhausted", Edge::ERROR],
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "group",
        title: "Group",
        summary: "Runs its body once, under one time limit and with one way to handle errors.",
        group: Group::Container,
        icon: "group",
        fields: &[],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "workflow",
        title: "Workflow",
        summary: "Runs another workflow and waits for what it gives.",
        group: Group::Container,
        icon: "workflow",
        fields: &[
            field("workflow", "Workflow", TEXT).required().hint("Its name or id; the newest published version runs."),
            field("inputs", "Inputs", Shape::Json).hint("An object that fits the workflow's inputs."),
            field("detached", "Don't wait", Shape::Bool)
                .hint("Goes on at once with the run's id, and lets it run even when this run is cancelled."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "http",
        title: "HTTP request",
        summary: "Calls a web address and reads the answer.",
        group: Group::Work,
        icon: "http",
        fields: &[
            field("method", "Method", Shape::Choice { options: &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] })
                .placeholder("GET"),
            field("url", "Address", TEXT).required().placeholder("https://example.com/api"),
            field("query", "Query", Shape::TextMap).rare(),
            field("headers", "Headers", Shape::TextMap),
            field("json", "JSON body", Shape::Json),
            field("body", "Text body", LONG_TEXT).hint("In place of a JSON body."),
            field("expect_status", "Expected status", Shape::IntegerList)
                .hint("Any other status fails the step. Empty: 200 to 299.").rare(),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 30_000,
    },
    Kind {
        name: "shell",
        title: "Shell",
        summary: "Runs a command or a script in a sandbox.",
        group: Group::Work,
        icon: "shell",
        fields: &[
            field("argv", "Command", Shape::TextList)
                .hint("The program and its arguments, one a line. No shell reads them."),
            field("script", "Script", LONG_TEXT).hint("In place of a command."),
            field("interpreter", "Interpreter", TEXT).hint("What runs the script.").placeholder("/bin/sh").rare(),
            field("stdin", "Standard input", LONG_TEXT).rare(),
            field("env", "Environment", Shape::TextMap).rare(),
            field("cwd", "Working directory", TEXT)
                .hint("The only place where it may write. Empty: a fresh one for this run."),
            field("network", "May use the network", Shape::Bool).rare(),
            field(
                "limits",
                "Limits",
                Shape::Limits { keys: &["cpu_ms", "memory_mb", "processes", "file_mb", "time_ms"] },
            ).rare(),
            field("ok_codes", "Good exit codes", Shape::IntegerList).hint("Any other fails the step. Empty: 0.").rare(),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 600_000,
    },
    Kind {
        name: "analyze",
        title: "Analyze code",
        summary: "Measures the code of a directory: languages, complexity, duplicates, risks, tests.",
        group: Group::Work,
        icon: "analyze",
        fields: &[
            field("path", "Directory", TEXT)
                .required()
                .hint("A directory on the server.")
                .placeholder("{{ inputs.path }}"),
            field("include", "Only", Shape::TextList).hint("Globs; empty means everything that git doesn't ignore."),
            field("exclude", "Without", Shape::TextList).hint("Globs."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 600_000,
    },
    Kind {
        name: "prompt",
        title: "Prompt",
        summary: "Asks a model once, and reads what it answers as text or as JSON.",
        group: Group::Work,
        icon: "prompt",
        fields: &[
            field("prompt", "Prompt", LONG_TEXT).required().placeholder("Summarize {{ inputs.text }} in one sentence."),
            field("system", "Task", LONG_TEXT).hint("Who the model is, and what holds for every answer."),
            field("route", "Route", TEXT)
                .hint("Empty, as the model: the route called default, else the first model of the oldest provider.")
                .placeholder("default"),
            field("model", "Model", TEXT).hint("In place of a route: a model, or provider/model."),
            field("schema", "Answer as JSON", Shape::Json)
                .hint("A JSON Schema. The answer is checked against it, and asked for again where it does not fit."),
            field("repairs", "Times it is asked again", Shape::Integer { min: 0, max: 5 })
                .hint("For an answer that does not fit the schema.")
                .placeholder("2"),
            field("max_tokens", "Tokens at most", Shape::Integer { min: 1, max: 1_000_000 })
                .hint("Of one answer, thoughts included."),
            field("temperature", "Temperature", Shape::Number { min: 0.0, max: 2.0 })
                .hint("0 is always the likeliest. Empty: as the provider has it; some models take no other."),
            field("cache", "Keep answers", Shape::Choice { options: &["auto", "always", "never"] })
                .hint("auto: at temperature 0, and as the route says. A kept answer is given again to who asks the same."),
            field("depends_on", "Answer depends on", Shape::Json)
                .hint("A list of {kind, id, fingerprint}: a kept answer is given only while they are as they were.")
                .placeholder("[{\"kind\": \"memory\", \"id\": \"code/decisions/loom\"}]"),
            model::CONTEXT,
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 600_000,
    },
    model::CLASSIFY,
    model::EXTRACT,
    model::SUMMARIZE,
    model::AGENT,
    Kind {
        name: "transform",
        title: "Transform",
        summary: "Builds a value from what came before.",
        group: Group::Work,
        icon: "transform",
        fields: &[field("value", "Value", Shape::Json)
            .required()
            .hint("JSON with templates. A text that is exactly one {{ … }} keeps the type of its value.")],
        ports: OUT_ERROR,
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "respond",
        title: "Respond",
        summary: "Answers the call of the webhook that started the run, if its caller waits.",
        group: Group::Work,
        icon: "enter",
        fields: &[
            field(
                "status",
                "Status",
                Shape::Integer { min: *respond::STATUSES.start(), max: *respond::STATUSES.end() },
            )
            .placeholder("200"),
            field("headers", "Headers", Shape::TextMap)
                .hint("Such as content-type, location, or names that begin with x-."),
            field("json", "JSON body", Shape::Json),
            field("body", "Text body", LONG_TEXT).hint("In place of a JSON body."),
        ],
        ports: OUT_ERROR,
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "memory_search",
        title: "Search memory",
        summary: "Finds entries by their words.",
        group: Group::Memory,
        icon: "memory-search",
        fields: &[
            field("query", "Query", TEXT).required(),
            field("namespace", "Namespace", TEXT)
                .hint("This namespace and all below it. Empty: everything.")
                .placeholder("code"),
            field("limit", "At most", Shape::Integer { min: 1, max: 100 }).placeholder("10"),
            field("trust", "Words from", Shape::TextList).hint("Only from these: user, tool, model, web. Empty: from anybody."),
        ],
        ports: &[Edge::OUT, "empty"],
        pure_step: false,
        default_timeout_ms: 30_000,
    },
    Kind {
        name: "memory_write",
        title: "Write memory",
        summary: "Keeps a piece of knowledge under a key.",
        group: Group::Memory,
        icon: "memory-write",
        fields: &[
            field("namespace", "Namespace", TEXT).required().placeholder("code/health"),
            field("key", "Key", TEXT).required(),
            field("content", "Content", LONG_TEXT).required().hint("Text or Markdown."),
            field("value", "Value", Shape::Json).hint("Structured data beside the text.").rare(),
            field("tags", "Tags", Shape::TextList),
            field("metadata", "Metadata", Shape::Json).rare(),
            field("importance", "Importance", Shape::Number { min: 0.0, max: 1.0 }).placeholder("0.5").rare(),
            field("expires_in_ms", "Expires after", Shape::Time { min: 1, max: 315_360_000_000 }).rare(),
            field("group", "Group", TEXT).hint("The conversation or document that it belongs to.").rare(),
            field("position", "Position", Shape::Integer { min: 0, max: 1_000_000_000_000 }).hint("Its place in the group.").rare(),
            field("trust", "Words from", Shape::Choice { options: &["tool", "model", "web"] })
                .hint("Who the words came from: a step, a model, or strangers. Empty: tool.")
                .rare(),
            field("version", "Over version", Shape::Integer { min: 0, max: 1_000_000_000_000 })
                .hint("The version that was read; 0: none. What others wrote meanwhile stays, and this text stands beside it. Empty: over anything.")
                .rare(),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 30_000,
    },
];
