//! What tools are called, and what using them can do.

use super::*;

#[test]
fn a_tool_is_read_back_by_its_name() {
    for tool in AgentTool::ALL {
        assert_eq!(AgentTool::parse(tool.as_str()), Some(tool));
        assert_eq!(serde_json::to_value(tool).unwrap(), tool.as_str());
        assert!(jsonschema_shape(&tool.schema()), "{tool:?}");
    }
}

fn jsonschema_shape(schema: &Value) -> bool {
    let required = schema["required"].as_array().unwrap();
    required.iter().all(|name| schema["properties"].get(name.as_str().unwrap()).is_some())
}

#[test]
fn only_asking_a_web_server_for_something_reads() {
    let effect = |method: &str| AgentTool::HttpRequest.effect(&json!({"method": method}));
    assert_eq!(
        (effect("GET"), effect("HEAD"), effect("POST"), effect("get")),
        (Effect::Reads, Effect::Reads, Effect::Acts, Effect::Acts)
    );
    assert_eq!(AgentTool::HttpRequest.effect(&Value::Null), Effect::Acts);
}
