//! [`Reference`] as the forward that `gguf_export` holds a written file against.

use crate::reference::{Real, Reference};

impl<R: Real> gguf_export::Forward for Reference<R> {
    fn logits(&self, tokens: &[u32]) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Reference::logits(self, tokens)?.into_iter().map(Real::wide).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Weights};

    #[test]
    fn it_gives_the_logits_of_the_reference() {
        let config = Config::tiny();
        let model = Reference::<f64>::new(&config, &Weights::init(&config, 1)).unwrap();
        let logits = gguf_export::Forward::logits(&model, &[1, 2, 3]).unwrap();
        assert_eq!(logits, Reference::logits(&model, &[1, 2, 3]).unwrap());
        assert!(gguf_export::Forward::logits(&model, &[64]).is_err());
    }
}
