//! Reading and writing calls.

use std::fmt;

use serde_json::{Map, Value, json};

/// Bytes of a call's arguments.
pub const MAX_ARGUMENTS: usize = 64 << 10;
/// Calls in one answer.
pub const MAX_CALLS: usize = 16;

const OPEN: &str = "<TOOL:";
const CLOSE: &str = "</TOOL>";

/// One call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// OpenAI's number of the call; none in the guides' form.
    pub id: Option<String>,
}

/// A stretch of what a model wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    /// Plain text.
    Text(&'a str),
    /// A call.
    Call(Call),
    /// Something that begins as a call and is none.
    Broken {
        /// From its opening mark to the next closing one, or to the end.
        text: &'a str,
        /// What is wrong with it.
        reason: BrokenCall,
    },
}

/// Why a call cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenCall {
    /// The name is empty, longer than 64, or has other characters than letters, digits, `_` and `-`.
    #[error("the tool has no name that can be read")]
    Name,
    /// The arguments are no JSON object.
    #[error("the arguments are no JSON object: {reason}")]
    Arguments {
        /// What the reader of JSON says.
        reason: String,
    },
    /// The arguments are longer than [`MAX_ARGUMENTS`].
    #[error("the arguments are too long")]
    TooLong,
    /// The closing mark does not follow the arguments.
    #[error("the call is not closed")]
    NotClosed,
    /// More calls than [`MAX_CALLS`].
    #[error("too many calls")]
    TooMany,
    /// OpenAI's form lacks a part.
    #[error("the call lacks {part}")]
    Lacks {
        /// Which.
        part: &'static str,
    },
}

/// Cuts an answer into text and calls: `<TOOL:name>{…}</TOOL>`.
///
/// The arguments are read as JSON, so that a closing mark inside a string closes nothing. After a call that cannot be read, reading
/// goes on behind the next closing mark, so that nothing inside its strings is taken for a call. Any text is read in one pass;
/// joined, the pieces' texts and calls are all of it.
///
/// ```
/// use self_learning::tools::{Piece, pieces};
/// let text = r#"<TOOL:generate_image>{"prompt": "la palabra </TOOL> en neón"}</TOOL>"#;
/// let [Piece::Call(call)] = &pieces(text)[..] else { panic!("one call") };
/// assert_eq!(call.arguments["prompt"], "la palabra </TOOL> en neón");
/// ```
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut calls) = (text, 0);
    while let Some(at) = rest.find(OPEN) {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        rest = &rest[at..];
        calls += 1;
        if calls > MAX_CALLS {
            pieces.push(Piece::Broken { text: rest, reason: BrokenCall::TooMany });
            return pieces;
        }
        let length = match first_call(rest) {
            Ok((call, length)) => {
                pieces.push(Piece::Call(call));
                length
            }
            Err(reason) => {
                let length = rest.find(CLOSE).map_or(rest.len(), |at| at + CLOSE.len());
                pieces.push(Piece::Broken { text: &rest[..length], reason });
                length
            }
        };
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The call that a text begins with, and its length in bytes.
fn first_call(text: &str) -> Result<(Call, usize), BrokenCall> {
    let after_open = text.strip_prefix(OPEN).ok_or(BrokenCall::Name)?;
    let (name, rest) = after_open.split_once('>').ok_or(BrokenCall::Name)?;
    let name = checked_name(name)?;
    let (window, cut) = window(rest);
    let mut values = serde_json::Deserializer::from_str(window).into_iter::<Map<String, Value>>();
    let arguments = match values.next() {
        Some(Ok(arguments)) => arguments,
        Some(Err(error)) if error.is_eof() && cut => return Err(BrokenCall::TooLong),
        Some(Err(error)) => return Err(BrokenCall::Arguments { reason: error.to_string() }),
        None => return Err(BrokenCall::Arguments { reason: "there is nothing".to_owned() }),
    };
    let rest = rest[values.byte_offset()..].trim_start();
    let rest = rest.strip_prefix(CLOSE).ok_or(BrokenCall::NotClosed)?;
    Ok((Call { name, arguments, id: None }, text.len() - rest.len()))
}

fn checked_name(name: &str) -> Result<String, BrokenCall> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let fits = (1..=64).contains(&name.len()) && name.chars().all(fits);
    fits.then(|| name.to_owned()).ok_or(BrokenCall::Name)
}

/// As much of a text as arguments may be long, and whether that is less than all.
fn window(text: &str) -> (&str, bool) {
    let mut end = text.len().min(MAX_ARGUMENTS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], end < text.len())
}

impl Call {
    /// The calls of a message in OpenAI's form, whose `arguments` are JSON in a string; none when it has no `tool_calls`.
    ///
    /// ```
    /// let message = serde_json::json!({ "role": "assistant", "tool_calls": [{ "id": "call_1", "type": "function",
    ///     "function": { "name": "logic_classify", "arguments": "{\"formula\": \"p ∨ ¬p\"}" } }] });
    /// let calls = self_learning::tools::Call::from_openai(&message);
    /// assert_eq!(calls[0].as_ref().unwrap().arguments["formula"], "p ∨ ¬p");
    /// ```
    pub fn from_openai(message: &Value) -> Vec<Result<Call, BrokenCall>> {
        let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
        let mut read: Vec<_> = calls.iter().take(MAX_CALLS).map(Call::from_openai_call).collect();
        if calls.len() > MAX_CALLS {
            read.push(Err(BrokenCall::TooMany));
        }
        read
    }

    fn from_openai_call(call: &Value) -> Result<Call, BrokenCall> {
        let function = &call["function"];
        let name = checked_name(function["name"].as_str().ok_or(BrokenCall::Lacks { part: "a name" })?)?;
        let text = function["arguments"].as_str().ok_or(BrokenCall::Lacks { part: "arguments" })?;
        if text.len() > MAX_ARGUMENTS {
            return Err(BrokenCall::TooLong);
        }
        let arguments = serde_json::from_str(text)
            .map_err(|error| BrokenCall::Arguments { reason: error.to_string() })?;
        Ok(Call { name, arguments, id: call["id"].as_str().map(str::to_owned) })
    }

    /// The call in OpenAI's form.
    pub fn to_openai(&self) -> Value {
        let arguments = Value::from(self.arguments.clone()).to_string();
        json!({
            "id": self.id.as_deref().unwrap_or_default(),
            "type": "function",
            "function": { "name": self.name, "arguments": arguments },
        })
    }

    /// The message that answers the call in OpenAI's form.
    pub fn reply(&self, content: &Value) -> Value {
        json!({ "role": "tool", "tool_call_id": self.id.as_deref().unwrap_or_default(), "content": content.to_string() })
    }
}

/// The guides' form. A slash after `<` is escaped, as JSON allows, so that a reader of less care is not misled either.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = Value::from(self.arguments.clone()).to_string().replace("</", "<\\/");
        write!(f, "{OPEN}{}>{arguments}{CLOSE}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn broken(text: &str) -> BrokenCall {
        match pieces(text).into_iter().find_map(|piece| match piece {
            Piece::Broken { reason, .. } => Some(reason),
            _ => None,
        }) {
            Some(reason) => reason,
            None => panic!("{text} was read"),
        }
    }

    #[test]
    fn text_and_calls_come_in_order() {
        let read = pieces("uno <TOOL:a>{}</TOOL> dos <TOOL:b_2> { \"x\" : [1] } </TOOL>");
        let [Piece::Text("uno "), Piece::Call(a), Piece::Text(" dos "), Piece::Call(b)] = &read[..] else {
            panic!("{read:?}")
        };
        assert_eq!((a.name.as_str(), b.name.as_str(), &b.arguments["x"]), ("a", "b_2", &json!([1])));
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("< TOOL:a>{}"), [Piece::Text("< TOOL:a>{}")]);
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(broken("<TOOL:>{}</TOOL>"), BrokenCall::Name);
        assert_eq!(broken("<TOOL:a b>{}</TOOL>"), BrokenCall::Name);
        assert_eq!(broken("<TOOL:a"), BrokenCall::Name);
        assert!(matches!(broken("<TOOL:a>[]</TOOL>"), BrokenCall::Arguments { .. }));
        assert!(matches!(broken("<TOOL:a></TOOL>"), BrokenCall::Arguments { .. }));
        assert!(matches!(broken("<TOOL:a>"), BrokenCall::Arguments { .. }));
        assert_eq!(broken("<TOOL:a>{}"), BrokenCall::NotClosed);
        assert_eq!(broken("<TOOL:a>{} {}</TOOL>"), BrokenCall::NotClosed);
        assert_eq!(
            broken(&format!("<TOOL:a>{{\"x\": \"{}\"}}</TOOL>", "ñ".repeat(MAX_ARGUMENTS))),
            BrokenCall::TooLong
        );
        assert!(matches!(
            broken(&format!("<TOOL:a>{}</TOOL>", "{\"x\":".repeat(9999))),
            BrokenCall::Arguments { .. }
        ));
    }

    #[test]
    fn a_broken_call_does_not_hide_the_next_nor_show_what_is_in_its_strings() {
        let read = pieces("<TOOL:a>{oh</TOOL> y <TOOL:b>{}</TOOL>");
        assert!(matches!(&read[..], [Piece::Broken { .. }, Piece::Text(" y "), Piece::Call(_)]));
        let read = pieces(r#"<TOOL:a>{"x": "<TOOL:b>{}</TOOL>" oh"#);
        assert!(!read.iter().any(|piece| matches!(piece, Piece::Call(_))), "{read:?}");
    }

    #[test]
    fn hostile_text_is_read_in_time() {
        let start = Instant::now();
        for seed in [
            "<TOOL:",
            "<TOOL:a>",
            "<TOOL:a>{\"",
            "<TOOL:a>{\"</TOOL>",
            "<TOOL:a>{\"a\":[\"<TOOL:b>[\", ",
            "</TOOL>",
        ] {
            let text = seed.repeat((4 << 20) / seed.len());
            assert!(pieces(&text).len() <= 2 * MAX_CALLS + 1);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[test]
    fn openais_form_is_read_or_refused() {
        let message = |function: Value| json!({ "tool_calls": [{ "id": "1", "function": function }] });
        let read = |function| Call::from_openai(&message(function)).remove(0);
        assert!(read(json!({ "name": "a", "arguments": "{}" })).is_ok());
        assert_eq!(read(json!({ "arguments": "{}" })), Err(BrokenCall::Lacks { part: "a name" }));
        assert_eq!(
            read(json!({ "name": "a", "arguments": {} })),
            Err(BrokenCall::Lacks { part: "arguments" })
        );
        assert!(matches!(read(json!({ "name": "a", "arguments": "[]" })), Err(BrokenCall::Arguments { .. })));
        assert!(Call::from_openai(&json!({ "content": "hola" })).is_empty());
        let many = vec![json!({ "function": { "name": "a", "arguments": "{}" } }); MAX_CALLS + 1];
        let read = Call::from_openai(&json!({ "tool_calls": many }));
        assert_eq!(read.last(), Some(&Err(BrokenCall::TooMany)));
    }

    proptest! {
        #[test]
        fn any_call_is_read_back_in_both_forms(
            name in "[a-z_]{1,20}", key in "\\PC{0,8}", text in "(</?TOOL(:a)?>|[\"\\\\{}<>/]|\\PC){0,20}", number: i64,
        ) {
            let arguments: Map<String, Value> = [(key, json!([text, number, null]))].into_iter().collect();
            let call = Call { name, arguments, id: None };
            let written = text.replace("<TOOL:", "") + &call.to_string();
            let read = pieces(&written);
            prop_assert_eq!(read.last(), Some(&Piece::Call(call.clone())), "{}", written);
            let openai = json!({ "tool_calls": [call.to_openai()] });
            let back = Call::from_openai(&openai).remove(0).unwrap();
            prop_assert_eq!((back.name, back.arguments), (call.name, call.arguments));
        }

        /// Nothing is lost, and nothing panics.
        #[test]
        fn any_text_is_cut_without_loss(text in "(</?TOOL:?|a>|[{}\":,]|\\PC){0,60}") {
            let mut left = text.as_str();
            for piece in pieces(&text) {
                match piece {
                    Piece::Text(piece) | Piece::Broken { text: piece, .. } => {
                        left = left.strip_prefix(piece).unwrap();
                    }
                    Piece::Call(_) => left = &left[first_call(left).unwrap().1..],
                }
            }
            prop_assert!(left.is_empty());
        }
    }
}
