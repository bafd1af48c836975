//! More attention heads.

use serde::{Deserialize, Serialize};

use super::{GrowthOperator, Preservation, fill, resize};
use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::{AffineMap, Place},
};

/// Adds query heads, KV heads or both: `q`, `k`, `v` of new heads random, their columns of `o` zero.
///
/// With grouped queries an old query must keep its key and value. Old groups are cut into pieces of the new group
/// size, each with a copy of its KV head: possible when `K · ⌈g / g'⌉ ≤ K'` for group sizes `g`, `g'`. Copies of a
/// KV head are no twins: different queries use them, and each gets its share of the moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddHeads {
    /// Query heads after it.
    pub query: usize,
    /// KV heads after it; divides `query`.
    pub kv: usize,
}

impl AddHeads {
    /// For each new query head and each new KV head, where it comes from.
    fn places<A: Architecture>(&self, from: &A) -> Result<(Vec<Place>, Vec<Place>), GrowthError> {
        let (old_query, old_kv) = (from.size(Axis::QueryHead), from.size(Axis::KvHead));
        let refused = GrowthError::Heads { from: (old_query, old_kv), to: (self.query, self.kv) };
        let even = |query: usize, kv: usize| kv > 0 && query.is_multiple_of(kv);
        if !even(old_query, old_kv) || !even(self.query, self.kv) || old_query == 0 {
            return Err(refused);
        }
        let (old_group, group) = (old_query / old_kv, self.query / self.kv);
        let copies = old_group.div_ceil(group);
        if old_kv.saturating_mul(copies) > self.kv {
            return Err(refused);
        }
        let mut query = vec![Place::New; self.query];
        let mut kv = vec![Place::New; self.kv];
        for index in 0..old_query {
            let (head, member) = (index / old_group, index % old_group);
            let slot = head * copies + member / group;
            query[slot * group + member % group] = Place::Old { index, copies: 1 };
            kv[slot] = Place::Old { index: head, copies };
        }
        Ok((query, kv))
    }
}

impl<A: Architecture> GrowthOperator<A> for AddHeads {
    fn preservation(&self, _: &A) -> Preservation {
        Preservation::Exact
    }

    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        let grown = resize(&resize(from, Axis::QueryHead, self.query)?, Axis::KvHead, self.kv)?;
        self.places(from).map(|_| grown)
    }

    fn map(&self, from: &A, _: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        let (query, kv) = self.places(from)?;
        Ok(if let Some((at, role)) = tensor.find(Axis::QueryHead) {
            AffineMap::along(tensor, at, query, fill(role))
        } else if let Some((at, role)) = tensor.find(Axis::KvHead) {
            AffineMap::along(tensor, at, kv, fill(role))
        } else {
            AffineMap::identity(tensor)
        })
    }
}
