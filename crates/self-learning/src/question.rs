//! Asking: from a map of gaps to questions with a label that somebody vouches for.

use std::error::Error;

use data_pipeline::Row;

use crate::GapMap;

mod concepts;
mod formula_first;
mod novelty;
#[cfg(feature = "server")]
mod server;

pub use concepts::ConceptQuestion;
pub use formula_first::FormulaFirst;
pub use novelty::Novelty;
#[cfg(feature = "server")]
pub use server::ServerProposer;

/// A source of labelled questions: our own maker, a model, any server.
///
/// The label is in the row (`formula`, `atoms`), who vouches for it in `origin`. A proposer that cannot label must not
/// guess: rows of origin `Vote` never train alone.
///
/// ```
/// use std::convert::Infallible;
/// use data_pipeline::Row;
/// use self_learning::{GapMap, Proposer};
///
/// /// Asks what it was given, in order.
/// struct Deck(Vec<Row>);
///
/// impl Proposer for Deck {
///     type Error = Infallible;
///     fn propose(&mut self, _gaps: &GapMap, count: usize, _seed: u64) -> Result<Vec<Row>, Infallible> {
///         Ok(self.0.drain(..count.min(self.0.len())).collect())
///     }
/// }
/// ```
pub trait Proposer {
    /// What can go wrong while asking.
    type Error: Error + Send + Sync + 'static;

    /// At most `count` new questions about what the map shows to be weak; fewer when no more can be made. A proposer that
    /// draws does so from the seed, so that a loop that was killed asks the same again.
    ///
    /// # Errors
    /// When the source of questions cannot be reached.
    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, Self::Error>;

    /// Up to `count` labelled rows to learn from where `question` was answered wrong. Unless a proposer knows more: the
    /// question itself.
    ///
    /// # Errors
    /// When the source of questions cannot be reached.
    fn examples(&mut self, question: &Row, count: usize, _seed: u64) -> Result<Vec<Row>, Self::Error> {
        Ok(vec![question.clone(); count.min(1)])
    }
}
