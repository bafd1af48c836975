//! No block and no degree of complexity may crowd out the others.

use std::collections::BTreeMap;

/// Which rows stay, if no group may have more than `most` of what stays. `rows` gives for each row its group and its
/// lot: a random number, equal for equal rows; those with the lowest lots stay. Where there are too few groups (three
/// groups and a quarter each), all are brought to the size of the smallest that must give.
///
/// ```
/// use data_pipeline::balance;
///
/// let sizes = [700, 100, 100, 100, 100];
/// let rows = (0..5).flat_map(|group| (0..sizes[group as usize]).map(move |lot| (group, lot)));
/// let stays = balance(rows.clone(), 0.25);
/// assert_eq!(rows.zip(&stays).filter(|((group, _), stays)| *group == 0 && **stays).count(), 133);
/// assert_eq!(stays.iter().filter(|stays| **stays).count(), 533);
/// ```
pub fn balance(rows: impl Iterator<Item = (u16, u64)>, most: f64) -> Vec<bool> {
    let mut groups: BTreeMap<u16, Vec<(u64, u32)>> = BTreeMap::new();
    let mut stays = Vec::new();
    for (group, lot) in rows {
        groups.entry(group).or_default().push((lot, stays.len() as u32));
        stays.push(true);
    }
    let sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    let limit = limit(&sizes, most);
    for mut members in groups.into_values().filter(|members| members.len() > limit) {
        members.sort_unstable();
        members[limit..].iter().for_each(|&(_, index)| stays[index as usize] = false);
    }
    stays
}

/// The size to cut groups to: the largest at which each is at most `most` of what is left.
fn limit(sizes: &[usize], most: f64) -> usize {
    let most = most.max(1.0 / sizes.len() as f64);
    let fits = |limit: usize| {
        let left: usize = sizes.iter().map(|&size| size.min(limit)).sum();
        limit as f64 <= most * left as f64 + 1e-6
    };
    // The larger the limit, the larger the share of the largest group: search by halves.
    let (mut fitting, mut beyond) = (0, sizes.iter().max().map_or(1, |largest| largest + 1));
    while fitting + 1 < beyond {
        let middle = fitting.midpoint(beyond);
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced(sizes: &[usize], most: f64) -> Vec<usize> {
        let rows =
            (0..).zip(sizes).flat_map(|(group, &n)| (0..n).map(move |i| (group, i as u64 * 7919 % 101)));
        let stays = balance(rows.clone(), most);
        let count =
            |wanted| rows.clone().zip(&stays).filter(move |((group, _), stays)| *group == wanted && **stays);
        (0..sizes.len() as u16).map(|group| count(group).count()).collect()
    }

    #[test]
    fn only_what_is_too_much_goes() {
        assert_eq!(balanced(&[10, 10, 10, 10], 0.25), [10, 10, 10, 10]);
        assert_eq!(balanced(&[90, 80, 20, 20, 20], 0.25), [30, 30, 20, 20, 20]);
        assert_eq!(balanced(&[100, 30, 30], 0.5), [60, 30, 30]);
        assert_eq!(balanced(&[], 0.25), [0; 0]);
    }

    #[test]
    fn too_few_groups_are_brought_level() {
        assert_eq!(balanced(&[90, 40, 20], 0.25), [20, 20, 20]);
        assert_eq!(balanced(&[90], 0.25), [90]);
    }

    #[test]
    fn the_lots_decide_who_goes() {
        let rows = [(0, 5), (0, 1), (0, 9), (1, 7)];
        assert_eq!(balance(rows.into_iter(), 0.5), [false, true, false, true]);
    }
}
