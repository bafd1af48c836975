//! How a conversation becomes a prompt, said once and written twice: in Jinja for the GGUF file (llama.cpp, newer Ollama) and
//! in Go's template language for the Modelfile (older Ollama).

use serde_json::json;

/// Text around the turns of a conversation. The default puts none: the prompt is what the messages say.
///
/// ```
/// use gguf_export::{ChatTemplate, Role, Turn};
///
/// let turn = |before: &str| Turn { before: before.into(), after: "<|eos|>".into() };
/// let chat = ChatTemplate { user: turn("<|user|>"), assistant: turn("<|assistant|>"), ..Default::default() };
/// assert_eq!(chat.render(&[(Role::User, "¿Llueve?")]), "<|user|>¿Llueve?<|eos|><|assistant|>");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatTemplate {
    /// Before everything.
    pub begin: String,
    /// Around what the system says.
    pub system: Turn,
    /// Around what the user says.
    pub user: Turn,
    /// Around what the model says; `before` also opens the answer that is asked for.
    pub assistant: Turn,
}

/// Text around one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Before it.
    pub before: String,
    /// After it.
    pub after: String,
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl ChatTemplate {
    /// The prompt that asks for an answer to these messages.
    pub fn render(&self, messages: &[(Role, &str)]) -> String {
        let mut prompt = self.begin.clone();
        for (role, content) in messages {
            let Turn { before, after } = match role {
                Role::System => &self.system,
                Role::User => &self.user,
                Role::Assistant => &self.assistant,
            };
            prompt += &format!("{before}{content}{after}");
        }
        prompt + &self.assistant.before
    }

    /// As a Jinja template over `messages` and `add_generation_prompt`, for `tokenizer.chat_template`.
    pub fn jinja(&self) -> String {
        let test = |role: &str| format!("message.role == \"{role}\"");
        let turns = self.turns("{{ message.content }}", "{%", "%}", "elif", "endif", test);
        let begin = literal(&self.begin);
        let ask = literal(&self.assistant.before);
        let ask =
            if ask.is_empty() { ask } else { format!("{{% if add_generation_prompt %}}{ask}{{% endif %}}") };
        format!("{begin}{{% for message in messages %}}{turns}{{% endfor %}}{ask}")
    }

    /// As a Go template over `.Messages`, for the Modelfile.
    pub fn go(&self) -> String {
        let test = |role: &str| format!("eq .Role \"{role}\"");
        let turns = self.turns("{{ .Content }}", "{{", "}}", "else if", "end", test);
        let begin = literal(&self.begin);
        let ask = literal(&self.assistant.before);
        format!("{begin}{{{{ range .Messages }}}}{turns}{{{{ end }}}}{ask}")
    }

    /// One message: a branch for each role, in brackets `open` … `close`, unless all turns are alike.
    fn turns(
        &self,
        content: &str,
        open: &str,
        close: &str,
        else_if: &str,
        end: &str,
        test: impl Fn(&str) -> String,
    ) -> String {
        let [system, user, assistant] = [&self.system, &self.user, &self.assistant]
            .map(|turn| format!("{}{content}{}", literal(&turn.before), literal(&turn.after)));
        if system == user && user == assistant {
            return user;
        }
        let tag = |text: String| format!("{open} {text} {close}");
        [
            tag(format!("if {}", test("system"))),
            system,
            tag(format!("{else_if} {}", test("user"))),
            user,
            tag("else".to_owned()),
            assistant,
            tag(end.to_owned()),
        ]
        .concat()
    }
}

/// Text as an expression of either language: what JSON escapes, both escape alike.
fn literal(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{{{{ {} }}}}", json!(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go makes of the part of its template language that [`ChatTemplate::go`] uses.
    fn go(template: &str, messages: &[(&str, &str)]) -> String {
        let (begin, rest) = template.split_once("{{ range .Messages }}").unwrap();
        let (turns, end) = rest.rsplit_once("{{ end }}").unwrap();
        let part = |role: &str| match turns.strip_prefix("{{ if eq .Role \"system\" }}") {
            None => turns,
            Some(branches) => {
                let (system, rest) = branches.split_once("{{ else if eq .Role \"user\" }}").unwrap();
                let (user, rest) = rest.split_once("{{ else }}").unwrap();
                let assistant = rest.strip_suffix("{{ end }}").unwrap();
                [system, user, assistant]
                    [["system", "user", "assistant"].iter().position(|r| *r == role).unwrap()]
            }
        };
        let said: String = messages.iter().map(|(role, content)| expressions(part(role), content)).collect();
        expressions(begin, "") + &said + &expressions(end, "")
    }

    fn expressions(mut template: &str, content: &str) -> String {
        let mut out = String::new();
        while let Some(rest) = template.strip_prefix("{{ ") {
            if let Some(rest) = rest.strip_prefix(".Content }}") {
                out += content;
                template = rest;
            } else {
                let mut literals = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                out += &literals.next().unwrap().unwrap();
                template = rest[literals.byte_offset()..].strip_prefix(" }}").unwrap();
            }
        }
        assert_eq!(template, "");
        out
    }

    fn jinja(template: &str, messages: &[(&str, &str)]) -> String {
        let messages: Vec<_> =
            messages.iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
        let context = json!({"messages": messages, "add_generation_prompt": true});
        minijinja::Environment::new().render_str(template, context).unwrap()
    }

    #[test]
    fn both_templates_render_the_same_prompt() {
        let turn = |before: &str, after: &str| Turn { before: before.into(), after: after.into() };
        let awkward = ChatTemplate {
            begin: "<|bos|>".into(),
            system: turn("<|system|>\n", "\\ \"fin\"\n"),
            user: turn("<|user|> ¿", "?\t{% raw %}"),
            assistant: turn("<|assistant|>", "<|eos|>"),
        };
        let said = [
            ("system", "Sé breve."),
            ("user", "¿Llueve {{ hoy }}?"),
            ("assistant", "Sí."),
            ("user", "p → q"),
        ];
        let roles = [Role::System, Role::User, Role::Assistant, Role::User];
        for chat in [ChatTemplate::default(), awkward] {
            let typed: Vec<(Role, &str)> = roles.into_iter().zip(said.map(|(_, content)| content)).collect();
            let expected = chat.render(&typed);
            assert_eq!(jinja(&chat.jinja(), &said), expected);
            assert_eq!(go(&chat.go(), &said), expected);
        }
    }
}
