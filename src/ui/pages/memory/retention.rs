//! How long the entries of a namespace are kept: the fields of it in the dialog that governs a namespace, and the words for it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::{keep_namespace, preview_keep};
use crate::model::ApiError;
use crate::model::memory::{KeptFrom, Namespace, Retention, RetentionPreview, RetentionRule};
use crate::ui::components::{Bound, Button, ButtonSize, Choice, Select, TextInput};
use crate::ui::format;

/// The choice that no rule of its own stands for.
const NO_RULE: &str = "none";

/// The fields, as they are typed.
#[derive(Clone, Copy)]
pub(super) struct Keeping {
    /// A word of [`KeptFrom`], or [`NO_RULE`].
    from: RwSignal<String>,
    days: RwSignal<String>,
    /// What the namespace's own rule was when the dialog was opened.
    own: RwSignal<Option<Retention>>,
    /// The rule that holds for it where it has none of its own.
    above: RwSignal<Option<RetentionRule>>,
    previewed: RwSignal<Option<Result<RetentionPreview, ApiError>>>,
}

impl Keeping {
    pub(super) fn new() -> Self {
        Self {
            from: RwSignal::new(NO_RULE.to_owned()),
            days: RwSignal::default(),
            own: RwSignal::new(None),
            above: RwSignal::new(None),
            previewed: RwSignal::new(None),
        }
    }

    /// Takes the rule of a namespace as it was seen.
    pub(super) fn begin(self, path: &str, namespace: Option<&Namespace>) {
        let rule = namespace.and_then(|namespace| namespace.retention.clone());
        let own = rule.as_ref().filter(|rule| rule.path == path).map(RetentionRule::retention);
        self.from.set(own.map_or(NO_RULE, |own| own.from.as_str()).to_owned());
        self.days.set(own.map_or_else(|| "90".to_owned(), |own| own.days.to_string()));
        self.above.set(rule.filter(|rule| rule.path != path));
        self.own.set(own);
        self.previewed.set(None);
    }

    /// What is typed; an error at the field of the days where it is no rule.
    fn read(self) -> Result<Option<Retention>, ApiError> {
        let Some(from) = self.from.with_untracked(|word| KeptFrom::parse(word)) else { return Ok(None) };
        let days = self.days.with_untracked(|days| days.trim().parse::<u32>());
        let days = days.map_err(|_| ApiError::invalid("/days", "expected days, such as 90"))?;
        Ok(Some(Retention { days, from }))
    }

    /// Saves the rule if it was changed.
    pub(super) async fn save(self, namespace: String) -> Result<(), ApiError> {
        self.previewed.set(None);
        let wanted = self.read()?;
        if wanted == self.own.get_untracked() {
            return Ok(());
        }
        keep_namespace(namespace, wanted).await
    }

    fn preview(self, namespace: String) {
        match self.read() {
            Ok(Some(retention)) => spawn_local(async move {
                let answer = preview_keep(namespace, retention).await;
                // It may come after the page is gone.
                let _ = self.previewed.try_set(Some(answer));
            }),
            Ok(None) => self.previewed.set(None),
            Err(error) => self.previewed.set(Some(Err(error))),
        }
    }
}

/// The rule that holds for a namespace, in a sentence.
pub(super) fn kept(rule: &RetentionRule, namespace: &str) -> String {
    let by = if rule.path == namespace { String::new() } else { format!(", as all of {}", rule.path) };
    let so_far = match rule.removed {
        0 => String::new(),
        removed => format!(" {} removed so far.", format::count(removed)),
    };
    format!("Entries are kept {}{by}.{so_far}", rule.retention().phrase())
}

/// What a rule would do, in a sentence.
fn would(preview: &RetentionPreview) -> String {
    let names: Vec<String> = preview.first.iter().map(|name| format!("{}/{}", name.namespace, name.key)).collect();
    match (preview.removes, names.join(", ")) {
        (0, _) => "Would remove nothing now.".to_owned(),
        (1, name) => format!("Would remove one entry now: {name}."),
        (many, names) if many > preview.first.len() as i64 => {
            format!("Would remove {} entries now: {names} and others.", format::count(many))
        }
        (many, names) => format!("Would remove {} entries now: {names}.", format::count(many)),
    }
}

/// The fields.
#[component]
pub(super) fn KeepingFields(
    keeping: Keeping,
    path: RwSignal<String>,
    /// What was refused when it was saved.
    refusal: Signal<Option<ApiError>>,
    may: bool,
) -> impl IntoView {
    let choices = Signal::derive(move || {
        let none = keeping.above.with(|above| match above {
            Some(rule) => format!("As all of {}: {}", rule.path, rule.retention().phrase()),
            None => "For ever".to_owned(),
        });
        let words = KeptFrom::ALL.map(|from| Choice::new(from.as_str(), format!("For some days {}", from.phrase())));
        std::iter::once(Choice::new(NO_RULE, none)).chain(words).collect::<Vec<_>>()
    });
    let days_error = Signal::derive(move || match keeping.previewed.get() {
        Some(Ok(_)) => None,
        Some(Err(error)) => error.field("/days").map(str::to_owned),
        None => refusal.get().and_then(|error| error.field("/days").map(str::to_owned)),
    });
    let said = move || {
        keeping.previewed.with(|answer| match answer {
            Some(Ok(preview)) => would(preview),
            Some(Err(error)) if error.field("/days").is_none() => error.detail().to_owned(),
            _ => String::new(),
        })
    };
    let counts = move || keeping.from.with(|word| KeptFrom::parse(word).is_some());
    view! {
        <fieldset class="field" disabled=!may>
            <legend class="visually-hidden">"Retention"</legend>
            <Select
                id="namespace-kept" label="Entries are kept" choices value=Bound::from(keeping.from)
                hint=Some("What goes can be brought back for 30 days. What is in quarantine stays.".to_owned())
            />
            {move || {
                counts().then(|| {
                    view! {
                        <TextInput id="namespace-days" label="Days" kind="number" value=Bound::from(keeping.days) error=days_error />
                        <div class="row wrap">
                            <Button
                                label="Preview" size=ButtonSize::Small
                                on_press=move |()| keeping.preview(path.get_untracked())
                            />
                            <p class="small grow over" role="status">{said}</p>
                        </div>
                    }
                })
            }}
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::memory::EntryName;

    #[test]
    fn a_rule_is_told_with_the_namespace_that_it_was_made_for() {
        let rule = RetentionRule {
            path: "code".to_owned(),
            days: 30,
            from: KeptFrom::Changed,
            set_by: None,
            set_at: Timestamp(0),
            removed: 0,
            removed_at: None,
        };
        assert_eq!(kept(&rule, "code"), "Entries are kept for 30 days after their last change.");
        let rule = RetentionRule { removed: 1_312, ..rule };
        assert!(
            kept(&rule, "code/db").starts_with("Entries are kept for 30 days after their last change, as all of code.")
        );
        assert!(kept(&rule, "code/db").ends_with("removed so far."));
    }

    #[test]
    fn a_preview_says_how_many_and_which_first() {
        let first = vec![EntryName { namespace: "a".to_owned(), key: "k".to_owned() }];
        let of = |removes, first: &[EntryName]| would(&RetentionPreview { removes, first: first.to_vec() });
        assert_eq!(of(0, &[]), "Would remove nothing now.");
        assert_eq!(of(1, &first), "Would remove one entry now: a/k.");
        assert_eq!(of(312, &first), "Would remove 312 entries now: a/k and others.");
    }
}
