//! What came before is kept out: the same sentence, nearly the same, or one of the gold set.

mod exact;
mod gold;
mod near;

use crate::{Reason, Row};

pub use exact::Exact;
pub use gold::{GoldOverlap, WordRuns};
pub use near::{Near, Said};

/// Something that compares every row with those before it. What it needs of a row, the key, can be worked out on all
/// cores; the keys themselves come one at a time, in the order of the rows, so that the result is always the same.
///
/// ```
/// use data_pipeline::{Row, dedup::{Distinct, Exact}};
///
/// let mut exact = Exact::default();
/// let row = |input: &str| Row { input: input.into(), ..Row::default() };
/// assert!(exact.admit(Exact::key(&row("Llueve."))).is_ok());
/// assert!(exact.admit(Exact::key(&row("llueve"))).is_err());
/// ```
pub trait Distinct {
    /// What is remembered of a row.
    type Key: Send;

    /// What the comparison is called in reports.
    const NAME: &'static str;

    /// The key of a row that [`WellFormed`](crate::clean::WellFormed) has passed.
    fn key(row: &Row) -> Self::Key;

    /// Remembers the key of a row that is unlike those before.
    ///
    /// # Errors
    ///
    /// The reason why the row is dropped; nothing is remembered of it then.
    fn admit(&mut self, key: Self::Key) -> Result<(), Reason>;
}
