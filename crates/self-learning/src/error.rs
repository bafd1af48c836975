//! What can go wrong.

use std::path::PathBuf;

use thiserror::Error;

/// An error of this crate. Ending is not failing: a loop that stops returns a [`StopReason`](crate::StopReason).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} is not the JSON that it should be")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// Another process is using the folder.
    #[error("{path} is in use by another process")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The model failed.
    #[error("the learner failed")]
    Learner(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The source of questions failed.
    #[error("the proposer failed")]
    Proposer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A learner gave a number of answers that does not fit the questions.
    #[error("the learner gave {found} lists of attempts for {expected} questions")]
    Attempts {
        /// Questions put.
        expected: usize,
        /// Lists of attempts given.
        found: usize,
    },
    /// There is no earlier generator to go back to.
    #[error("generator {version} is the base: there is nothing to go back to")]
    NothingToRollBack {
        /// The current version.
        version: u32,
    },
    /// A generator's files are not those that were stored.
    #[error("the files of generator {version} are not those that were stored")]
    Tampered {
        /// The version.
        version: u32,
    },
    /// A generator's weights are no longer kept, or never were.
    #[error("generator {version} is not kept")]
    NotKept {
        /// The version.
        version: u32,
    },
    /// Rows that only a vote vouches for would have trained alone.
    #[error("rows labelled by a vote must not train alone, and no other row was given")]
    VoteAlone,
    /// A pattern that examines would also teach.
    #[error("the pattern {pattern} of the gate occurs in other rows")]
    Leak {
        /// The pattern.
        pattern: String,
    },
    /// There is nothing to mix.
    #[error("no {missing} rows to train on")]
    NoRows {
        /// Which kind is missing, as `original`.
        missing: &'static str,
    },
    /// A line of a configuration is not understood.
    #[error("line {line} of the configuration is not understood: {text}")]
    Config {
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A setting lies outside what it may be.
    #[error("{setting} must lie within {range}, found {found}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it may be.
        range: &'static str,
        /// What it was.
        found: f64,
    },
    /// The folder holds an experiment of another plan.
    #[error("{path} holds an experiment of another plan")]
    OtherPlan {
        /// The folder.
        path: PathBuf,
    },
    /// The question is not in the queue of what people should look at.
    #[error("{question} is not in review")]
    NotInReview {
        /// The question.
        question: String,
    },
    /// The file of a memory could not be used.
    #[cfg(feature = "memory")]
    #[error("the memory cannot be used")]
    Memory(#[from] rusqlite::Error),
    /// The file of a memory was made by a later version of this crate.
    #[cfg(feature = "memory")]
    #[error("the memory has layout {found}, this version knows {known}")]
    Layout {
        /// Its layout.
        found: i64,
        /// The latest layout known here.
        known: i64,
    },
    /// A text is too long to be remembered.
    #[cfg(feature = "memory")]
    #[error("{bytes} bytes are too long to be remembered, {most} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        most: usize,
    },
    /// There is no entry of this number.
    #[cfg(feature = "memory")]
    #[error("there is no memory {id}")]
    NotRemembered {
        /// The number.
        id: i64,
    },
    /// A line of exported memories could not be read or written.
    #[cfg(feature = "memory")]
    #[error("line {line} of exported memories")]
    Transfer {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: std::io::Error,
    },
}

/// A result whose error is this crate's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
