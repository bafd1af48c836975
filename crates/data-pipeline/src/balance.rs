//! No block and no degree of complexity may crowd out the others.

use std::collections::BTreeMap;

use crate::{Reason, Row, StepReport, normal::draw};

/// What rows are balanced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// [`Row::complexity`].
    Complexity,
    /// [`Row::block`].
    Block,
}

/// Drops rows, chosen by `seed`, until no group has more than `most` of what stays. Where there are too few groups for
/// that (three groups and a quarter each), all are brought to the size of the smallest that must give.
///
/// ```
/// use data_pipeline::{Balance, Row, balance};
///
/// let block = |name: &str, n: usize| (0..n).map(|i| Row { input: i.to_string(), block: name.into(), ..Row::default() }).collect::<Vec<_>>();
/// let rows = [block("a", 700), block("b", 100), block("c", 100), block("d", 100), block("e", 100)].concat();
/// let (kept, report) = balance(rows, Balance::Block, 0.25, 1);
/// assert_eq!(kept.iter().filter(|row| row.block == "a").count(), 133);
/// assert_eq!(report.kept(), 533);
/// ```
pub fn balance(rows: Vec<Row>, by: Balance, most: f64, seed: u64) -> (Vec<Row>, StepReport) {
    let (name, reason) = match by {
        Balance::Complexity => ("balance complexity", Reason::ComplexityHasTooMany),
        Balance::Block => ("balance blocks", Reason::BlockHasTooMany),
    };
    let mut report = StepReport { name: name.into(), rows: rows.len(), ..StepReport::default() };
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        groups.entry(by.group(row)).or_default().push(index);
    }
    let sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    let limit = limit(&sizes, most);
    let mut kept = vec![true; rows.len()];
    for members in groups.values_mut().filter(|members| members.len() > limit) {
        members.sort_by(|&a, &b| {
            let draw = |index: usize| draw(seed, name, &rows[index].input);
            draw(a).total_cmp(&draw(b))
        });
        for &index in &members[limit..] {
            kept[index] = false;
            report.drop_for(reason);
        }
    }
    let rows = rows.into_iter().zip(kept).filter_map(|(row, kept)| kept.then_some(row)).collect();
    (rows, report)
}

impl Balance {
    fn group(self, row: &Row) -> String {
        match self {
            Balance::Complexity => format!("{:?}", row.complexity),
            Balance::Block => row.block.clone(),
        }
    }
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
    use crate::Complexity;

    fn rows(sizes: &[usize]) -> Vec<Row> {
        let blocks = sizes.iter().enumerate();
        blocks
            .flat_map(|(block, &n)| {
                (0..n).map(move |i| Row {
                    input: format!("{block} {i}"),
                    block: block.to_string(),
                    ..Row::default()
                })
            })
            .collect()
    }

    fn balanced(sizes: &[usize], most: f64) -> Vec<usize> {
        let (kept, report) = balance(rows(sizes), Balance::Block, most, 3);
        assert_eq!(kept.len(), report.kept());
        let count = |block: usize| kept.iter().filter(|row| row.block == block.to_string()).count();
        (0..sizes.len()).map(count).collect()
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
    fn which_rows_go_depends_on_the_seed_alone() {
        let first = |seed| balance(rows(&[90, 20, 20]), Balance::Block, 0.4, seed).0;
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        let complexity = |row: Row| Row { complexity: Complexity::Advanced, ..row };
        let (kept, _) =
            balance(rows(&[5]).into_iter().map(complexity).collect(), Balance::Complexity, 0.5, 1);
        assert_eq!(kept.len(), 5);
    }
}
