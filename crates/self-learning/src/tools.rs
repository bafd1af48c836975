//! Tools: what a learner may call on from age 15, and how it writes the call.
//!
//! ```
//! use std::time::Duration;
//! use self_learning::tools::{LogicArgument, Piece, ToolRegistry, pieces};
//!
//! let mut tools = ToolRegistry::for_age(15, Duration::from_secs(5))?;
//! tools.offer(LogicArgument);
//! let said = r#"Veamos. <TOOL:logic_argument>{"premises": ["p → q", "q"], "conclusion": "p"}</TOOL>"#;
//! let [Piece::Text("Veamos. "), Piece::Call(call)] = &pieces(said)[..] else { panic!("one call") };
//!
//! // Offered is not allowed: whoever runs the loop names each tool that may run.
//! assert!(tools.run(call).is_err());
//! tools.allow("logic_argument")?;
//! assert_eq!(tools.run(call)?["fallacy"], "affirming_the_consequent");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Tool`] has a type for its arguments, from which follow both the JSON schema that a model is shown and the check of what it
//! writes. Calls come in the guides' form or in OpenAI's ([`Call::from_openai`]), and leave in either.
//!
//! Nothing that a model writes is trusted. A call runs only if its tool is allowed and its arguments are of the tool's type; it
//! ends after its time, its answer has a greatest length, and a tool that panics has merely failed. No tool here runs code.

mod call;
mod examples;
mod logic;
mod registry;
mod web;

pub use call::{BrokenCall, Call, MAX_ARGUMENTS, MAX_CALLS, Piece, pieces};
pub use examples::{ToolExample, tool_calling_examples};
pub use logic::{LogicArgument, LogicClassify, LogicEquivalent};
pub use registry::{FROM_AGE, Refusal, Tool, ToolError, ToolRegistry};
pub use web::{GenerateImage, HttpGet, WebError};
