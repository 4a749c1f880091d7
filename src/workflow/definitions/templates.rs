//! The workflows that ship with Weft: one YAML file each, inside the binary.

use std::sync::LazyLock;

use super::file;
use crate::model::workflow::Template;

/// Slug and text of each file.
const FILES: [(&str, &str); 11] = [
    ("repository-health-check", include_str!("../templates/repository-health-check.yaml")),
    ("watch-a-web-page", include_str!("../templates/watch-a-web-page.yaml")),
    ("nightly-tests", include_str!("../templates/nightly-tests.yaml")),
    ("race", include_str!("../templates/race.yaml")),
    ("hedge", include_str!("../templates/hedge.yaml")),
    ("agents-write-and-review", include_str!("../templates/agents-write-and-review.yaml")),
    ("agents-supervisor", include_str!("../templates/agents-supervisor.yaml")),
    ("agents-round-robin", include_str!("../templates/agents-round-robin.yaml")),
    ("agents-hand-off", include_str!("../templates/agents-hand-off.yaml")),
    ("agents-debate", include_str!("../templates/agents-debate.yaml")),
    ("agents-vote", include_str!("../templates/agents-vote.yaml")),
];

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let read = FILES.iter().map(|&(slug, text)| {
        let definition = file::parse(text).expect("a test reads every template");
        Template {
            slug: slug.to_owned(),
            name: definition.name.clone(),
            description: definition.description.clone(),
            definition,
        }
    });
    read.collect()
});

/// Every template, in the order of the gallery.
pub fn list() -> &'static [Template] {
    &TEMPLATES
}

/// The template with this slug or name, in any case.
pub fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|t| t.slug.eq_ignore_ascii_case(name) || t.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::workflow::check::check;

    #[test]
    fn every_template_is_free_of_problems() {
        for template in list() {
            assert_eq!(check(&template.definition), [], "{}", template.slug);
        }
    }

    #[test]
    fn a_template_is_found_by_slug_and_by_name() {
        assert!(find("Repository health check").is_some());
        assert!(find("repository-health-check").is_some());
        assert!(find("nothing").is_none());
    }
}
