//! The searches behind the k-quants, on sixteen sub-blocks at once.
//!
//! Each sub-block is one lane: every lane does the reference's operations in the reference's order, so the bytes are the
//! same, and the compiler turns a loop over lanes into vector instructions. (Laying one sub-block across the lanes would
//! reorder its sums.)

use super::rounding::nearest;

/// Sub-blocks searched together.
pub(super) const LANES: usize = 16;
/// One number of each sub-block.
pub(super) type Lanes = [f32; LANES];

/// Numbers i of all sub-blocks of `N` stand together. Missing sub-blocks are zero.
#[inline(always)]
pub(super) fn side_by_side<const N: usize>(x: &[f32]) -> [Lanes; N] {
    let mut lanes = [[0.0; LANES]; N];
    for (lane, sub_block) in x.as_chunks::<N>().0.iter().enumerate() {
        for i in 0..N {
            lanes[i][lane] = sub_block[i];
        }
    }
    lanes
}

/// The best scales found, and the level of each number.
pub(super) struct Fit<const N: usize> {
    pub scale: Lanes,
    /// What is subtracted (affine only), not negative.
    pub min: Lanes,
    levels: [Lanes; N],
}

impl<const N: usize> Fit<N> {
    /// The level of number `i` of sub-block `lane`.
    #[inline(always)]
    pub fn level(&self, i: usize, lane: usize) -> f32 {
        self.levels[i][lane]
    }
}

/// A grid of scales to try: (`first` + `step`·k + `top`) / range, for k = 0 … `steps`.
pub(super) struct Grid {
    /// The highest level.
    pub top: i32,
    pub first: f32,
    pub step: f32,
    pub steps: u32,
}

/// x ≈ scale·level - min with levels 0 … top, weighted: least squares, or least absolute error if `ABSOLUTE`
/// (`make_qkx2_quants` of the reference).
#[inline(always)]
pub(super) fn affine<const N: usize, const ABSOLUTE: bool>(
    x: &[Lanes; N],
    w: &[Lanes; N],
    grid: &Grid,
) -> Fit<N> {
    let top = grid.top as f32;
    let (mut min, mut max) = (x[0], x[0]);
    let (mut sum_w, mut sum_x) = (w[0], [0.0; LANES]);
    for l in 0..LANES {
        sum_x[l] = w[0][l] * x[0][l];
    }
    for i in 1..N {
        for l in 0..LANES {
            let (x, w) = (x[i][l], w[i][l]);
            min[l] = if x < min[l] { x } else { min[l] };
            max[l] = if x > max[l] { x } else { max[l] };
            sum_w[l] += w;
            sum_x[l] += w * x;
        }
    }
    // A sub-block of equal numbers needs no search, and would divide by zero.
    let mut flat = [0_u32; LANES];
    let (mut scale, mut slope) = ([0.0; LANES], [0.0; LANES]);
    for l in 0..LANES {
        min[l] = if min[l] > 0.0 { 0.0 } else { min[l] };
        flat[l] = u32::from(max[l] == min[l]);
        slope[l] = top / (max[l] - min[l]);
        scale[l] = 1.0 / slope[l];
    }
    let mut best = [0.0; LANES];
    for i in 0..N {
        for l in 0..LANES {
            let level = level(slope[l], x[i][l] - min[l], 0, grid.top);
            best[l] += w[i][l] * deviation::<ABSOLUTE>(scale[l] * level + min[l] - x[i][l]);
        }
    }
    // The levels follow from the slope and the minimum that gave the best fit.
    let (mut best_slope, mut best_min) = (slope, min);

    let mut tried = [[0.0; LANES]; N];
    for step in 0..=grid.steps {
        let numerator = grid.first + grid.step * step as f32 + top;
        let (mut sum_l, mut sum_l2, mut sum_xl) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            slope[l] = numerator / (max[l] - min[l]);
        }
        for i in 0..N {
            for l in 0..LANES {
                let level = level(slope[l], x[i][l] - min[l], 0, grid.top);
                tried[i][l] = level;
                let wl = w[i][l] * level;
                sum_l[l] += wl;
                sum_l2[l] += wl * level;
                sum_xl[l] += wl * x[i][l];
            }
        }
        let (mut new_scale, mut new_min, mut solvable) = ([0.0; LANES], [0.0; LANES], [0_u32; LANES]);
        for l in 0..LANES {
            let determinant = sum_w[l] * sum_l2[l] - sum_l[l] * sum_l[l];
            let scale = (sum_w[l] * sum_xl[l] - sum_x[l] * sum_l[l]) / determinant;
            let min = (sum_l2[l] * sum_x[l] - sum_l[l] * sum_xl[l]) / determinant;
            let above = min > 0.0;
            new_scale[l] = if above { sum_xl[l] / sum_l2[l] } else { scale };
            new_min[l] = if above { 0.0 } else { min };
            solvable[l] = u32::from(determinant > 0.0);
        }
        let mut error = [0.0; LANES];
        for i in 0..N {
            for l in 0..LANES {
                let difference = new_scale[l] * tried[i][l] + new_min[l] - x[i][l];
                error[l] += w[i][l] * deviation::<ABSOLUTE>(difference);
            }
        }
        for l in 0..LANES {
            let better = (solvable[l] & u32::from(error[l] < best[l]) & (1 - flat[l])) != 0;
            best[l] = if better { error[l] } else { best[l] };
            best_slope[l] = if better { slope[l] } else { best_slope[l] };
            best_min[l] = if better { min[l] } else { best_min[l] };
            scale[l] = if better { new_scale[l] } else { scale[l] };
            min[l] = if better { new_min[l] } else { min[l] };
        }
    }
    let mut levels = [[0.0; LANES]; N];
    for i in 0..N {
        for l in 0..LANES {
            let level = level(best_slope[l], x[i][l] - best_min[l], 0, grid.top);
            levels[i][l] = if flat[l] != 0 { 0.0 } else { level };
        }
    }
    for l in 0..LANES {
        min[l] = -min[l];
        scale[l] = if flat[l] != 0 { 0.0 } else { scale[l] };
    }
    Fit { scale, min, levels }
}

/// The weights of [`symmetric`] where nothing says what matters: x².
#[inline(always)]
pub(super) fn squares<const N: usize>(x: &[Lanes; N]) -> [Lanes; N] {
    x.map(|lanes| lanes.map(|x| x * x))
}

/// x ≈ scale·(level - half) with levels 0 … 2·half - 1, weighted by `w` (`make_qx_quants` of the reference).
#[inline(always)]
pub(super) fn symmetric<const N: usize>(x: &[Lanes; N], w: &[Lanes; N], half: i32) -> Fit<N> {
    let (mut largest, mut extreme) = ([0.0; LANES], [0.0; LANES]);
    for x in x {
        for l in 0..LANES {
            let magnitude = x[l].abs();
            let grows = magnitude > largest[l];
            largest[l] = if grows { magnitude } else { largest[l] };
            extreme[l] = if grows { x[l] } else { extreme[l] };
        }
    }
    let (mut scale, mut best, mut best_slope) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for step in std::iter::once(0).chain(-9..0).chain(1..=9) {
        let numerator = -(half as f32 + 0.1 * step as f32);
        let (mut slope, mut sum_xl, mut sum_l2) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            slope[l] = numerator / extreme[l];
        }
        for (x, w) in x.iter().zip(w) {
            for l in 0..LANES {
                let (x, w) = (x[l], w[l]);
                let level = level(slope[l], x, -half, half - 1);
                sum_xl[l] += w * x * level;
                sum_l2[l] += w * level * level;
            }
        }
        for l in 0..LANES {
            let gain = u32::from(sum_l2[l] > 0.0) & u32::from(sum_xl[l] * sum_xl[l] > best[l] * sum_l2[l]);
            let better = (u32::from(step == 0) | gain) != 0;
            let fitted = if sum_l2[l] != 0.0 { sum_xl[l] / sum_l2[l] } else { 0.0 };
            scale[l] = if better { fitted } else { scale[l] };
            best[l] = if better { fitted * sum_xl[l] } else { best[l] };
            best_slope[l] = if better { slope[l] } else { best_slope[l] };
        }
    }
    let mut levels = [[0.0; LANES]; N];
    for i in 0..N {
        for l in 0..LANES {
            let level = level(best_slope[l], x[i][l], -half, half - 1) + half as f32;
            levels[i][l] = if largest[l] < SMALLEST { 0.0 } else { level };
        }
    }
    for l in 0..LANES {
        scale[l] = if largest[l] < SMALLEST { 0.0 } else { scale[l] };
    }
    Fit { scale, min: [0.0; LANES], levels }
}

/// The grid that is searched where weights say what matters (`make_qkx3_quants` of the reference).
#[inline(always)]
pub(super) fn weighted_grid(top: i32) -> Grid {
    Grid { top, first: -0.9, step: 0.05, steps: 36 }
}

/// x ≈ scale·level with levels 0 … `top` for numbers that are not negative, improved one number at a time
/// (`make_qp_quants` of the reference).
pub(super) fn positive<const N: usize>(x: &[f32; N], w: &[f32; N], top: i32) -> (f32, [u8; N]) {
    let max = x.iter().fold(0_f32, |max, &x| if max > x { max } else { x });
    if max < SMALLEST {
        return (0.0, [0; N]);
    }
    let mut slope = top as f32 / max;
    let squared_error = |slope: f32, most: i32| {
        let scale = 1.0 / slope;
        x.iter().zip(w).fold(0_f32, |sum, (&x, &w)| {
            let difference = x - scale * nearest(slope * x).min(most) as f32;
            sum + w * difference * difference
        })
    };
    let mut best = squared_error(slope, i32::MAX);
    for step in (-4..=4).filter(|&step| step != 0) {
        let tried = (0.1 * step as f32 + top as f32) / max;
        let error = squared_error(tried, top);
        if error < best {
            (best, slope) = (error, tried);
        }
    }
    let mut levels = x.map(|x| nearest(slope * x).min(top));
    let (mut sum_xl, mut sum_l2) = (0_f32, 0_f32);
    for i in 0..N {
        let level = levels[i] as f32;
        sum_xl += w[i] * x[i] * level;
        sum_l2 += w[i] * level * level;
    }
    for _ in 0..5 {
        let mut changed = false;
        for i in 0..N {
            let level = levels[i] as f32;
            let mut without_xl = sum_xl - w[i] * x[i] * level;
            let mut without_l2 = sum_l2 - w[i] * level * level;
            if without_xl > 0.0 && without_l2 > 0.0 {
                let new = nearest(x[i] * without_l2 / without_xl).min(top);
                if new != levels[i] {
                    without_xl += w[i] * x[i] * new as f32;
                    without_l2 += w[i] * new as f32 * new as f32;
                    if without_xl * without_xl * sum_l2 > sum_xl * sum_xl * without_l2 {
                        (levels[i], sum_xl, sum_l2) = (new, without_xl, without_l2);
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
    (if sum_l2 > 0.0 { sum_xl / sum_l2 } else { 0.0 }, levels.map(|level| level as u8))
}

/// Sub-blocks whose numbers are all smaller count as zero.
pub(super) const SMALLEST: f32 = 1e-15;

#[inline(always)]
fn deviation<const ABSOLUTE: bool>(difference: f32) -> f32 {
    if ABSOLUTE { difference.abs() } else { difference * difference }
}

/// The level nearest to slope · x, within bounds.
#[inline(always)]
fn level(slope: f32, x: f32, bottom: i32, top: i32) -> f32 {
    nearest(slope * x).clamp(bottom, top) as f32
}
