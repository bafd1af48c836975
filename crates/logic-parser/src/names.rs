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
        let start = if index == 0 {
            0
        } else {
            self.ends[index - 1] as usize
        };
        &self.text[start..self.ends[index] as usize]
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        (0..self.len()).map(|index| self.get(index))
    }

    fn push(&mut self, name: &str) -> u32 {
        self.text.push_str(name);
        self.ends
            .push(u32::try_from(self.text.len()).expect("names of a formula fit in 4 GiB"));
        self.ends.len() as u32 - 1
    }
}

/// Below this many names a scan is quicker than a search tree.
const SCAN: usize = 16;
const SLOTS: usize = 64;

/// Gives each name its number. A small direct-mapped cache answers nearly always; behind it a scan, and from
/// [`SCAN`] names on a search tree, so that no choice of names makes it slow.
pub(crate) struct Interner {
    names: Names,
    recent: [u32; SLOTS],
    tree: BTreeMap<Box<str>, u32>,
}

impl Interner {
    pub(crate) fn new() -> Interner {
        Interner::from_names(Names::default())
    }

    pub(crate) fn from_names(names: Names) -> Interner {
        let mut interner = Interner {
            names,
            recent: [u32::MAX; SLOTS],
            tree: BTreeMap::new(),
        };
        if interner.names.len() >= SCAN {
            interner.plant();
        }
        interner
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        let slot = slot_of(name);
        let recent = self.recent[slot];
        if (recent as usize) < self.names.len() && self.names.get(recent as usize) == name {
            return recent;
        }
        let id = self.find(name).unwrap_or_else(|| self.add(name));
        self.recent[slot] = id;
        id
    }

    pub(crate) fn into_names(self) -> Names {
        self.names
    }

    fn find(&self, name: &str) -> Option<u32> {
        if self.names.len() < SCAN {
            self.names
                .iter()
                .position(|known| known == name)
                .map(|index| index as u32)
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
        self.tree = self
            .names
            .iter()
            .map(ToOwned::to_owned)
            .map(String::into_boxed_str)
            .zip(0..)
            .collect();
    }
}

fn slot_of(name: &str) -> usize {
    let bytes = name.as_bytes();
    let first = bytes.first().map_or(0, |&byte| byte as usize);
    let last = bytes.last().map_or(0, |&byte| byte as usize);
    (first ^ (last << 1) ^ (bytes.len() << 4)) % SLOTS
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
