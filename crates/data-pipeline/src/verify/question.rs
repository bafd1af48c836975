//! What the model is asked about a row, and how its reply is read.

use serde::Deserialize;
use serde_json::json;

use crate::Row;

const INSTRUCTION: &str = "Eres un profesor de lógica proposicional. Recibes una oración, el glosario de sus átomos y \
    una fórmula. Decide si la fórmula formaliza la oración: «o» es inclusiva salvo que se diga «pero no ambos»; «A si B» \
    es B → A; «A solo si B» es A → B; «A a menos que B» es ¬B → A. Responde solo con JSON: \
    {\"correct\": true o false, \"formula\": la fórmula correcta con ∧ ∨ ¬ → ↔ y los mismos átomos}.";

/// The most tokens of a reply.
const MAX_TOKENS: u64 = 200;

pub(super) struct Question {
    /// The request as JSON.
    pub(super) body: String,
    /// What the reply is kept under: the hash of the request.
    pub(super) key: String,
    /// The most tokens the reply may have.
    pub(super) max_tokens: u64,
}

impl Question {
    pub(super) fn about(row: &Row, model: &str) -> Question {
        let asked = json!({ "oración": row.input, "átomos": row.atoms, "fórmula": row.formula });
        let schema = json!({
            "type": "object",
            "properties": { "correct": { "type": "boolean" }, "formula": { "type": "string" } },
            "required": ["correct", "formula"],
            "additionalProperties": false,
        });
        let request = json!({
            "model": model,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "messages": [
                { "role": "system", "content": INSTRUCTION },
                { "role": "user", "content": asked.to_string() },
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": { "name": "opinion", "strict": true, "schema": schema },
            },
        });
        let body = request.to_string();
        let key = blake3::hash(body.as_bytes()).to_hex().to_string();
        Question { body, key, max_tokens: MAX_TOKENS }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Opinion {
    pub(super) correct: bool,
    #[serde(default)]
    pub(super) formula: Option<String>,
}

impl Opinion {
    /// The JSON object in the reply; servers that know no schema may write around it.
    pub(super) fn read(reply: &str) -> Option<Opinion> {
        let object = reply.get(reply.find('{')?..=reply.rfind('}')?)?;
        serde_json::from_str(object).ok()
    }
}
