//! Long, wide and heavy runs.

use super::*;

on_both_engines! {
    async fn ten_thousand_steps_in_a_row_end(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut steps = vec![transform("s0", json!(0))];
        steps.extend((1..10_000).map(|n| transform(&format!("s{n}"), json!(format!("{{{{ steps.s{}.output + 1 }}}}", n - 1)))));
        let mut definition = chain(steps);
        definition.output = json!("{{ steps.s9999.output }}");
        let detail = end(&ctx, start(&ctx, &definition, json!({})).await).await;
        assert_eq!(detail.output, json!(9999));
        assert_eq!(detail.last_seq, 20_002);
    }

    async fn two_hundred_branches_with_a_megabyte_between_them_end(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut steps = vec![transform("big", json!("{{ inputs.text }}"))];
        steps.extend((0..200).map(|n| transform(&format!("b{n}"), json!("{{ steps.big.output | length }}"))));
        steps.push(transform("join", json!("{{ steps.b199.output }}")));
        let mut edges = Vec::new();
        for n in 0..200 {
            edges.push(json!({"from": "big", "to": format!("b{n}")}));
            edges.push(json!({"from": format!("b{n}"), "to": "join"}));
        }
        let definition = definition(json!({"weft": 1, "name": "wide", "inputs": any_of(&["text"]), "steps": steps, "edges": edges, "output": "{{ steps.join.output }}"}));
        let text = "x".repeat(1_000_000);
        let detail = end(&ctx, start(&ctx, &definition, json!({"text": text})).await).await;
        assert_eq!(detail.output, json!(1_000_000));
    }
}
