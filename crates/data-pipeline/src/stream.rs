//! Many things in chunks: worked on by all cores, taken in order, the next chunk while the last one is being taken.

use rayon::prelude::*;

/// How many rows are in memory at once, a few times over.
pub(crate) const CHUNK: usize = 4_096;

/// Works on whatever `next` yields and hands it to `take`, chunk by chunk in order. Nothing is worked on that lies more
/// than a chunk ahead of what has been taken, so memory is that of two chunks.
pub(crate) fn in_order<I: Send, O: Send, E: Send>(
    mut next: impl Iterator<Item = Result<I, E>> + Send,
    work: impl Fn(I) -> O + Sync,
    mut take: impl FnMut(Vec<O>) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut done = Vec::new();
    loop {
        let (worked, taken) = rayon::join(
            || {
                let chunk: Vec<I> = next.by_ref().take(CHUNK).collect::<Result<_, E>>()?;
                Ok(chunk.into_par_iter().map(&work).collect::<Vec<O>>())
            },
            || if done.is_empty() { Ok(()) } else { take(std::mem::take(&mut done)) },
        );
        taken?;
        done = worked?;
        if done.is_empty() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_first_error_ends_it() {
        let n = 3 * CHUNK + 5;
        let run = |items: Vec<Result<usize, usize>>, refuse: usize| {
            let mut taken = Vec::new();
            let take = |chunk: Vec<usize>| {
                taken.extend(chunk);
                if taken.len() > refuse { Err(refuse) } else { Ok(()) }
            };
            let end = in_order(items.into_iter(), |i| i * 2, take);
            (end, taken)
        };
        let all = || (0..n).map(Ok).collect::<Vec<_>>();
        assert_eq!(run(all(), n), (Ok(()), (0..n).map(|i| i * 2).collect()));
        assert_eq!(run(all(), 2 * CHUNK - 1), (Err(2 * CHUNK - 1), (0..2 * CHUNK).map(|i| i * 2).collect()));
        let mut broken = all();
        broken[2 * CHUNK + 1] = Err(7);
        assert_eq!(run(broken, n), (Err(7), (0..2 * CHUNK).map(|i| i * 2).collect()));
    }
}
