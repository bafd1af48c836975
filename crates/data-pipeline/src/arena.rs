//! Millions of short texts in memory, without an allocation each.

/// The size of a block in bytes; a longer text gets a block of its own.
const BLOCK: usize = 1 << 20;

/// Texts by number, packed into blocks, so that memory never doubles as it would in one growing buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    blocks: Vec<String>,
    /// Block, start and length of each text.
    places: Vec<(u32, u32, u32)>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) {
        let full = |block: &String| block.len() + text.len() > block.capacity();
        if self.blocks.last().is_none_or(full) {
            self.blocks.push(String::with_capacity(BLOCK.max(text.len())));
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        self.places.push((number as u32, block.len() as u32, text.len() as u32));
        block.push_str(text);
    }

    pub(crate) fn get(&self, index: u32) -> &str {
        let (block, start, len) = self.places[index as usize];
        &self.blocks[block as usize][start as usize..(start + len) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_by_number() {
        let text = |i: usize| "ñ".repeat(i * 7 % 50_000);
        let mut texts = Texts::default();
        (0..2_000).for_each(|i| texts.push(&text(i)));
        texts.push(&"x".repeat(2 * BLOCK));
        assert!((0..2_000).all(|i| texts.get(i as u32) == text(i)));
        assert_eq!(texts.get(2_000).len(), 2 * BLOCK);
    }
}
