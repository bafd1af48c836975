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

    /// Where a name stands, found at once if it stands where it is expected.
    pub(crate) fn position(&self, name: &str, expected: usize) -> Option<usize> {
        if expected < self.len() && self.get(expected) == name {
            return Some(expected);
        }
        self.iter().position(|known| known == name)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(crate) fn push(&mut self, name: &str) -> u32 {
        if self.ends.is_empty() {
            *self = Names { text: String::with_capacity(48), ends: Vec::with_capacity(16) };
        }
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).expect("names of a formula fit in 4 GiB"));
        self.ends.len() as u32 - 1
    }
}

/// Below this many names a scan is quicker than a search tree.
const SCAN: usize = 16;

/// Places in the table of short names; at most half of them are taken, so a free one is soon found.
const PLACES: usize = 64;

/// Gives each name its number. Names of up to seven bytes are compared as numbers, in a small table. Others, and those
/// for which there was no place, are found by a scan, and from [`SCAN`] names on in a search tree, so that no choice of
/// names makes it slow.
pub(crate) struct Interner {
    names: Names,
    /// [`FREE`] where nothing is; after a short name's own place the next one, and so on.
    keys: [u64; PLACES],
    ids: [u32; PLACES],
    taken: usize,
    tree: BTreeMap<Box<str>, u32>,
}

impl Interner {
    #[inline]
    pub(crate) fn new() -> Interner {
        Interner {
            names: Names::default(),
            keys: [FREE; PLACES],
            ids: [0; PLACES],
            taken: 0,
            tree: BTreeMap::new(),
        }
    }

    /// An interner that knows these names already, by their numbers.
    pub(crate) fn from_names(names: Names) -> Interner {
        let mut interner = Interner { names, ..Interner::new() };
        if interner.names.len() >= SCAN {
            interner.plant();
        }
        interner
    }

    #[inline]
    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        let Some(key) = short_key(name) else {
            return self.find(name).unwrap_or_else(|| self.add(name));
        };
        let mut place = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize % PLACES;
        loop {
            if self.keys[place] == key {
                return self.ids[place];
            }
            if self.keys[place] == FREE {
                return self.meet(name, key, place);
            }
            place = (place + 1) % PLACES;
        }
    }

    /// A short name that is not in the table, whose place there would be this one.
    #[inline(never)]
    fn meet(&mut self, name: &str, key: u64, place: usize) -> u32 {
        let is_new = self.names.len() == self.taken;
        let known = if is_new { None } else { self.find(name) };
        let id = known.unwrap_or_else(|| self.add(name));
        if self.taken < PLACES / 2 {
            self.keys[place] = key;
            self.ids[place] = id;
            self.taken += 1;
        }
        id
    }

    pub(crate) fn into_names(self) -> Names {
        self.names
    }

    /// The names so far, without which it is of no use until it [forgets](Interner::forget) them.
    pub(crate) fn take_names(&mut self) -> Names {
        core::mem::take(&mut self.names)
    }

    /// The next name is the first again.
    pub(crate) fn forget(&mut self) {
        if self.taken > 0 || !self.tree.is_empty() {
            *self = Interner::new();
        }
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

/// No name's key.
const FREE: u64 = 0;

/// The bytes of a name of up to seven, and above them how many there are.
#[inline(always)]
fn short_key(name: &str) -> Option<u64> {
    let bytes = name.as_bytes();
    let length = bytes.len();
    // Without a loop, because the processor would guess wrongly where it ends: what is read twice falls together.
    let content = match length {
        1..=3 => {
            let at = |index: usize| u64::from(bytes[index]) << (8 * index);
            at(0) | at(length / 2) | at(length - 1)
        }
        4..=7 => {
            let four = |index: usize| {
                u64::from(u32::from_le_bytes(
                    *bytes[index..].first_chunk().expect("four bytes from there on"),
                ))
            };
            four(0) | four(length - 4) << (8 * (length - 4))
        }
        _ => return None,
    };
    Some(content | (length as u64) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn numbers_follow_first_appearance_through_every_way_of_looking_up() {
        let mut interner = Interner::new();
        let name = |index: u32| format!("{}{index}", ["a", "b_c", "a long one ", ""][index as usize % 4]);
        for round in 0..2 {
            for index in 0..1000 {
                assert_eq!(interner.intern(&name(index)), index, "round {round}");
            }
            interner = Interner::from_names(interner.into_names());
        }
        assert_eq!(interner.into_names().get(997), "b_c997");
    }
}
