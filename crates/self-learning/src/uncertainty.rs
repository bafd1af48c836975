//! Whether the learner knows what it does not know: exact semantic entropy.
//!
//! Several attempts at one question are grouped by meaning, and the entropy of the groups is the uncertainty (Farquhar et al.
//! 2024, Nature 630). They need a language model to say which answers mean the same; a truth table says it exactly.

/// Entropy, in bits, of attempts grouped by meaning: 0 when all mean the same, log2 of their number when all differ.
///
/// An attempt without a meaning, as one that cannot be read, is a group of its own. `alike` must say the same whichever way
/// round it is asked; each attempt is compared with the first of every group.
///
/// ```
/// use self_learning::semantic_entropy;
/// let attempts = [Some("p"), Some("p"), Some("q"), None];
/// assert_eq!(semantic_entropy(&attempts, |a, b| a == b), 1.5);
/// ```
pub fn semantic_entropy<T>(attempts: &[Option<T>], mut alike: impl FnMut(&T, &T) -> bool) -> f64 {
    let mut groups: Vec<(Option<&T>, usize)> = Vec::new();
    for attempt in attempts {
        let found = attempt.as_ref().and_then(|attempt| {
            groups.iter_mut().find(|(first, _)| first.is_some_and(|first| alike(first, attempt)))
        });
        match found {
            Some((_, size)) => *size += 1,
            None => groups.push((attempt.as_ref(), 1)),
        }
    }
    let share = |size: usize| size as f64 / attempts.len() as f64;
    let entropy: f64 = groups.iter().map(|&(_, size)| -share(size) * share(size).log2()).sum();
    entropy.max(0.0)
}

/// Chance that a failed question has the higher signal of the two when one failed and one solved question are drawn; ties
/// count half. None when all failed or none did.
///
/// ```
/// assert_eq!(self_learning::auroc(&[(0.9, true), (0.1, false), (0.5, true), (0.5, false)]), Some(0.875));
/// ```
pub fn auroc(signals: &[(f64, bool)]) -> Option<f64> {
    let mut ordered = signals.to_vec();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let failed = ordered.iter().filter(|(_, failed)| *failed).count() as f64;
    let solved = ordered.len() as f64 - failed;
    if failed == 0.0 || solved == 0.0 {
        return None;
    }
    // Mann and Whitney: the sum of the ranks of the failed, ties sharing their mean rank.
    let mut ranks = 0.0;
    let mut below = 0.0;
    for tied in ordered.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = below + (tied.len() as f64 + 1.0) / 2.0;
        ranks += mean_rank * tied.iter().filter(|(_, failed)| *failed).count() as f64;
        below += tied.len() as f64;
    }
    Some((ranks - failed * (failed + 1.0) / 2.0) / (failed * solved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_meaning_has_no_entropy_and_none_has_all() {
        let same = |a: &u8, b: &u8| a == b;
        assert_eq!(semantic_entropy(&[Some(1), Some(1), Some(1)], same), 0.0);
        assert_eq!(semantic_entropy(&[None::<u8>, None, None, None], same), 2.0);
        assert_eq!(semantic_entropy(&[] as &[Option<u8>], same), 0.0);
    }

    #[test]
    fn auroc_of_a_perfect_a_useless_and_a_reversed_signal() {
        assert_eq!(auroc(&[(1.0, false), (2.0, true), (3.0, true)]), Some(1.0));
        assert_eq!(auroc(&[(1.0, false), (1.0, true)]), Some(0.5));
        assert_eq!(auroc(&[(2.0, false), (1.0, true)]), Some(0.0));
        assert_eq!(auroc(&[(1.0, true)]), None);
    }
}
