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
    use serde_json::Value;

    /// What Go makes of our templates; `tests/golden/render.go` says how the file is made anew.
    const GO: &str = include_str!("../tests/golden/go_templates.json");

    /// Plain and awkward templates, each with a long and a short conversation.
    fn conversations() -> Vec<(ChatTemplate, Vec<(Role, &'static str)>)> {
        let turn = |before: &str, after: &str| Turn { before: before.into(), after: after.into() };
        let awkward = ChatTemplate {
            begin: "<|bos|>".into(),
            system: turn("<|system|>\n", "\\ \"fin\"\n"),
            user: turn("<|user|> ¿", "?\t{% raw %}"),
            assistant: turn("<|assistant|>", "<|eos|>"),
        };
        let long = vec![
            (Role::System, "Sé breve."),
            (Role::User, "¿Llueve {{ hoy }}?"),
            (Role::Assistant, "Sí.\n"),
            (Role::User, "p → q"),
        ];
        let chats = [ChatTemplate::default(), awkward];
        chats
            .into_iter()
            .flat_map(|chat| [(chat.clone(), long.clone()), (chat, long[1..2].to_vec())])
            .collect()
    }

    fn as_json(said: &[(Role, &str)]) -> Value {
        let role = |role: &Role| match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        said.iter().map(|(by, content)| json!({"role": role(by), "content": content})).collect()
    }

    #[test]
    fn both_templates_render_the_same_prompt() {
        let conversations = conversations();
        if let Some(path) = std::env::var_os("GOLDEN_TEMPLATES") {
            let cases: Value = conversations
                .iter()
                .map(|(chat, said)| json!({"template": chat.go(), "messages": as_json(said)}))
                .collect();
            std::fs::write(path, cases.to_string()).unwrap();
        }
        let go: Vec<Value> = serde_json::from_str(GO).unwrap();
        assert_eq!(go.len(), conversations.len());
        for ((chat, said), go) in conversations.iter().zip(&go) {
            let expected = chat.render(said);
            let context = json!({"messages": as_json(said), "add_generation_prompt": true});
            assert_eq!(minijinja::Environment::new().render_str(&chat.jinja(), context).unwrap(), expected);
            assert_eq!((&go["template"], &go["messages"]), (&chat.go().into(), &as_json(said)));
            assert_eq!(go["rendered"], expected);
        }
    }
}
