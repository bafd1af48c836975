//! The atoms' names, each once, in order of first appearance.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Names behind each other in one string: two allocations however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        (0..self.len()).map(|index| self.get(index))
    }

    fn push(&mut self, name: &str) -> u32 {
        if self.ends.is_empty() {
            self.text.reserve(32);
            self.ends.reserve(8);
        }
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).expect("names of a formula fit in 4 GiB"));
        self.ends.len() as u32 - 1
    }
}

/// Below this many names a scan is quicker than a search tree.
const SCAN: usize = 16;
const SLOTS: usize = 64;

/// Gives each name its number. A small direct-mapped cache of short names answers nearly always; behind it a scan, and
/// from [`SCAN`] names on a search tree, so that no choice of names makes it slow.
pub(crate) struct Interner {
    names: Names,
    recent: [(u64, u32); SLOTS],
    tree: BTreeMap<Box<str>, u32>,
}

impl Interner {
    pub(crate) fn new() -> Interner {
        Interner::from_names(Names::default())
    }

    pub(crate) fn from_names(names: Names) -> Interner {
        let mut interner = Interner { names, recent: [(LONG, 0); SLOTS], tree: BTreeMap::new() };
        if interner.names.len() >= SCAN {
            interner.plant();
        }
        interner
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    #[inline]
    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        let key = pack(name);
        let slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize % SLOTS;
        let (known, id) = self.recent[slot];
        if known == key && key != LONG {
            return id;
        }
        let id = self.find(name).unwrap_or_else(|| self.add(name));
        self.recent[slot] = (key, id);
        id
    }

    pub(crate) fn into_names(self) -> Names {
        self.names
    }

    fn find(&self, name: &str) -> Option<u32> {
        if self.names.len() < SCAN {
            self.names.iter().position(|known| known == name).map(|index| index as u32)
        } else {
            self.tree.get(name).copied()
        }
    }

    fn add(&mut self, name: &str) -> u32 {
        let id = self.names.push(name);
        if self.names.len() == SCAN {
            self.plant();
        } else if self.names.len() > SCAN {
            self.tree.insert(name.into(), id);
        }
        id
    }

    fn plant(&mut self) {
        self.tree = self.names.iter().map(ToOwned::to_owned).map(String::into_boxed_str).zip(0..).collect();
    }
}

/// The key of every name longer than seven bytes.
const LONG: u64 = 0;

/// A short name as a number; the leading one tells apart names that begin with zero bytes.
#[inline]
fn pack(name: &str) -> u64 {
    if name.len() > 7 { LONG } else { name.bytes().fold(1, |key, byte| key << 8 | u64::from(byte)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn numbers_follow_first_appearance_through_every_way_of_looking_up() {
        let mut interner = Interner::new();
        for round in 0..2 {
            for index in 0..1000_u32 {
                assert_eq!(interner.intern(&format!("a{index}")), index, "round {round}");
            }
        }
        assert_eq!(interner.into_names().get(999), "a999");
    }
}
