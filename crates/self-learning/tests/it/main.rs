//! Whole processes: what a kill leaves behind.

#[cfg(feature = "memory")]
mod memory;
mod upgrade;
