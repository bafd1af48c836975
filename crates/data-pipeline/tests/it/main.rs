//! The crate as its users see it.

mod corpus;
mod reader;
mod crash;
mod llama_cpp;
