//! A loop that measurably teaches.
