//! The documents' `self_improvement` block of `config/cluster.yaml`.

use crate::{Error, Result, Settings};

impl Settings {
    /// The defaults, changed by what a `self_improvement` block says; other blocks are passed over.
    ///
    /// Only this block is understood, a `name: value` a line, not YAML at large.
    ///
    /// # Errors
    /// [`Error::Config`] with the line, when a name is unknown, a value is no such value, or the base generator would not be
    /// kept: it always is.
    ///
    /// ```
    /// let settings = self_learning::Settings::from_yaml("
    /// self_improvement:
    ///   eval_every_steps: 2000
    ///   improvement_threshold: 0.02  # 2 points
    ///   always_keep_base_generator: true
    /// ")?;
    /// assert_eq!((settings.steps, settings.gate.threshold), (2000, 0.02));
    /// # Ok::<(), self_learning::Error>(())
    /// ```
    pub fn from_yaml(text: &str) -> Result<Settings> {
        let mut settings = Settings::default();
        let mut inside = false;
        for (line, text) in (1..).zip(text.lines()) {
            let content = text.split('#').next().unwrap_or_default().trim_end();
            let indented = content.starts_with([' ', '\t']);
            if content.is_empty() {
                continue;
            }
            if !indented {
                inside = content == "self_improvement:";
            } else if inside {
                settings
                    .set(content.trim())
                    .ok_or_else(|| Error::Config { line, text: text.trim().to_owned() })?;
            }
        }
        Ok(settings)
    }

    fn set(&mut self, entry: &str) -> Option<()> {
        let (name, value) = entry.split_once(':')?;
        let value = value.trim();
        match name {
            "eval_every_steps" => self.steps = value.parse().ok()?,
            "improvement_threshold" => {
                let threshold = value.parse().ok()?;
                self.gate.threshold = (0.0..=1.0).contains(&threshold).then_some(threshold)?;
            }
            "min_steps_before_replace" => self.gate.min_steps = value.parse().ok()?,
            "benchmark_samples" => self.gate_items = value.parse().ok()?,
            "keep_last_n_checkpoints" => self.keep = value.parse().ok()?,
            "always_keep_base_generator" => return (value == "true").then_some(()),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block as the documents print it.
    const BLOCK: &str = "
cluster:
  nodes: 4
self_improvement:
  # Evaluar cada N steps
  eval_every_steps: 5000

  # Umbral de mejora para reemplazar generador
  improvement_threshold: 0.05  # 5% mejor

  # Mínimo de steps antes de considerar reemplazo
  min_steps_before_replace: 10000

  # Muestras para benchmark
  benchmark_samples: 500

  # Seguridad
  keep_last_n_checkpoints: 3
  always_keep_base_generator: true  # Nunca borrar el Llama original
";

    #[test]
    fn the_block_of_the_documents_is_the_default_but_for_the_samples() {
        let documents = Settings { gate_items: 500, ..Settings::default() };
        assert_eq!(Settings::from_yaml(BLOCK).unwrap(), documents);
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line() {
        for (entry, bad) in [
            ("always_keep_base_generator", "false"),
            ("improvement_threshold", "5%"),
            ("improvement_threshold", "NaN"),
            ("eval_every_steps", "-1"),
            ("eval_steps", "5"),
        ] {
            let text = format!("self_improvement:\n\n  {entry}: {bad}");
            assert!(
                matches!(Settings::from_yaml(&text), Err(Error::Config { line: 3, .. })),
                "{entry}: {bad}"
            );
        }
    }
}
