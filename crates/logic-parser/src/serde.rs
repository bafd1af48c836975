//! Formulas and arguments as text, assignments as maps, judgements as objects: flat, however deep the formula.

use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::argument::{Argument, Explanation, Instance, Judgement, Verdict};
use crate::assignment::Assignment;
use crate::formula::Formula;

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Argument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Formula {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Formula, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Argument, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a formula or an argument as text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl Serialize for Assignment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Assignment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Assignment, D::Error> {
        deserializer.deserialize_map(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Assignment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from atoms to truth values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Assignment, A::Error> {
        core::iter::from_fn(|| map.next_entry::<String, bool>().transpose()).collect()
    }
}

/// `"valid"`, `"invalid"` or `"unknown"`.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Verdict::Valid => "valid",
            Verdict::Invalid => "invalid",
            Verdict::Unknown(_) => "unknown",
        })
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut languages = serializer.serialize_struct("Explanation", 2)?;
        languages.serialize_field("es", &self.es)?;
        languages.serialize_field("en", &self.en)?;
        languages.end()
    }
}

/// Forms and fallacies by the ids of their schemas.
impl Serialize for Judgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = |instance: &Option<Instance>| instance.as_ref().map(|instance| instance.schema.id);
        let mut fields = serializer.serialize_struct("Judgement", 5)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("form", &id(&self.form))?;
        fields.serialize_field("fallacy", &id(&self.fallacy))?;
        fields.serialize_field("countermodel", &self.countermodel)?;
        fields.serialize_field("explanation", &self.explanation)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_arguments_and_assignments_survive_json() {
        let formula: Formula = serde_json::from_str("\"p -> q\"").expect("a formula");
        assert_eq!(serde_json::to_string(&formula).expect("text"), "\"p → q\"");
        let argument: Argument = serde_json::from_str("\"p -> q, p |- q\"").expect("an argument");
        assert_eq!(serde_json::to_string(&argument).expect("text"), "\"p → q, p ⊢ q\"");
        let values: Assignment = serde_json::from_str(r#"{"p":true,"q":false}"#).expect("an assignment");
        assert_eq!(serde_json::to_string(&values).expect("a map"), r#"{"p":true,"q":false}"#);
        assert!(serde_json::from_str::<Formula>("\"p ->\"").is_err());
    }

    #[test]
    fn a_judgement_is_an_object_of_its_findings() {
        let argument = Argument::parse("p -> q, q |- p").expect("an argument");
        let judgement = serde_json::to_value(argument.judge()).expect("an object");
        assert_eq!(judgement["verdict"], "invalid");
        assert_eq!(judgement["form"], serde_json::Value::Null);
        assert_eq!(judgement["fallacy"], "affirming_the_consequent");
        assert_eq!(judgement["countermodel"], serde_json::json!({ "p": false, "q": true }));
        assert!(judgement["explanation"]["es"].is_string() && judgement["explanation"]["en"].is_string());
    }
}
