//! A stretch of text.

use core::ops::Range;

/// A stretch of text from `start` up to, not including, `end`. [`Diagnostic`](crate::Diagnostic) says in what unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Where the stretch begins.
    pub start: usize,
    /// Where it ends; `start == end` marks a place between two characters.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The span as a range, to slice text with.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The same stretch of `text` counted in characters instead of bytes.
    pub(crate) fn in_characters(self, text: &str) -> Span {
        let count = |end: usize| text.char_indices().take_while(|&(at, _)| at < end).count();
        let start = count(self.start);
        Span::new(start, start + text.get(self.range()).map_or(0, |inside| inside.chars().count()))
    }
}
