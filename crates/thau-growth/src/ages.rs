//! The cognitive ages of a THAU model, as shapes.
//!
//! The documents give two tables, and their parameter counts do not follow from their shapes. [`Table::Corrected`]
//! keeps head dimension 64 throughout, ties the embedding, uses a feed-forward width near 8d/3 and KV heads that
//! every growth can place; steps stay near the factor 2-3 that the literature supports. Counts are always computed:
//! `Cost::of(&age.shape.on(&config))`.

use crate::{architecture::Architecture, axis::Axis};

/// Which list of shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// The shapes to use.
    #[default]
    Corrected,
    /// The table of the THAU-2B guide.
    Guide,
    /// The table of the THAU architecture document.
    Architecture,
}

/// A stage of growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// In years.
    pub years: u8,
    /// What the documents call it.
    pub name: &'static str,
    /// What they expect of it.
    pub capability: &'static str,
    /// Its sizes.
    pub shape: Shape,
}

/// The sizes of a model that an age sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// KV heads.
    pub kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// Feed-forward units.
    pub d_ff: usize,
}

impl Shape {
    const fn new(
        d_model: usize,
        layers: usize,
        heads: (usize, usize),
        head_dim: usize,
        d_ff: usize,
    ) -> Shape {
        Shape { d_model, layers, heads: heads.0, kv_heads: heads.1, head_dim, d_ff }
    }

    /// The same shape with widths, heads and feed-forward blocks `by` times narrower; as many heads and blocks. For
    /// trying out the way on a small machine. `None` where a width does not divide, or a head would be odd.
    ///
    /// ```
    /// let adult = thau_growth::ages::Table::Corrected.age(15).unwrap().shape;
    /// assert_eq!(adult.narrowed(8).unwrap().d_model, 320);
    /// assert_eq!(adult.narrowed(3), None);
    /// ```
    pub fn narrowed(&self, by: usize) -> Option<Shape> {
        let divides = |n: usize| by > 0 && n.is_multiple_of(by);
        let fits = divides(self.d_model) && divides(self.d_ff) && divides(self.head_dim / 2);
        fits.then(|| Shape {
            d_model: self.d_model / by,
            head_dim: self.head_dim / by,
            d_ff: self.d_ff / by,
            ..*self
        })
    }

    /// `config` in this shape; vocabulary, context and constants stay.
    pub fn on<A: Architecture>(&self, config: &A) -> A {
        let sizes = [
            (Axis::Residual, self.d_model),
            (Axis::Layer, self.layers),
            (Axis::QueryHead, self.heads),
            (Axis::KvHead, self.kv_heads),
            (Axis::QkDim, self.head_dim),
            (Axis::ValueDim, self.head_dim),
            (Axis::FeedForward, self.d_ff),
        ];
        sizes.into_iter().fold(config.clone(), |config, (axis, size)| config.with_size(axis, size))
    }
}

const STAGES: [(u8, &str, &str); 6] = [
    (0, "Bebé", "palabras básicas"),
    (1, "Infante", "frases simples"),
    (3, "Niño", "explicaciones básicas"),
    (6, "Escolar", "razonamiento básico"),
    (12, "Adolescente", "razonamiento complejo"),
    (15, "Adulto", "THAU-2B completo"),
];

impl Table {
    /// The six ages, youngest first.
    pub fn ages(self) -> [Age; 6] {
        let shapes = match self {
            Table::Corrected => [
                Shape::new(384, 6, (6, 2), 64, 1024),
                Shape::new(512, 8, (8, 2), 64, 1408),
                Shape::new(768, 12, (12, 4), 64, 2048),
                Shape::new(1024, 16, (16, 4), 64, 2816),
                Shape::new(1536, 20, (24, 8), 64, 4096),
                Shape::new(2560, 24, (40, 8), 64, 6912),
            ],
            Table::Guide => [
                Shape::new(256, 2, (4, 4), 64, 1024),
                Shape::new(384, 3, (6, 6), 64, 1536),
                Shape::new(512, 6, (8, 8), 64, 2048),
                Shape::new(768, 12, (12, 12), 64, 3072),
                Shape::new(1024, 24, (16, 16), 64, 4096),
                Shape::new(2560, 24, (32, 32), 80, 10240),
            ],
            Table::Architecture => [
                Shape::new(384, 6, (6, 6), 64, 1536),
                Shape::new(512, 8, (8, 8), 64, 2048),
                Shape::new(768, 12, (12, 12), 64, 3072),
                Shape::new(1024, 16, (16, 16), 64, 4096),
                Shape::new(1536, 20, (24, 24), 64, 6144),
                Shape::new(2560, 24, (32, 32), 80, 10240),
            ],
        };
        std::array::from_fn(|n| {
            let ((years, name, capability), shape) = (STAGES[n], shapes[n]);
            Age { years, name, capability, shape }
        })
    }

    /// The age of this many years.
    pub fn age(self, years: u8) -> Option<Age> {
        self.ages().into_iter().find(|age| age.years == years)
    }
}
