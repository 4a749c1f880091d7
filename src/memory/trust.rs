//! Which label an entry gets: who its words came from. Pure.

use super::Error;
use crate::model::FieldError;
use crate::model::memory::{Entry, EntryDraft, Source, Trust};

/// The label of what is written over `live`, if there is anything.
///
/// People and the command line may say `user` and less; a run's step `tool` and less, whatever it asks for. Words that are
/// there already keep their label, unless it is lowered: only who changes them can answer for them.
///
/// # Errors
/// [`Error::Invalid`] where a person asks for more.
pub(super) fn granted(draft: &EntryDraft, source: &Source, live: Option<&Entry>) -> Result<Trust, Error> {
    let is_run = matches!(source, Source::Run { .. });
    let own = if is_run { Trust::Tool } else { Trust::User };
    let most = match live.filter(|live| says_the_same(live, draft)) {
        Some(live) => own.lower(live.trust),
        None => own,
    };
    match draft.trust {
        Some(asked) if asked < most && !is_run => {
            let expected = format!("expected {} or less: these words came from {}", most.as_str(), most.label());
            Err(Error::Invalid(vec![FieldError::new("/trust", expected)]))
        }
        Some(asked) => Ok(asked.lower(most)),
        None => Ok(most),
    }
}

/// Whether an entry has these words already.
pub(super) fn says_the_same(live: &Entry, draft: &EntryDraft) -> bool {
    live.content == draft.content && live.value == draft.value
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::memory::index::tests::entry;
    use crate::model::RunId;

    #[test]
    fn a_label_can_be_lowered_and_only_other_words_raise_it() {
        let run = Source::Run { run_id: RunId(Uuid::nil()), step: "note".to_owned() };
        let person = Source::User { name: "Mara".to_owned() };
        let from_web = Entry { trust: Trust::Web, ..entry(1, "a", "k", "same", &[]) };
        let (same, other) = ("same", "other");
        // Who writes, what they ask for, over which words, and what they get.
        for (source, asked, words, live, expected) in [
            (&person, None, other, None, Some(Trust::User)),
            (&Source::Cli {}, None, other, None, Some(Trust::User)),
            (&person, Some(Trust::Web), other, None, Some(Trust::Web)),
            (&run, None, other, None, Some(Trust::Tool)),
            (&run, Some(Trust::User), other, None, Some(Trust::Tool)),
            (&run, Some(Trust::Model), other, None, Some(Trust::Model)),
            (&person, None, same, Some(&from_web), Some(Trust::Web)),
            (&person, Some(Trust::User), same, Some(&from_web), None),
            (&person, Some(Trust::User), other, Some(&from_web), Some(Trust::User)),
            (&person, None, other, Some(&from_web), Some(Trust::User)),
            (&run, Some(Trust::Tool), same, Some(&from_web), Some(Trust::Web)),
            (&run, None, other, Some(&from_web), Some(Trust::Tool)),
        ] {
            let draft = EntryDraft { content: words.to_owned(), trust: asked, ..EntryDraft::default() };
            let got = granted(&draft, source, live).ok();
            assert_eq!(got, expected, "{source:?} asks for {asked:?} with {words}");
        }
    }
}
