use crate::{Reason, Row, Step, format::Pointing};

/// Keeps rows that fit the [pointing format](Pointing): not too long, not too many atoms, and every atom is somewhere in
/// the sentence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pointable;

impl Step for Pointable {
    fn name(&self) -> &'static str {
        "fits the pointing format"
    }

    fn apply(&self, row: Row) -> Result<Row, Reason> {
        match Pointing::answer(&row) {
            Ok(_) => Ok(row),
            Err(_) => Err(Reason::DoesNotFitFormat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_pointed_at_goes() {
        let passes = |input: &str, glossary: &str| {
            let atoms = [("p".to_owned(), glossary.to_owned())].into();
            Pointable.apply(Row { input: input.into(), formula: "p".into(), atoms, ..Row::default() }).is_ok()
        };
        assert!(passes("Llueve", "llueve"));
        assert!(!passes("Llueve", "el perro ladra"));
        assert!(!passes(&"llueve ".repeat(97), "llueve"));
    }
}
