//! What a growth leaves in `provenance.json`.

use serde::{Deserialize, Serialize};

use crate::{cost::Cost, operator::Preservation, proof::Proof};

/// One growth: an entry of the ledger under `growth` in `provenance.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// BLAKE3 of the weight files before, in hex.
    pub parent: String,
    /// The seed of everything drawn.
    pub seed: u64,
    /// The operators with their sizes, in order.
    pub steps: Vec<String>,
    /// What the steps claim to do to the function.
    pub preservation: Preservation,
    /// The model before.
    pub before: Cost,
    /// The model after.
    pub after: Cost,
    /// What was measured, where a forward was at hand.
    pub proof: Option<Proof>,
}
