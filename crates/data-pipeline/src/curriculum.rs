//! Easy formulas first.

use serde::{Deserialize, Serialize};

use crate::Complexity;

/// From which epoch on each degree of complexity takes part in training.
///
/// ```
/// use data_pipeline::{Complexity, Curriculum};
///
/// let notes = Curriculum::default();
/// assert!(notes.admits(0, Complexity::Simple) && !notes.admits(4, Complexity::Intermediate));
/// assert!(notes.admits(5, Complexity::Intermediate) && !notes.admits(14, Complexity::Advanced));
/// assert!(notes.admits(15, Complexity::Advanced));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curriculum {
    /// The first epoch, counted from 0, with intermediate formulas.
    pub intermediate_from: usize,
    /// The first epoch with advanced ones.
    pub advanced_from: usize,
}

impl Default for Curriculum {
    /// As in the NanoLogic notes: simple to epoch 4, intermediate too from 5, advanced too from 15.
    fn default() -> Curriculum {
        Curriculum { intermediate_from: 5, advanced_from: 15 }
    }
}

impl Curriculum {
    /// Whether rows of this degree take part in this epoch.
    pub fn admits(&self, epoch: usize, complexity: Complexity) -> bool {
        match complexity {
            Complexity::Simple => true,
            Complexity::Intermediate => epoch >= self.intermediate_from,
            Complexity::Advanced => epoch >= self.advanced_from,
        }
    }
}
