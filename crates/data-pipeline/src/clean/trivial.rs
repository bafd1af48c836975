use crate::{Reason, Row, Step, normal::draw};

/// Thins out the rows whose formula is a lone atom or `p → q`, which would otherwise be most of a corpus.
///
/// Which ones stay depends on the seed and the sentence alone. Expects rows that [`WellFormed`](super::WellFormed) has
/// passed.
#[derive(Clone, Copy, Debug)]
pub struct Trivial {
    /// The share of trivial rows that stay, from 0 to 1.
    pub rate: f64,
    /// Decides which.
    pub seed: u64,
}

impl Step for Trivial {
    fn name(&self) -> &'static str {
        "subsample trivial formulas"
    }

    fn apply(&self, row: Row) -> Result<Row, Reason> {
        let trivial = matches!(row.pattern.as_str(), "p" | "p → q");
        if trivial && draw(self.seed, "trivial", &row.input) >= self.rate {
            Err(Reason::TrivialFormula)
        } else {
            Ok(row)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_stated_share_of_trivial_rows_stays_and_all_others() {
        let step = Trivial { rate: 0.25, seed: 7 };
        let kept = |pattern: &str| {
            let rows =
                (0..1_000).map(|i| Row { input: i.to_string(), pattern: pattern.into(), ..Row::default() });
            rows.filter(|row| step.apply(row.clone()).is_ok()).count()
        };
        assert!((200..300).contains(&kept("p → q")));
        assert_eq!(kept("p → ¬q"), 1_000);
    }
}
