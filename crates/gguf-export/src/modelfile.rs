//! The Modelfile that hands a GGUF file to `ollama create`.

use std::fmt::Write;

/// What Ollama is told about a model. An absent field leaves its line out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modelfile {
    /// The GGUF file, relative to the Modelfile.
    pub from: String,
    /// Go template; without one Ollama takes the Jinja template of the GGUF file.
    pub template: Option<String>,
    /// System message.
    pub system: Option<String>,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// Tokens of context.
    pub num_ctx: usize,
    /// Text of the licence.
    pub license: Option<String>,
}

impl Modelfile {
    /// The file's text.
    ///
    /// ```
    /// let modelfile = gguf_export::Modelfile {
    ///     from: "./model.gguf".into(),
    ///     stop: vec!["<|eos|>".into()],
    ///     num_ctx: 256,
    ///     ..Default::default()
    /// };
    /// assert_eq!(
    ///     modelfile.text(),
    ///     "FROM ./model.gguf\nPARAMETER num_ctx 256\nPARAMETER temperature 0\nPARAMETER stop \"<|eos|>\"\n"
    /// );
    /// ```
    pub fn text(&self) -> String {
        let mut text = format!("FROM {}\n", self.from);
        let mut line = |name: &str, value: String| {
            writeln!(text, "{name} {value}").expect("writing to a String cannot fail");
        };
        if let Some(template) = &self.template {
            line("TEMPLATE", long_text(template));
        }
        if let Some(system) = &self.system {
            line("SYSTEM", long_text(system));
        }
        line("PARAMETER num_ctx", self.num_ctx.to_string());
        line("PARAMETER temperature", "0".to_owned());
        for stop in &self.stop {
            // Ollama knows no escapes: a text with a quote goes between three.
            let quoted = if stop.contains('"') { long_text(stop) } else { format!("\"{stop}\"") };
            line("PARAMETER stop", quoted);
        }
        if let Some(license) = &self.license {
            line("LICENSE", long_text(license));
        }
        text
    }
}

/// Three quotes around, since the text may hold one or two; three in a row would end it and lose the last.
fn long_text(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("\"\"\"") {
        text = text.replace("\"\"\"", "\"\"");
    }
    format!("\"\"\"{text}\"\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_texts_do_not_end_them() {
        let modelfile = Modelfile {
            from: "./m.gguf".into(),
            system: Some("Di \"sí\".".into()),
            stop: vec!["\"fin\"".into()],
            license: Some("\"\"\"\"\"MIT\"".into()),
            ..Modelfile::default()
        };
        let text = modelfile.text();
        for line in [
            "SYSTEM \"\"\"Di \"sí\".\"\"\"\n",
            "PARAMETER stop \"\"\"\"fin\"\"\"\"\n",
            "LICENSE \"\"\"\"\"MIT\"\"\"\"\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
