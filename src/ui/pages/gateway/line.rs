//! A call in the log: a row, and what it opens.

use leptos::prelude::*;

use super::content::Content;
use super::explain::wait;
use super::place::{Place, outcome_label};
use crate::model::cache::{CacheOutcome, CacheTier};
use crate::model::credentials::query_value;
use crate::model::gateway::{CallFilter, CallLine, CallOutcome, CallRecord, CallSource, Masked, Tried, Verdict};
use crate::ui::components::{Badge, Icon, RelativeTime, Tone};
use crate::ui::format;

/// Columns of the table.
pub(super) const COLUMNS: u32 = 8;

#[component]
pub(super) fn CallRows(line: CallLine) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let CallLine { call, user, key, agent } = line;
    let id = format!("call-{}", call.id);
    let (row_id, stored) = (id.clone(), StoredValue::new((call.clone(), user.clone(), key.clone(), agent)));
    let label = format!("Details of the call of {}", called(&call));
    let details = move || {
        let (call, user, key, agent) = stored.get_value();
        view! {
            <tr id=row_id.clone() class="call-more">
                <td colspan=COLUMNS.to_string() data-wrap=""><Details call user key agent /></td>
            </tr>
        }
    };
    view! {
        <tr class="call" data-open=move || is_open.get().then_some("")>
            <td class="nowrap">
                <button
                    type="button" class="call-open" aria-label=label aria-expanded=move || is_open.get().to_string()
                    aria-controls=move || is_open.get().then(|| id.clone()) on:click=move |_| is_open.update(|open| *open = !*open)
                >
                    <Icon name="right" />
                </button>
                <RelativeTime at=call.at />
            </td>
            <td class="call-who"><Who call=call.clone() user key /></td>
            <td class="call-model mono truncate">{called(&call)}</td>
            <td><OutcomeBadge outcome=call.outcome />{kept_label(&call).map(|label| view! { " "<Badge label tone=Tone::Good /> })}{(!call.masked.is_empty()).then(|| view! { " "<Badge label="Masked" tone=Tone::Accent /> })}{shortened_label(&call).map(|label| view! { " "<Badge label tone=Tone::Warn /> })}</td>
            <td class="num">{tokens(&call)}</td>
            <td class="num"><Cost call=call.clone() /></td>
            <td class="num">{call.first_token_ms.map(format::duration)}</td>
            <td class="num">{format::duration(call.took_ms)}</td>
        </tr>
        <Show when=move || is_open.get()>{details.clone()}</Show>
    }
}

/// The model with its provider, while one was asked.
fn called(call: &CallRecord) -> String {
    match (call.provider.as_str(), call.model.as_str()) {
        ("", "") => "the default".to_owned(),
        ("", model) => model.to_owned(),
        (provider, model) => format!("{provider}/{model}"),
    }
}

/// That its answer was kept, and for what.
fn kept_label(call: &CallRecord) -> Option<&'static str> {
    let cache = call.cache.filter(|cache| cache.outcome == CacheOutcome::Hit)?;
    Some(if cache.tier == Some(CacheTier::Semantic) { "From the cache, by meaning" } else { "From the cache" })
}

/// That not all of its conversation was sent.
fn shortened_label(call: &CallRecord) -> Option<&'static str> {
    let context = call.choice.context.as_ref()?;
    Some(if context.summarized { "Summarized" } else { "Shortened" })
}

/// What the cache did for it, in words.
fn cache_words(call: &CallRecord) -> String {
    let Some(cache) = call.cache else { return "Not asked".to_owned() };
    if cache.outcome == CacheOutcome::Miss {
        return "Asked, without an answer".to_owned();
    }
    let tokens =
        format!("{} read and {} written", format::count(cache.saved.prompt()), format::count(cache.saved.output));
    match cache.saved_micros {
        Some(micros) => format!("Saved {tokens}, {}", format::dollars(micros)),
        None => format!("Saved {tokens}"),
    }
}

/// Read and written, short.
fn tokens(call: &CallRecord) -> String {
    let sign = if call.estimated { "~" } else { "" };
    format!("{sign}{} → {sign}{}", format::count(call.usage.prompt()), format::count(call.usage.output))
}

/// Who asked, and through what.
#[component]
fn Who(call: CallRecord, user: Option<String>, key: Option<String>) -> impl IntoView {
    match (call.source, call.run_id) {
        (CallSource::Step, Some(run)) => {
            let step = call.step.unwrap_or_default();
            let href = format!("/runs/{run}?step={}", query_value(&step));
            view! { <a class="link over" href=href>"step "<span class="mono">{step}</span></a> }.into_any()
        }
        (CallSource::Memory, _) => {
            let whose = match user {
                Some(name) => format!("memory, for a search of {name}"),
                None => "memory".to_owned(),
            };
            view! { <span class="truncate">{whose}</span> }.into_any()
        }
        (CallSource::Cache, _) => {
            let whose = match user.or(key) {
                Some(name) => format!("the cache, for a question of {name}"),
                None => "the cache".to_owned(),
            };
            view! { <span class="truncate">{whose}</span> }.into_any()
        }
        (CallSource::Context, _) => {
            let whose = match user.or(key) {
                Some(name) => format!("a summary of a conversation of {name}"),
                None => "a summary of a conversation".to_owned(),
            };
            view! { <span class="truncate">{whose}</span> }.into_any()
        }
        _ => {
            let through = key.or(user).unwrap_or_else(|| {
                if call.key_id.is_some() { "a key that is gone" } else { "somebody who is gone" }.to_owned()
            });
            view! { <span class="truncate">{through}</span> }.into_any()
        }
    }
}

/// What it cost, or why that is not known.
#[component]
fn Cost(call: CallRecord) -> impl IntoView {
    match (call.cost_micros, call.outcome) {
        (Some(cost), _) => format::dollars(cost).into_any(),
        (None, CallOutcome::Failed) => view! { <span class="dimmer">"none"</span> }.into_any(),
        (None, _) => match price_href(&call) {
            Some(href) => view! { <a class="link over" href=href>"no price"</a> }.into_any(),
            None => view! { <span class="dimmer">"no price"</span> }.into_any(),
        },
    }
}

/// Where a price of the model is set.
fn price_href(call: &CallRecord) -> Option<String> {
    call.provider_id.map(|id| format!("/providers/{id}?price={}", query_value(&call.model)))
}

#[component]
fn OutcomeBadge(outcome: CallOutcome) -> impl IntoView {
    let tone = match outcome {
        CallOutcome::Complete | CallOutcome::Cancelled => Tone::Plain,
        CallOutcome::Partial => Tone::Warn,
        CallOutcome::Failed => Tone::Bad,
    };
    view! { <Badge label=outcome_label(outcome) tone /> }
}

/// Everything that is known of a call.
#[component]
fn Details(call: CallRecord, user: Option<String>, key: Option<String>, agent: Option<String>) -> impl IntoView {
    let asked = if call.choice.asked.is_empty() { "the default".to_owned() } else { call.choice.asked.clone() };
    let tried = call.choice.tried.iter().map(|one| view! { <TriedItem one=one.clone() /> }).collect_view();
    let rule = call.choice.rule.clone();
    let hedged = call.choice.hedged.as_ref().map(|hedged| {
        format!("{} had not begun after {} ms, {} was asked too", hedged.slow, hedged.after_ms, hedged.also)
    });
    let unpriced =
        (call.cost_micros.is_none() && call.outcome != CallOutcome::Failed).then(|| price_href(&call)).flatten();
    let parts: Vec<(&'static str, i64)> = usage_parts(&call).into_iter().filter(|(_, tokens)| *tokens > 0).collect();
    let parts = parts.into_iter().map(|(name, tokens)| view! { <dt>{name}</dt><dd>{format::count(tokens)}</dd> });
    let parts = parts.collect_view();
    let tokens_by = (call.usage.prompt() + call.usage.output > 0).then(|| call.tokens_by.words());
    let run = call.run_id.map(|run| {
        let step = call.step.clone().unwrap_or_default();
        let href = format!("/runs/{run}?step={}", query_value(&step));
        view! {
            <dt>"Run"</dt>
            <dd><a class="link" href=format!("/runs/{run}")>"Open the run"</a>", "<a class="link" href=href>"step "<span class="mono">{step}</span></a></dd>
        }
    });
    // What is asked by the same: the calls of an agent, those of a conversation.
    let same = |filter: CallFilter| Place { filter, ..Place::default() }.href();
    let agent = call.agent_id.map(|id| {
        let href = same(CallFilter { agent_id: Some(id), ..CallFilter::default() });
        let name = agent.unwrap_or_else(|| "one that is gone".to_owned());
        view! { <dt>"Agent"</dt><dd><a class="link" href=href>{name}</a></dd> }
    });
    let session = call.session.clone().map(|session| {
        let href = same(CallFilter { session: Some(session.clone()), ..CallFilter::default() });
        view! { <dt>"Session"</dt><dd class="wrapped"><a class="link mono small" href=href>{session}</a></dd> }
    });
    let cache = cache_words(&call);
    let masked = (!call.masked.is_empty()).then(|| view! { <dt>"Masked"</dt><dd>{Masked::words(&call.masked)}</dd> });
    let icon = if call.outcome == CallOutcome::Cancelled { "info" } else { "s-failed" };
    let left_out = call.choice.context.as_ref().map(|context| {
        let window = format::count(context.window);
        view! {
            <dt>"Left out"</dt><dd class="wrapped">{format::sentence(&context.words())}</dd>
            <dt>"Window"</dt><dd>{window}</dd>
        }
    });
    let notices =
        call.choice.notices.iter().map(|notice| view! { <dd class="wrapped">{format::sentence(notice)}</dd> });
    let notices =
        (!call.choice.notices.is_empty()).then(|| view! { <dt>"Not said as asked"</dt>{notices.collect_view()} });
    let flags =
        call.choice.flags.iter().map(|told| view! { <dd class="wrapped">{format::sentence(&told.words())}</dd> });
    let flags = (!call.choice.flags.is_empty()).then(|| view! { <dt>"Flags"</dt>{flags.collect_view()} });
    let lost = call.choice.lost.iter().map(|lost| view! { <dd class="wrapped">{format::sentence(lost)}</dd> });
    let lost = (!call.choice.lost.is_empty()).then(|| view! { <dt>"Lost of the answer"</dt>{lost.collect_view()} });
    let error = call.error.clone().map(|error| {
        view! {
            <div class="notice" data-tone=if call.outcome == CallOutcome::Failed { "bad" } else { "warn" }>
                <Icon name=icon /><span class="grow">{format::sentence(&error)}</span>
            </div>
        }
    });
    view! {
        <div class="call-details stack">
            {error}
            <div class="grid pair">
                <div class="stack">
                    <h3>"Why this model"</h3>
                    <dl class="pairs">
                        <dt>"Asked for"</dt><dd class="mono">{asked}</dd>
                        {(!rule.is_empty()).then(|| view! { <dt>"Read as"</dt><dd>{rule}</dd> })}
                        {hedged.map(|hedged| view! { <dt>"Asked two"</dt><dd>{hedged}</dd> })}
                    </dl>
                    <ol class="tried">{tried}</ol>
                </div>
                <div class="stack">
                    <h3>"Tokens"</h3>
                    {tokens_by.map(|words| view! { <p class="small dim">{format::sentence(words)}</p> })}
                    <dl class="pairs">{parts}<dt>"Cache"</dt><dd>{cache}</dd>{flags}{masked}{left_out}{notices}{lost}</dl>
                    {unpriced.map(|href| view! {
                        <p><span class="dim">"The model had no price at that time. "</span><a class="link" href=href>"Set one for calls to come"</a></p>
                    })}
                </div>
                <div class="stack">
                    <h3>"Who asked"</h3>
                    <dl class="pairs">
                        {run}
                        {user.map(|user| view! { <dt>"Person"</dt><dd>{user}</dd> })}
                        {key.map(|key| view! { <dt>"Key"</dt><dd>{key}</dd> })}
                        {agent}
                        {session}
                        <dt>"Call"</dt><dd class="mono small">{call.id.to_string()}</dd>
                    </dl>
                </div>
            </div>
            <Content call=call.id />
        </div>
    }
}

/// Tokens by where they came from and went to.
const fn usage_parts(call: &CallRecord) -> [(&'static str, i64); 6] {
    let usage = call.usage;
    [
        ("Read", usage.input),
        ("From the cache", usage.cache_read),
        ("Into the cache", usage.cache_write),
        ("For an hour", usage.cache_write_hour),
        ("Written", usage.output),
        ("Thoughts", usage.reasoning),
    ]
}

#[component]
fn TriedItem(one: Tried) -> impl IntoView {
    let name = format!("{}/{}", one.provider, one.model);
    let (what, tone) = verdict(&one);
    let waited = (one.waited_ms > 0).then(|| format!(", after {} in line", wait(one.waited_ms)));
    view! {
        <li>
            <span class="mono">{name}</span>" "
            <span data-tone=tone.as_str()>{what}{waited}</span>
        </li>
    }
}

/// What became of it, in words.
fn verdict(one: &Tried) -> (String, Tone) {
    match &one.verdict {
        Verdict::Answers if one.attempts > 1 => (format!("answered at attempt {}", one.attempts), Tone::Plain),
        Verdict::Answers => ("answered".to_owned(), Tone::Plain),
        Verdict::Kept => ("not asked: its answer was kept".to_owned(), Tone::Good),
        Verdict::Alike { why } => {
            (format!("not asked: its answer to a question that means the same was kept ({why})"), Tone::Good)
        }
        Verdict::Lacks { what } => (format!("not asked: {what}"), Tone::Plain),
        Verdict::Rests { for_ms } => (format!("rested, for {} more", wait(*for_ms)), Tone::Warn),
        Verdict::NoRoom { why } => (format!("not asked, since it had no room: {why}"), Tone::Warn),
        Verdict::Dropped if one.attempts == 0 => ("dropped while it waited for room".to_owned(), Tone::Plain),
        Verdict::Dropped => ("asked at the same time, and dropped".to_owned(), Tone::Plain),
        Verdict::Failed { class, message } => {
            let times = if one.attempts > 1 { format!(" after {} attempts", one.attempts) } else { String::new() };
            (format!("failed{times} ({}): {message}", class.as_str().replace('_', " ")), Tone::Bad)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::FaultClass;

    #[test]
    fn what_became_of_each_is_told_in_words() {
        let tried = |attempts, verdict| {
            let (provider, model) = ("a".to_owned(), "m".to_owned());
            Tried { provider, model, attempts, waited_ms: 0, verdict }
        };
        assert_eq!(verdict(&tried(1, Verdict::Answers)).0, "answered");
        assert_eq!(verdict(&tried(2, Verdict::Answers)).0, "answered at attempt 2");
        assert_eq!(verdict(&tried(0, Verdict::Rests { for_ms: 8_000 })).0, "rested, for 8 s more");
        let failed = Verdict::Failed { class: FaultClass::RateLimited, message: "no".to_owned() };
        assert_eq!(verdict(&tried(3, failed)).0, "failed after 3 attempts (rate limited): no");
    }
}
