//! Growth that loses nothing.
