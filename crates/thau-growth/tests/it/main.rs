//! Growth proven on a model of the tests' own, which shares neither names nor code with any other crate.

mod ages;
mod exactness;
mod folder;
mod naive;
mod tiny;
