//! What the kinds of steps give, as far as a person who gives it by hand has to know: what later steps may rely on.

use serde_json::{Map, Value, json};

use super::Kind;

impl Kind {
    /// The JSON Schema of what a step of this kind gives when it leaves by this port; `None` where it may be anything.
    ///
    /// More fields than are named may be there. A schema that the config gives for the answer of a model counts where it is
    /// no template.
    pub fn output_schema(&self, config: &Map<String, Value>, port: &str) -> Option<Value> {
        let asked = config.get("schema").filter(|schema| schema.is_object());
        let text = || object(&["text"], json!({ "text": { "type": "string" } }));
        Some(match self.name {
            "condition" => object(&["value"], json!({ "value": { "const": port == "true" } })),
            "switch" => object(&["port"], json!({ "port": { "const": port } })),
            "approval" => object(&["decision"], json!({ "decision": { "const": port } })),
            "classify" => object(&["label"], json!({ "label": { "const": port } })),
            "extract" => object(&["json"], json!({ "json": asked.cloned().unwrap_or_else(|| json!({})) })),
            "prompt" | "agent" => match asked {
                Some(schema) => object(&["json"], json!({ "json": schema })),
                None => text(),
            },
            "summarize" => text(),
            "wait" => object(&["waited_ms"], json!({ "waited_ms": { "type": "integer", "minimum": 0 } })),
            "http" => object(
                &["status"],
                json!({
                    "status": { "type": "integer", "minimum": 100, "maximum": 599 },
                    "headers": { "type": "object" },
                    "body": { "type": "string" },
                }),
            ),
            "shell" => object(
                &["exit_code", "stdout"],
                json!({
                    "exit_code": { "type": "integer" },
                    "stdout": { "type": "string" },
                    "stderr": { "type": "string" },
                }),
            ),
            "respond" => {
                object(&["status"], json!({ "status": { "type": "integer", "minimum": 100, "maximum": 599 } }))
            }
            "memory_search" => object(
                &["hits", "matched", "text"],
                json!({ "hits": { "type": "array" }, "matched": {}, "text": { "type": "string" } }),
            ),
            "memory_write" | "analyze" => json!({ "type": "object" }),
            "map" => match config.get("results").and_then(Value::as_str) {
                None | Some("" | "list") => json!({ "type": "array" }),
                Some("count") => {
                    let count = json!({ "type": "integer", "minimum": 0 });
                    object(&["items", "failed"], json!({ "items": count, "failed": count }))
                }
                Some(_) => return None,
            },
            _ => return None,
        })
    }
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_leaves_by_the_port_its_output_names_says_so() {
        for (kind, port, field, value) in [
            ("condition", "true", "value", json!(true)),
            ("condition", "false", "value", json!(false)),
            ("switch", "default", "port", json!("default")),
            ("approval", "approved", "decision", json!("approved")),
            ("classify", "bug", "label", json!("bug")),
        ] {
            let schema = Kind::find(kind).expect("there").output_schema(&Map::new(), port).expect("known");
            assert_eq!(schema["properties"][field]["const"], value, "{kind} by {port}");
        }
    }

    #[test]
    fn the_answer_of_a_model_fits_the_schema_that_was_asked_for() {
        let prompt = Kind::find("prompt").expect("there");
        let schema = json!({"type": "object", "required": ["n"]});
        let asked = Map::from_iter([("schema".to_owned(), schema.clone())]);
        let known = prompt.output_schema(&asked, "out").expect("known");
        assert_eq!((&known["required"], &known["properties"]["json"]), (&json!(["json"]), &schema));
        let templated = Map::from_iter([("schema".to_owned(), json!("{{ inputs.schema }}"))]);
        assert_eq!(prompt.output_schema(&templated, "out").expect("known")["required"], json!(["text"]));
        assert_eq!(Kind::find("transform").expect("there").output_schema(&asked, "out"), None);
    }
}
