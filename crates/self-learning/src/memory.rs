//! Memory that survives: short-term, long-term and episodic, in one SQLite file with full-text search.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use self_learning::memory::{Capacity, Memory, Term};
//!
//! let mut memory = Memory::open(&folder.path().join("memory.sqlite"), Capacity::default())?;
//! let tea = memory.remember(Term::Long, "A Ana le gusta el té.", "conversación", 100)?;
//! memory.remember(Term::Episodic, "Ana preguntó por la lógica.", "conversación", 200)?;
//!
//! // Words are found without case and accents, and being recalled keeps an entry.
//! assert_eq!(memory.recall("TE", 5, 300)?[0].text, "A Ana le gusta el té.");
//!
//! // What is no longer true gives way, and stays visible until somebody deletes it.
//! memory.supersede(tea, "A Ana le gusta el café.", "conversación", 400)?;
//! assert!(memory.recall("té", 5, 500)?.is_empty());
//! assert_eq!(memory.entries(Term::Long)?.len(), 2);
//! assert!(memory.forget(tea)?);
//! assert_eq!(memory.entries(Term::Long)?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is kept, and what goes
//! - **Short-term**: what was just said. The oldest entry leaves when there are too many; one that was recalled meanwhile moves to
//!   long-term memory instead.
//! - **Long-term**: what holds. The entry with the least base-level activation leaves: `ln(n²/age)` for one used `n` times, which is
//!   Anderson and Schooler's (1991) with decay ½ in Petrov's (2006) approximation, less its constant. Superseded entries leave first.
//! - **Episodic**: what happened, and when. The oldest leaves.
//!
//! Remembering in long-term memory what it holds already counts as one more use, not as a second entry.
//!
//! # Whose it is
//! Everything held can be listed ([`Memory::entries`]), written out ([`Memory::export`]) and deleted. What is deleted is
//! overwritten in the file, index included, not just unlinked. One file is one person's or one agent's memory: nothing in it
//! says whose, so nothing is shared by mistake.
//!
//! A process killed in the middle leaves the entry whole or absent. Several processes may share a file; a write waits up to a
//! minute for another's.

mod store;
mod transfer;

pub use store::{Capacity, Entry, Memory, Term};
