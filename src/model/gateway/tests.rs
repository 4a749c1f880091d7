//! The rules of the vocabulary.

use super::*;
use crate::model::{PriceId, ProviderId, Timestamp};

fn price() -> Price {
    Price {
        id: PriceId(uuid::Uuid::nil()),
        provider_id: ProviderId(uuid::Uuid::nil()),
        model: "m".into(),
        from: Timestamp(0),
        input: 3_000_000,
        output: 15_000_000,
        cache_read: Some(300_000),
        cache_write: None,
        cache_write_hour: None,
    }
}

#[test]
fn a_cost_is_the_sum_of_its_tokens_rounded_once() {
    let usage = Usage { input: 1_000, output: 100, cache_read: 10_000, ..Usage::default() };
    assert_eq!(price().cost_micros(usage), 3_000 + 1_500 + 3_000);
    assert_eq!(price().cost_micros(Usage { cache_read: 1, ..Usage::default() }), 0);
    assert_eq!(price().cost_micros(Usage { cache_read: 2, ..Usage::default() }), 1);
    assert_eq!(price().cost_micros(Usage { cache_write: 10, ..Usage::default() }), 30);
    assert_eq!(format_usd(7_500), "0.007500");
    assert_eq!(format_usd(12_000_001), "12.000001");
}

#[test]
fn pieces_make_the_whole() {
    let usage = Usage { input: 5, ..Usage::default() };
    let mut fold = Fold::default();
    let tool = Block::ToolUse {
        id: "t".into(),
        name: "look".into(),
        input: serde_json::json!({}),
        cache: None,
        extra: Extra::new(),
    };
    for delta in [
        Delta::Start { id: "a".into(), model: "m".into(), usage },
        Delta::Open { index: 0, block: Block::Thinking { text: String::new(), signature: None } },
        Delta::Thinking { index: 0, text: "hm".into() },
        Delta::Signature { index: 0, signature: "sig".into() },
        Delta::Open { index: 1, block: Block::text("") },
        Delta::Text { index: 1, text: "He".into() },
        Delta::Text { index: 1, text: "llo".into() },
        Delta::Open { index: 2, block: tool },
        Delta::Input { index: 2, json: "{\"q\":".into() },
        Delta::Input { index: 2, json: "1}".into() },
    ] {
        fold.push(&delta);
    }
    assert!(!fold.is_complete());
    fold.push(&Delta::Stop {
        reason: StopReason::ToolUse,
        sequence: None,
        usage: Usage { output: 7, ..Usage::default() },
    });
    fold.push(&Delta::End);
    assert!(fold.is_complete());
    let whole = fold.finish();
    assert_eq!(whole.text(), "Hello");
    assert_eq!(whole.content[0], Block::Thinking { text: "hm".into(), signature: Some("sig".into()) });
    assert!(matches!(&whole.content[2], Block::ToolUse { input, .. } if input["q"] == 1));
    assert_eq!(whole.usage, Usage { input: 5, output: 7, ..Usage::default() });
}

#[test]
fn a_fold_that_only_counts_knows_how_much_there_was_and_keeps_none_of_it() {
    let usage = Usage { input: 5, output: 7, ..Usage::default() };
    let tool = Block::ToolUse {
        id: "t".into(),
        name: "look".into(),
        input: serde_json::json!({}),
        cache: None,
        extra: Extra::new(),
    };
    let pieces = [
        Delta::Start { id: "a".into(), model: "m".into(), usage: Usage::default() },
        Delta::Open { index: 0, block: Block::text("") },
        Delta::Text { index: 0, text: "織り ".repeat(10) },
        Delta::Open { index: 1, block: tool },
        Delta::Input { index: 1, json: "{\"q\":1}".into() },
        Delta::Stop { reason: StopReason::EndTurn, sequence: None, usage },
        Delta::End,
    ];
    let (mut whole, mut counted) = (Fold::default(), Fold::default());
    for (number, delta) in pieces.iter().enumerate() {
        whole.push(delta);
        counted.push(delta);
        if number == 1 {
            counted.count_only();
        }
        assert_eq!(counted.estimated_output(), whole.estimated_output());
    }
    assert!(counted.is_complete());
    assert_eq!(counted.usage(), usage);
    assert_eq!((whole.finish().content.len(), counted.finish().content.len()), (2, 0));
}

#[test]
fn a_fault_names_its_field() {
    let fault = Fault::invalid("/messages/0/role", "expected user or assistant");
    assert_eq!(fault.to_string(), "messages.0.role: expected user or assistant");
}

#[test]
fn words_read_back() {
    for kind in ProviderKind::ALL {
        assert_eq!(ProviderKind::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    for effort in Effort::ALL {
        assert_eq!(Effort::parse(effort.as_str()), Some(effort));
    }
}

#[test]
fn what_another_provider_can_not_mend_is_not_taken_to_one() {
    assert!(!FaultClass::Invalid.may_differ_elsewhere());
    assert!(!FaultClass::Interrupted.may_differ_elsewhere());
    assert!(FaultClass::Credential.may_differ_elsewhere() && !FaultClass::Credential.may_pass());
    assert!(!FaultClass::RateLimited.is_illness());
}
