//! Entries as points.

use weft::memory::{self, Error, Expect};
use weft::model::auth::Role;
use weft::model::memory::{MapBasis, MapPoint, MemoryMap};
use weft::runtime::Ctx;

use super::{as_role, put, workspace};

async fn map(ctx: &Ctx, namespace: &str) -> MemoryMap {
    memory::map(ctx, namespace).await.unwrap()
}

fn keys(map: &MemoryMap) -> Vec<&str> {
    let mut keys: Vec<&str> = map.points.iter().map(|point| point.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn distance(map: &MemoryMap, a: &str, b: &str) -> f32 {
    let find = |key: &str| -> &MapPoint { map.points.iter().find(|point| point.key == key).unwrap() };
    let (a, b) = (find(a), find(b));
    (a.x - b.x).hypot(a.y - b.y)
}

on_both_engines! {
    async fn without_vectors_entries_of_the_same_words_lie_near_each_other(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "pool", "nightly import exhausted connection pool").await;
        put(&ctx, "a/b", "outage", "connection pool exhausted during nightly import").await;
        put(&ctx, "a", "soup", "lunch soup bread inn team").await;
        put(&ctx, "a", "lunch", "team lunch inn bread soup").await;
        put(&ctx, "other", "else", "nightly import").await;
        let drawn = map(&ctx, "a").await;
        assert_eq!(drawn.by, MapBasis::Words {});
        assert_eq!((keys(&drawn), drawn.entries, drawn.sampled), (vec!["lunch", "outage", "pool", "soup"], 4, false));
        assert!(distance(&drawn, "pool", "outage") < distance(&drawn, "pool", "soup"));
        assert!(distance(&drawn, "soup", "lunch") < distance(&drawn, "outage", "lunch"));
        assert!(drawn.points.iter().all(|point| point.x.abs() <= 1.0 && point.y.abs() <= 1.0));
        assert_eq!(map(&ctx, "a").await, drawn, "the same entries give the same map");
        assert_eq!(map(&ctx, "").await.entries, 5);
    }

    async fn few_points_and_none_make_a_map_too(site: Site) {
        let ctx = workspace(&site).await;
        let none = map(&ctx, "").await;
        assert_eq!((none.points.len(), none.entries), (0, 0));
        put(&ctx, "a", "one", "the only words").await;
        let one = map(&ctx, "a").await;
        assert_eq!((one.points[0].x, one.points[0].y, one.points[0].title.as_str()), (0.0, 0.0, "the only words"));
        put(&ctx, "a", "two", "the only words").await;
        assert!(distance(&map(&ctx, "a").await, "one", "two").is_finite());
    }

    async fn what_is_set_aside_or_elsewhere_is_on_no_map(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "seen", "words").await;
        put(&ctx, "a", "held", "words").await;
        put(&ctx, "a", "gone", "words").await;
        memory::quarantine(&ctx, ("a", "held"), "", Expect::Any).await.unwrap();
        memory::delete(&ctx, "a", "gone", Expect::Any).await.unwrap();
        assert_eq!(keys(&map(&as_role(&ctx, Role::Viewer), "a").await), ["seen"]);
        let theirs = workspace(&site).await;
        assert_eq!(map(&theirs, "a").await.points, []);
        assert!(matches!(memory::map(&ctx, "a//b").await, Err(Error::Invalid(_))));
    }
}
