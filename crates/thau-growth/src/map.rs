//! One tensor grown: `θ' = A·θ + c`.
//!
//! `A` places old slices along one axis and multiplies by one factor; `c` fills the new slices. The same map
//! serves weights, averages of weights (same `A`, same `c`), optimizer moments (tangents: `m / factor`,
//! `v / factor²`, new entries 0) and the way back.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::{
    architecture::TensorSpec,
    error::GrowthError,
    tensor::{Element, Tensor},
};

/// Where one slice of the grown tensor comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A slice of the old tensor. `copies` slices of the grown tensor share its work (1: it alone).
    Old {
        /// Which slice.
        index: usize,
        /// Among how many the gradient is shared.
        copies: usize,
    },
    /// A slice that was not there; [`Fill`] says what is in it.
    New,
}

/// What stands in new slices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// The side of a channel that keeps the function unchanged.
    Zero,
    /// The other side: uniform, with the root mean square of the old tensor times `rms`. Uniform and not normal,
    /// so that no `ln` or `cos` makes two platforms differ.
    Random {
        /// Relative to the old entries.
        rms: f64,
    },
    /// The mean of all old entries: a gain.
    Mean,
    /// The mean of the old slices plus uniform noise of `rms` times theirs: rows of a vocabulary.
    MeanSlice {
        /// Relative to the old entries.
        rms: f64,
    },
}

/// Whether an entry goes on with the optimizer's memory of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Old slices keep their moments.
    Kept,
    /// A copy that starts anew, as in an inserted block.
    Fresh,
}

/// How one tensor of a grown model comes from one tensor of the model before.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineMap {
    /// The tensor before.
    pub source: String,
    /// The grown tensor's stored shape.
    pub shape: Vec<usize>,
    /// Entries before the mapped axis: the tensor is seen as `(outer, places.len(), inner)`.
    pub outer: usize,
    /// Entries after the mapped axis.
    pub inner: usize,
    /// The mapped axis before.
    pub old_size: usize,
    /// For each slice along the mapped axis, its origin.
    pub places: Vec<Place>,
    /// What stands in new slices.
    pub fill: Fill,
    /// Factor on the old entries, and on what is derived from them.
    pub scale: f64,
    /// Whether old slices keep their moments.
    pub history: History,
}

impl AffineMap {
    /// The tensor as it is, under the same name.
    pub fn identity(tensor: &TensorSpec) -> AffineMap {
        let len = tensor.len();
        AffineMap {
            source: tensor.name.clone(),
            shape: tensor.shape(),
            outer: 1,
            inner: len,
            old_size: 1,
            places: vec![Place::Old { index: 0, copies: 1 }],
            fill: Fill::Zero,
            scale: 1.0,
            history: History::Kept,
        }
    }

    /// Slices placed along axis number `at` of the grown tensor.
    pub fn along(tensor: &TensorSpec, at: usize, places: Vec<Place>, fill: Fill) -> AffineMap {
        let size = |axes: &[crate::AxisUse]| axes.iter().map(|used| used.size).product();
        let old = places.iter().filter_map(|place| match place {
            Place::Old { index, .. } => Some(index + 1),
            Place::New => None,
        });
        AffineMap {
            outer: size(&tensor.axes[..at]),
            inner: size(&tensor.axes[at + 1..]),
            old_size: old.max().unwrap_or(0),
            places,
            fill,
            ..AffineMap::identity(tensor)
        }
    }

    /// The same map with new values in place of all old ones.
    pub fn filled(self, fill: Fill) -> AffineMap {
        AffineMap { places: vec![Place::New; self.places.len()], fill, ..self }
    }

    /// The same map with a factor on the old entries.
    pub fn scaled(self, scale: f64) -> AffineMap {
        AffineMap { scale, ..self }
    }

    /// Whether the grown tensor is the old one, bit for bit.
    pub fn is_identity(&self) -> bool {
        self.scale == 1.0
            && self.old_size == self.places.len()
            && self.places.iter().enumerate().all(|(i, &place)| place == Place::Old { index: i, copies: 1 })
    }

    /// Entries of the old tensor.
    pub fn old_len(&self) -> usize {
        self.outer.saturating_mul(self.old_size).saturating_mul(self.inner)
    }

    /// Entries of the grown tensor.
    pub fn new_len(&self) -> usize {
        self.outer.saturating_mul(self.places.len()).saturating_mul(self.inner)
    }

    /// The grown weights. Computed in `f64`, rounded once.
    ///
    /// # Errors
    /// [`GrowthError::WrongLength`] where `old` is not the tensor that this map is for.
    pub fn apply<T: Element>(&self, old: &Tensor<T>, rng: &mut ChaCha8Rng) -> Result<Tensor<T>, GrowthError> {
        self.check(old.values.len(), self.old_len())?;
        if self.is_identity() {
            return Ok(Tensor { shape: self.shape.clone(), values: old.values.clone() });
        }
        let new = NewSlices::measure(self, &old.values);
        let mut values = self.room()?;
        for outer in old.values.chunks_exact((self.old_size * self.inner).max(1)) {
            for place in &self.places {
                match *place {
                    Place::Old { index, .. } => {
                        let slice = &outer[index * self.inner..][..self.inner];
                        if self.scale == 1.0 {
                            values.extend_from_slice(slice);
                        } else {
                            values.extend(slice.iter().map(|v| T::from_f64(v.to_f64() * self.scale)));
                        }
                    }
                    Place::New => new.push_to(&mut values, self.inner, rng),
                }
            }
        }
        Ok(Tensor { shape: self.shape.clone(), values })
    }

    /// The grown moment: `m / (factor·copies)` for `order` 1, `v / (factor·copies)²` for `order` 2, and for
    /// `order` 0 the values themselves; 0 for every entry without a history.
    ///
    /// # Errors
    /// As [`apply`](AffineMap::apply).
    pub fn transport<T: Element>(&self, old: &Tensor<T>, order: i32) -> Result<Tensor<T>, GrowthError> {
        self.check(old.values.len(), self.old_len())?;
        let mut values = self.room()?;
        for outer in old.values.chunks_exact((self.old_size * self.inner).max(1)) {
            for place in &self.places {
                match *place {
                    Place::Old { index, copies } if self.history == History::Kept => {
                        let share = (self.scale * copies as f64).powi(-order);
                        let slice = &outer[index * self.inner..][..self.inner];
                        values.extend(slice.iter().map(|v| T::from_f64(v.to_f64() * share)));
                    }
                    _ => values.extend(std::iter::repeat_n(T::default(), self.inner)),
                }
            }
        }
        Ok(Tensor { shape: self.shape.clone(), values })
    }

    /// The way back: the old tensor out of the grown one, as one row. Bit for bit where the factor is 1 or a power
    /// of two, or where the grown values are `f64` and the old ones were `f32`; otherwise to one unit in the last
    /// place.
    ///
    /// # Errors
    /// [`GrowthError::WrongLength`] where `grown` is not the tensor that this map gives;
    /// [`GrowthError::NotReversible`] where an old slice has no place.
    pub fn retract<T: Element>(&self, grown: &Tensor<T>) -> Result<Tensor<T>, GrowthError> {
        self.check(grown.values.len(), self.new_len())?;
        let mut from = vec![None; self.old_size];
        for (at, place) in self.places.iter().enumerate() {
            if let Place::Old { index, .. } = *place {
                from[index].get_or_insert(at);
            }
        }
        let from: Option<Vec<usize>> = from.into_iter().collect();
        let lost = || GrowthError::NotReversible { name: self.source.clone() };
        let from = from.ok_or_else(lost)?;
        if self.is_identity() {
            return Ok(grown.clone());
        }
        let mut values = Vec::with_capacity(self.old_len());
        for outer in grown.values.chunks_exact((self.places.len() * self.inner).max(1)) {
            for &place in &from {
                let slice = &outer[place * self.inner..][..self.inner];
                if self.scale == 1.0 {
                    values.extend_from_slice(slice);
                } else {
                    values.extend(slice.iter().map(|v| T::from_f64(v.to_f64() / self.scale)));
                }
            }
        }
        Ok(Tensor { shape: vec![values.len()], values })
    }

    /// Room for the grown entries.
    fn room<T>(&self) -> Result<Vec<T>, GrowthError> {
        let entries = self.new_len();
        let mut values = Vec::new();
        let out_of_memory = |_| GrowthError::OutOfMemory { name: self.source.clone(), entries };
        values.try_reserve_exact(entries).map_err(out_of_memory)?;
        Ok(values)
    }

    fn check(&self, found: usize, expected: usize) -> Result<(), GrowthError> {
        if found == expected {
            Ok(())
        } else {
            Err(GrowthError::WrongLength { name: self.source.clone(), expected, found })
        }
    }
}

/// What a tensor that is still all zero counts as, so that its random side is not zero too.
const RMS_OF_ZEROS: f64 = 0.02;

/// What new slices are made of, measured once a tensor.
struct NewSlices {
    /// What they are centred on: one value, or one a position within the slice.
    centre: Vec<f64>,
    /// Half the width of the uniform distribution around it.
    half_width: f64,
}

impl NewSlices {
    fn measure<T: Element>(map: &AffineMap, old: &[T]) -> NewSlices {
        let count = old.len().max(1) as f64;
        let half_width = |relative: f64| {
            let square: f64 = old.iter().map(|v| v.to_f64() * v.to_f64()).sum();
            // Uniform on [-w, w] has root mean square w/√3.
            let rms = (square / count).sqrt();
            3f64.sqrt() * map.scale * relative * if rms > 0.0 { rms } else { RMS_OF_ZEROS }
        };
        match map.fill {
            _ if !map.places.contains(&Place::New) => NewSlices { centre: vec![0.0], half_width: 0.0 },
            Fill::Zero => NewSlices { centre: vec![0.0], half_width: 0.0 },
            Fill::Random { rms } => NewSlices { centre: vec![0.0], half_width: half_width(rms) },
            Fill::Mean => {
                let mean = old.iter().map(|v| v.to_f64()).sum::<f64>() / count;
                NewSlices { centre: vec![mean * map.scale], half_width: 0.0 }
            }
            Fill::MeanSlice { rms } => {
                let mut centre = vec![0.0; map.inner];
                let share = map.scale * map.inner as f64 / count;
                for slice in old.chunks_exact(map.inner.max(1)) {
                    centre.iter_mut().zip(slice).for_each(|(sum, v)| *sum += v.to_f64() * share);
                }
                NewSlices { centre, half_width: half_width(rms) }
            }
        }
    }

    fn push_to<T: Element>(&self, values: &mut Vec<T>, inner: usize, rng: &mut ChaCha8Rng) {
        let centre = self.centre.iter().cycle().take(inner);
        if self.half_width == 0.0 {
            values.extend(centre.map(|&c| T::from_f64(c)));
        } else {
            // The middle of one of 2³² equal parts of (-1, 1): never 0, so that no random side is zero.
            let mut unit = || (f64::from(rng.next_u32()) + 0.5) / f64::from(1u32 << 31) - 1.0;
            values.extend(centre.map(|&c| T::from_f64(c + self.half_width * unit())));
        }
    }
}
