//! Propositional logic from text to truth.
