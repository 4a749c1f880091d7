//! What a team says of its namespaces.

use weft::memory::{self, Error, Expect};
use weft::model::auth::Role;
use weft::model::memory::{MAX_DESCRIPTION_CHARS, NamespaceDescription};

use super::{as_role, put, workspace};

fn said(description: &str) -> NamespaceDescription {
    NamespaceDescription { description: description.to_owned() }
}

on_both_engines! {
    async fn a_namespace_is_described_before_it_holds_anything(site: Site) {
        let ctx = workspace(&site).await;
        let told = memory::describe(&ctx, "team/habits", &said("  How we work.\nNot why.  ")).await.unwrap();
        assert_eq!((told.path.as_str(), told.entries), ("team/habits", 0));
        assert_eq!(told.description.as_deref(), Some("How we work.\nNot why."));
        put(&ctx, "team/habits", "k", "text").await;
        put(&ctx, "team", "k", "text").await;
        let all = memory::namespaces(&ctx).await.unwrap();
        let all: Vec<_> = all.iter().map(|one| (one.path.as_str(), one.entries, one.description.as_deref())).collect();
        assert_eq!(all, [("team", 1, None), ("team/habits", 1, Some("How we work.\nNot why."))]);
        assert_eq!(memory::describe(&ctx, "team/habits", &said(" ")).await.unwrap().description, None);
        memory::delete(&ctx, "team/habits", "k", Expect::Any).await.unwrap();
        let left: Vec<String> = memory::namespaces(&ctx).await.unwrap().into_iter().map(|one| one.path).collect();
        assert_eq!(left, ["team"]);
    }

    async fn a_standard_namespace_says_what_it_is_for_until_somebody_says_more(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "decisions", "k", "text").await;
        let purpose = memory::namespaces(&ctx).await.unwrap().remove(0).description.unwrap();
        assert!(purpose.contains("decided"), "{purpose}");
        memory::describe(&ctx, "decisions", &said("Ours alone.")).await.unwrap();
        assert_eq!(memory::namespaces(&ctx).await.unwrap()[0].description.as_deref(), Some("Ours alone."));
        assert_eq!(memory::describe(&ctx, "decisions", &said("")).await.unwrap().description, Some(purpose));
    }

    async fn a_description_that_does_not_fit_is_refused_by_its_field(site: Site) {
        let ctx = workspace(&site).await;
        let longest = "ä".repeat(MAX_DESCRIPTION_CHARS);
        assert!(memory::describe(&ctx, "a", &said(&longest)).await.is_ok());
        for (path, text, pointer) in [
            ("a", format!("{longest}ä").as_str(), "/description"),
            ("a", "a\0b", "/description"),
            ("a//b", "text", "namespace"),
            ("", "text", "namespace"),
        ] {
            match memory::describe(&ctx, path, &said(text)).await {
                Err(Error::Invalid(fields)) => assert_eq!(fields[0].pointer, pointer),
                other => panic!("{path} {other:?}"),
            }
        }
        let viewer = as_role(&ctx, Role::Viewer);
        assert!(matches!(memory::describe(&viewer, "a", &said("mine")).await, Err(Error::Denied(_))));
        assert_eq!(memory::namespaces(&viewer).await.unwrap().len(), 1);
        let theirs = workspace(&site).await;
        assert!(memory::namespaces(&theirs).await.unwrap().is_empty());
    }
}
